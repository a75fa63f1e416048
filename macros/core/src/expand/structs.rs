//! The items that a user sees: the net's struct, the struct of its parameters and the name of its
//! gradients.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote_spanned};

use super::fields::{Content, Field, fields};
use super::net_struct::NetStruct;
use super::{Names, docs, generated, site};
use crate::check::Checked;
use crate::plan::Plan;
use typenet_shape::TensorKind;

/// The net's struct, its parameters and the name of its gradients.
pub(super) fn structs(
    checked: &Checked,
    plan: &Plan,
    names: &Names<'_>,
    sound: bool,
) -> TokenStream {
    let Names { net, net_struct, parameters, gradients, .. } = names;
    let visibility = &checked.visibility.0;
    let generated_visibility = generated(visibility.to_token_stream());
    let attributes = &checked.attributes;
    let (own, lints, cfg) = (&attributes.on_struct, &attributes.lints, &attributes.cfg);
    let table = if sound { docs::table(plan) } else { Vec::new() };
    let gap = (!table.is_empty() && own.iter().any(|one| one.path().is_ident("doc")))
        .then(|| quote_spanned!(site()=> #[doc = ""]));
    let parameters_doc =
        format!(" The parameters of [`{net}`]: a field for each layer that has some.");
    let gradients_doc = format!(" Gradients of [`{net}`], in the shape of its parameters.");
    let (declared, used) = (names.numbers.generics.declared(), names.numbers.generics.used());
    let tree = fields(checked, net);
    let shown = Shown { checked, plan, names, sound };
    let fields = tree.iter().filter_map(|one| shown.field(one));
    let inner = shown.groups(&tree, &generated_visibility);
    let NetStruct { name, declared: of, field, .. } = net_struct;
    let alias = net_struct.alias.as_ref().map(|[declared, kind]| {
        let docs = own.iter().filter(|one| one.path().is_ident("doc"));
        quote_spanned! {site()=>
            #(#cfg)*
            #(#lints)*
            #(#docs)*
            #[allow(dead_code)]
            #visibility type #net #declared = #kind;
        }
    });
    quote_spanned! {site()=>
        #(#cfg)*
        #(#lints)*
        #(#own)*
        #gap
        #(#[doc = #table])*
        #visibility struct #name #of {
            __model: ::typenet::__private::Model<#parameters #used>,
            #field
        }

        #alias

        #(#cfg)*
        ::typenet::__private::__parameter_struct! {
            #(#lints)*
            #[doc = #parameters_doc]
            #generated_visibility struct #parameters #declared {
                #(#fields)*
            }
        }

        #inner

        #(#cfg)*
        #(#lints)*
        #[doc = #gradients_doc]
        #[allow(dead_code)]
        #generated_visibility type #gradients #declared = #parameters #used;
    }
}

/// What the fields of the structs are written from.
struct Shown<'a> {
    checked: &'a Checked,
    plan: &'a Plan,
    names: &'a Names<'a>,
    sound: bool,
}

impl Shown<'_> {
    /// The structs of fields that hold fields, each before those within it.
    fn groups(&self, fields: &[Field<'_>], visibility: &TokenStream) -> TokenStream {
        let net = self.names.net;
        let declared = self.names.numbers.generics.declared();
        let (lints, cfg) = (&self.checked.attributes.lints, &self.checked.attributes.cfg);
        let mut items = TokenStream::new();
        for one in fields {
            let Content::Group { name, path, tuple, inner } = &one.content else { continue };
            let doc = format!(" The parameters of `{path}` in [`{net}`].");
            let content = inner.iter().filter_map(|one| self.field(one));
            items.extend(if *tuple {
                quote_spanned! {site()=>
                    #(#cfg)*
                    ::typenet::__private::__parameter_tuple! {
                        #(#lints)*
                        #[doc = #doc]
                        #visibility struct #name #declared(#(#content)*);
                    }
                }
            } else {
                quote_spanned! {site()=>
                    #(#cfg)*
                    ::typenet::__private::__parameter_struct! {
                        #(#lints)*
                        #[doc = #doc]
                        #visibility struct #name #declared {
                            #(#content)*
                        }
                    }
                }
            });
            items.extend(self.groups(inner, visibility));
        }
        items
    }

    /// A field, if it has parameters.
    fn field(&self, field: &Field<'_>) -> Option<TokenStream> {
        let (docs, kind) = match &field.content {
            Content::Layer(node) => self.layer(*node)?,
            Content::Group { name, .. } => {
                let used = self.names.numbers.generics.used();
                (field.docs.clone(), quote_spanned!(site()=> #name #used))
            }
        };
        let name = field.name.iter();
        Some(quote_spanned!(site()=> #(#[doc = #docs])* pub #(#name:)* #kind,))
    }

    /// The documentation and the type of a layer's parameters.
    fn layer(&self, index: usize) -> Option<(Vec<String>, TokenStream)> {
        let node = &self.checked.nodes[index];
        let docs = || docs::field(self.checked, self.plan, index);
        if let Some(kind) = self.names.numbers.part_type(node) {
            let [weight, bias] = self.names.numbers.part_tensors(index, self.sound);
            let kind = quote_spanned! {site()=>
                <#kind as ::typenet::__private::AsLayer>::Parameters<#weight, #bias>
            };
            return Some((docs(), kind));
        }
        let kinds: Vec<TensorKind> = node.tensors.iter().map(|(kind, _)| *kind).collect();
        let (name, types) = match kinds.as_slice() {
            [] => return None,
            [TensorKind::Weight] => ("Weight", 1),
            [TensorKind::RunningMean, TensorKind::RunningVar] => ("Running", 1),
            [_, _] => ("WeightBias", 2),
            // All tensors of a batch norm are alike.
            _ => ("BatchNorm", 1),
        };
        let types = (0..types).map(|tensor| self.names.numbers.tensor(index, tensor, self.sound));
        let name = Ident::new(name, site());
        let kind = quote_spanned!(site()=> ::typenet::parameters::#name<#(#types),*>);
        Some((docs(), kind))
    }
}

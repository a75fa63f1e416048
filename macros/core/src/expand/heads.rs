//! The structs of a net with named inputs or heads: its input, its output, and the losses and targets
//! of its heads, with what makes them usable as such.

use std::collections::HashSet;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::ext::IdentExt;

use super::numbers::Numbers;
use super::{Names, generated, open, site};
use crate::check::{Checked, Head};
use crate::number::{Number, shape_text};
use crate::plan::Plan;

/// The structs.
pub(super) fn structs(checked: &Checked, names: &Names<'_>) -> TokenStream {
    let net = names.net;
    let mut items = TokenStream::new();
    let [inputs, heads] = open::declared(checked);
    if inputs {
        let dims = checked.nodes.iter().map(|node| node.dims());
        let fields: Vec<_> = checked.inputs.iter().zip(dims).collect();
        let doc = format!(" The inputs of [`{net}`].");
        items.extend(values(checked, names, &names.input, &doc, &fields));
    }
    if !heads {
        return items;
    }
    let fields: Vec<_> = checked.heads.iter().map(|head| (&head.name, head.dims.clone())).collect();
    let doc = format!(" The values of the heads of [`{net}`].");
    items.extend(values(checked, names, &names.output, &doc, &fields));

    let (lints, cfg) = (&checked.attributes.lints, &checked.attributes.cfg);
    let visibility = generated(checked.visibility.0.to_token_stream());
    let Names { loss, target, .. } = names;
    let fields: Vec<&Ident> = checked.heads.iter().map(|head| &head.name).collect();
    let types = type_names(&fields);
    let loss_doc = format!(
        " A loss for each head of [`{net}`], which are added. `(0.5, loss)` is a loss times 0.5."
    );
    let doc = |what: &str| {
        let one = |head: &Head| format!(" The {what} of `{}`, `{}`.", head.name, text(&head.dims));
        checked.heads.iter().map(one).collect::<Vec<_>>()
    };
    let (loss_docs, target_docs) = (doc("loss"), doc("target"));
    let target_doc = format!(" What [`{net}`] is trained to give: a target for each head.");
    items.extend(quote_spanned! {site()=>
        #(#cfg)*
        #(#lints)*
        #[doc = #loss_doc]
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #visibility struct #loss<#(#types),*> {
            #(
                #[doc = #loss_docs]
                pub #fields: #types,
            )*
        }

        #(#cfg)*
        #(#lints)*
        #[doc = #target_doc]
        #[derive(
            ::core::clone::Clone, ::core::marker::Copy, ::core::cmp::PartialEq, ::core::cmp::Eq,
            ::core::fmt::Debug,
        )]
        #visibility struct #target<#(#types),*> {
            #(
                #[doc = #target_docs]
                pub #fields: #types,
            )*
        }
    });
    items
}

/// The heads as expressions.
pub(super) fn of_graph(checked: &Checked, numbers: &Numbers<'_>) -> Vec<TokenStream> {
    let one = |head: &Head| {
        let (name, node) = (head.name.unraw().to_string(), numbers.node(head.node?));
        Some(quote_spanned!(site()=> __rt::Head { name: #name, node: #node }))
    };
    checked.heads.iter().filter_map(one).collect()
}

/// A struct of arrays.
fn values(
    checked: &Checked,
    names: &Names<'_>,
    name: &Ident,
    doc: &str,
    fields: &[(&Ident, Option<Vec<Number>>)],
) -> TokenStream {
    let (lints, cfg) = (&checked.attributes.lints, &checked.attributes.cfg);
    let visibility = generated(checked.visibility.0.to_token_stream());
    let declared = names.numbers.generics.declared();
    let fields = fields.iter().map(|(name, dims)| {
        let (doc, array) = (format!(" `{}`", text(dims)), names.numbers.numbers(dims.as_deref()));
        quote_spanned!(site()=> #[doc = #doc] pub #name: #array,)
    });
    quote_spanned! {site()=>
        #(#cfg)*
        ::typenet::__private::__value_struct! {
            #(#lints)*
            #[doc = #doc]
            #visibility struct #name #declared {
                #(#fields)*
            }
        }
    }
}

/// What makes the structs usable.
pub(super) fn implementations(
    checked: &Checked,
    plan: &Plan,
    names: &Names<'_>,
    sound: bool,
) -> TokenStream {
    let Names { net, net_struct, input, output, loss, target, .. } = names;
    let generics = &names.numbers.generics;
    let (declared, used, further) = (generics.declared(), generics.used(), generics.further());
    let (of_net, further_net) = (net_struct.of(), &net_struct.further);
    let mut items = TokenStream::new();
    let [inputs, heads] = open::declared(checked);
    if inputs {
        let fields = &checked.inputs;
        let texts: Vec<String> = fields.iter().map(|field| field.unraw().to_string()).collect();
        let arrays: Vec<TokenStream> = (0..fields.len())
            .map(|node| checked.nodes.get(node).and_then(|node| node.dims()))
            .map(|dims| names.numbers.numbers(dims.as_deref()))
            .collect();
        items.extend(quote_spanned! {site()=>
            impl #declared #input #used {
                /// A data set whose examples have the inputs of one place each, and that target.
                ///
                /// # Errors
                /// When there are not as many of each input as targets.
                #[allow(dead_code)]
                pub fn dataset<__T>(
                    #(#fields: &[#arrays],)*
                    targets: ::std::vec::Vec<__T>,
                ) -> __rt::Result<__rt::Dataset<Self, __T>> {
                    __rt::dataset_of(
                        &[#((#texts, __rt::Flat::flatten(#fields), #fields.len()),)*],
                        targets,
                    )
                }
            }
        });
    }
    if !heads {
        return items;
    }
    let fields: Vec<&Ident> = checked.heads.iter().map(|head| &head.name).collect();
    let texts: Vec<String> = fields.iter().map(|field| field.unraw().to_string()).collect();
    let count = Literal::usize_unsuffixed(fields.len());
    let indices: Vec<Literal> = (0..fields.len()).map(Literal::usize_unsuffixed).collect();
    let types = type_names(&fields);
    let targets: Vec<Ident> = types.iter().map(|one| format_ident!("__{one}")).collect();
    // What a head is stands on a type of its name, which the compiler shows in messages.
    let kinds = fields.iter().enumerate().map(|(index, field)| {
        let head = quote_spanned!(site()=> heads::#field);
        let last = checked.heads[index].node.and_then(|node| checked.nodes.get(node));
        let last = last.filter(|_| sound).and_then(|node| names.numbers.part_type(node));
        super::output(&TokenStream::new(), &head, plan.outputs.get(index).filter(|_| sound), last)
    });
    // Messages about targets point to the net's name.
    let compares = quote_spanned! {net.span().resolved_at(site())=>
        Self: __rt::Compares<#output #used, #target<#(#targets),*>>,
    };
    items.extend(comparisons(checked, names, &types, &targets, sound));
    items.extend(quote_spanned! {site()=>
        #[allow(non_camel_case_types, unreachable_pub, missing_docs, missing_debug_implementations)]
        mod heads {
            #(
                #[derive(Clone, Copy)]
                pub(super) enum #fields {}
            )*
        }
        #(#kinds)*

        impl<#(#types: __rt::Accepts<heads::#fields>,)* #further_net> __rt::Accepts<#of_net>
            for #loss<#(#types),*> {}

        #[automatically_derived]
        impl<#(#types, #targets,)*> __rt::Objective<#target<#(#targets),*>> for #loss<#(#types),*>
        where
            #(#types: __rt::Loss<#targets>,)*
        {
            const HEADS: usize = #count;

            fn each(
                &self,
                target: &#target<#(#targets),*>,
                visit: &mut dyn ::core::ops::FnMut(&dyn __rt::HeadLoss),
            ) {
                #(visit(&__rt::OfHead { loss: &self.#fields, target: &target.#fields });)*
            }
        }

        impl<#(#types),*> #loss<#(#types),*> {
            /// The loss of the outputs in `ws`, whose gradient is written there for `backward`.
            ///
            /// # Errors
            /// When there are not as many targets as outputs, or a target does not belong to its head.
            #[allow(dead_code)]
            pub fn forward_backward<#(#targets,)* #further>(
                &self,
                targets: &[#target<#(#targets),*>],
                ws: &mut __rt::Workspace<#net #used>,
            ) -> __rt::Result<f64>
            where
                #compares
                Self: __rt::Accepts<#net #used>,
            {
                __rt::forward_backward(self, targets, ws)
            }
        }

        #[automatically_derived]
        impl<#(#types: __rt::Target,)*> __rt::Target for #target<#(#types),*> {
            fn class(&self) -> ::core::option::Option<usize> {
                ::core::option::Option::None
            }

            fn class_of(&self, head: usize) -> ::core::option::Option<usize> {
                match head {
                    #(#indices => self.#fields.class(),)*
                    _ => ::core::option::Option::None,
                }
            }
        }

        impl<#(#types: ::core::clone::Clone,)*> #target<#(#types),*> {
            /// The targets of each head, put together place by place.
            ///
            /// # Errors
            /// When there are not as many of each.
            #[allow(dead_code)]
            pub fn zip(#(#fields: &[#types]),*) -> __rt::Result<::std::vec::Vec<Self>> {
                let count = __rt::same_counts(&[#((#texts, #fields.len())),*])?;
                ::core::result::Result::Ok(
                    (0..count)
                        .map(|at| Self { #(#fields: ::core::clone::Clone::clone(&#fields[at])),* })
                        .collect(),
                )
            }
        }
    });
    items
}

/// Which targets the losses of the heads take, head by head; any of theirs after a mistake, where the
/// outputs may not be known.
fn comparisons(
    checked: &Checked,
    names: &Names<'_>,
    types: &[Ident],
    targets: &[Ident],
    sound: bool,
) -> TokenStream {
    let Names { output, loss, target, .. } = names;
    let generics = &names.numbers.generics;
    let (used, further) = (generics.used(), generics.further());
    let arrays: Vec<TokenStream> =
        checked.heads.iter().map(|head| names.numbers.numbers(head.dims.as_deref())).collect();
    // Messages about a head point to the net's name.
    let place = names.net.span().resolved_at(site());
    let constant = sound.then(|| {
        quote_spanned! {place=>
            const COMPARES: () = {
                #(let () = <#types as __rt::HeadCompares<#arrays, #targets>>::COMPARES;)*
            };
        }
    });
    let bounds = arrays.iter().zip(targets).map(|(array, target)| match sound {
        true => quote_spanned!(place=> __rt::HeadCompares<#array, #target>),
        false => quote_spanned!(place=> __rt::Loss<#target>),
    });
    quote_spanned! {place=>
        // What is wrong with a single loss for several heads is not the targets.
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl<__T, #further> __rt::Matches<__T> for #output #used {}

        #[automatically_derived]
        impl<#(#types: #bounds,)* #(#targets,)* #further>
            __rt::Compares<#output #used, #target<#(#targets),*>> for #loss<#(#types),*>
        {
            #constant
        }
    }
}

/// `Class` for `class`, a type parameter for each head.
fn type_names(fields: &[&Ident]) -> Vec<Ident> {
    let mut taken = HashSet::new();
    let name = |field: &&Ident| {
        let mut text = String::new();
        for word in field.unraw().to_string().split('_') {
            let mut letters = word.chars();
            text.extend(letters.next().into_iter().flat_map(char::to_uppercase));
            text += letters.as_str();
        }
        let numbered = (2..).map(|number| format!("{text}{number}"));
        let free =
            std::iter::once(text.clone()).chain(numbered).find(|one| taken.insert(one.clone()));
        format_ident!("{}", free.unwrap_or(text), span = site())
    };
    fields.iter().map(name).collect()
}

/// A shape as documentation shows it.
fn text(dims: &Option<Vec<Number>>) -> String {
    dims.as_ref().map_or("?".into(), |dims| shape_text(dims))
}

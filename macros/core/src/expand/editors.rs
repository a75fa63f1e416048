//! Items that nothing runs: where a word stands, an editor finds what it stands for.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, quote_spanned};

use super::{Names, docs, fields, site};
use crate::check::{Checked, Defined, Definition, Node, Segment};
use crate::editor::for_editors_alone;
use crate::number::Number;
use crate::plan::Plan;

/// Uses the documentation item of each keyword at the keyword's place, and each constant, block and
/// value at the places of its uses; and defines each name without parameters at its place, so that an
/// editor shows its shape and its type.
pub(super) fn for_editors(checked: &Checked, plan: &Plan, names: &Names<'_>) -> TokenStream {
    let words = &checked.words;
    let [constants, blocks] = &checked.definitions;
    let constants = constants.iter().enumerate().filter_map(|(index, one)| {
        let value = Literal::usize_unsuffixed(one.value.as_ref()?.known()?);
        let name = item(one)?;
        let uses = uses(checked, Defined::Constant(index));
        Some(quote_spanned! {site()=>
            const _: () = {
                #[allow(dead_code, non_upper_case_globals)]
                const #name: usize = #value;
                #(let _ = #uses;)*
            };
        })
    });
    let blocks = blocks.iter().enumerate().filter_map(|(index, one)| {
        let name = item(one)?;
        let docs = docs::block(one);
        let uses = uses(checked, Defined::Block(index));
        Some(quote_spanned! {site()=>
            const _: () = {
                #(#[doc = #docs])*
                #[allow(dead_code, non_camel_case_types)]
                struct #name;
                #(let _ = #uses;)*
            };
        })
    });
    // What blocks and repeats hold is shown as it is the first time.
    let nodes = checked.nodes.iter().enumerate().filter(|(_, node)| !node.again);
    let values = nodes.clone().filter_map(|(index, node)| match node.field.as_deref() {
        Some(path) => parameters(checked, names, index, path),
        None => value(checked, plan, names, index, node),
    });
    let keywords = nodes.filter_map(|(index, node)| keyword(checked, plan, index, node));
    let keywords = for_editors_alone(keywords.collect());
    quote_spanned! {site()=>
        const _: () = {
            #(let _ = ::typenet::layers::#words;)*
        };
        #(#constants)*
        #(#blocks)*
        #(#[allow(dead_code)] #values)*
        #keywords
    }
}

/// The name, unless it is a mistake that can be no item's.
fn item(definition: &Definition) -> Option<Ident> {
    syn::parse2(definition.name.to_token_stream()).ok()
}

fn uses(checked: &Checked, of: Defined) -> Vec<&Ident> {
    let mentions = checked.mentions.iter().filter(|mention| mention.of == of);
    mentions.map(|mention| &mention.word).collect()
}

/// The uses of a value whose layer has parameters, as uses of its field.
fn parameters(
    checked: &Checked,
    names: &Names<'_>,
    index: usize,
    path: &[Segment],
) -> Option<TokenStream> {
    let uses = uses(checked, Defined::Value(index));
    if uses.is_empty() {
        return None;
    }
    let (_, around) = path.split_last()?;
    let around = fields::access(around);
    let (declared, used) = (names.numbers.generics.declared(), names.numbers.generics.used());
    let all = &names.parameters;
    Some(quote_spanned! {site()=>
        const _: () = {
            fn __uses #declared(all: &#all #used) {
                #(let _ = &all #around.#uses;)*
            }
        };
    })
}

/// A value whose layer has no parameters as a field, with its uses.
fn value(
    checked: &Checked,
    plan: &Plan,
    names: &Names<'_>,
    index: usize,
    node: &Node,
) -> Option<TokenStream> {
    node.layer.filter(|layer| !layer.has_parameters())?;
    let dims = node.dims()?;
    let generics = &names.numbers.generics;
    if generics.are_none() && !dims.iter().all(Number::is_plain) {
        return None;
    }
    let (name, shape) = (node.written_name.as_ref()?, names.numbers.array(&dims)?);
    let (declared, used) = (generics.declared(), generics.used());
    // A name that is a mistake can be none of a field.
    syn::parse2::<Ident>(name.to_token_stream()).ok()?;
    let docs = docs::field(checked, plan, index);
    let uses = uses(checked, Defined::Value(index));
    let uses = (!uses.is_empty()).then(|| {
        quote_spanned! {site()=>
            fn __uses #declared(value: &__Value #used) {
                #(let _ = &value.#uses;)*
            }
        }
    });
    Some(quote_spanned! {site()=>
        const _: () = {
            struct __Value #declared { #(#[doc = #docs])* #name: #shape }
            #uses
        };
    })
}

/// What a layer does here, shown at its keyword.
fn keyword(checked: &Checked, plan: &Plan, index: usize, node: &Node) -> Option<TokenStream> {
    let keyword = node.keyword.as_ref().filter(|_| node.dims().is_some())?;
    syn::parse2::<Ident>(keyword.to_token_stream()).ok()?;
    let docs = docs::field(checked, plan, index);
    Some(quote_spanned! {site()=>
        const _: () = {
            #(#[doc = #docs])*
            mod #keyword {}
        };
    })
}

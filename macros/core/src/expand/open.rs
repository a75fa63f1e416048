//! What a mistake leaves open. The compiler takes any use of an erroneous type for right, so a program
//! around a declaration with a mistake shows no errors that follow from that one.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use typenet_shape::MAX_HEADS;

use super::{Names, generated, site};
use crate::Mistake;
use crate::check::Checked;

/// The type that fits any use.
pub(super) struct Open {
    name: Ident,
}

impl Open {
    pub(super) fn new(net: &Ident) -> Open {
        Open { name: format_ident!("__open_{net}", span = site()) }
    }

    /// The type.
    pub(super) fn kind(&self) -> TokenStream {
        let name = &self.name;
        quote_spanned!(site()=> #name::Open)
    }
}

/// The type that fits any use: that of an array whose length is the first mistake, which the compiler
/// reports as it reports any, and takes what follows from it for said. And the names of the structs of
/// inputs and heads that are not declared for sure, as other names for it: what else has such a name
/// goes before these.
pub(super) fn items(checked: &Checked, names: &Names<'_>, mistakes: &[Mistake]) -> TokenStream {
    let Some(mistake) = mistakes.first().map(Mistake::to_compile_error) else {
        return TokenStream::new();
    };
    let [inputs, heads] = declared(checked);
    let generics = names.numbers.generics.declared();
    let of_sizes = |name| quote_spanned!(site()=> pub type #name #generics = Open;);
    let types: Vec<Ident> =
        (0..MAX_HEADS).map(|at| format_ident!("T{at}", span = site())).collect();
    let of_heads = |name| {
        // Each of them must be used.
        quote_spanned! {site()=>
            pub type #name<#(#types = ()),*> =
                <Open as ::core::ops::Add<(#(#types,)*)>>::Output;
        }
    };
    let all = [
        (!inputs).then(|| of_sizes(&names.input)),
        (!heads).then(|| of_sizes(&names.output)),
        (!heads).then(|| of_heads(&names.loss)),
        (!heads).then(|| of_heads(&names.target)),
    ];
    let all = all.iter().flatten();
    let (name, cfg) = (&names.numbers.open.name, &checked.attributes.cfg);
    let visibility = generated(checked.visibility.0.to_token_stream());
    quote_spanned! {site()=>
        #[doc(hidden)]
        #[allow(dead_code, missing_docs, non_snake_case, unreachable_pub)]
        mod #name {
            pub type Open = <[(); #mistake] as ::core::iter::IntoIterator>::Item;
            #(#all)*
        }

        #(#cfg)*
        #[allow(unused_imports, hidden_glob_reexports, unreachable_pub)]
        #visibility use #name::*;
    }
}

/// Whether the structs of the inputs and of the heads are declared.
pub(super) fn declared(checked: &Checked) -> [bool; 2] {
    let [inputs, heads] = checked.open_names;
    [!checked.inputs.is_empty() && !inputs, !checked.heads.is_empty() && !heads]
}

//! Completion in editors: items that use each word of a declaration once more, as one of the words that may
//! stand at its place. The compiler leaves these items out.
//!
//! It works on tokens alone and reports no mistakes, because the declaration is half typed. An editor expands
//! the macro twice: as it is, and with a word of its own at the cursor. It looks where that word arrives and
//! offers what would be valid there. It takes the surroundings from the first expansion, at the same distance
//! from its start. So nothing that depends on a word stands before its use, and where no word is yet but could
//! be, a placeholder stands.

mod scan;

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};

use crate::layers::{self, FLOW, STRUCTURES};
use scan::{Named, Place, Scan, Word};

/// Uses of the declaration's words for editors; they stand before all other items, since an editor takes
/// the first place where its word arrives.
pub(crate) fn completions(input: TokenStream) -> TokenStream {
    let site = Span::mixed_site();
    let scan = Scan::of(input);
    let placeholder = Ident::new("__", site);
    let uses = |of_program: bool| {
        let words = scan.words.iter().filter(move |word| word.place.is_of_program() == of_program);
        words.map(|word| scan.usage(word, &placeholder))
    };
    let (of_program, of_declaration) = (uses(true), uses(false));
    let modules = modules(&scan);
    for_editors_alone(quote_spanned! {site=>
        const _: () = { #(#of_program)* };
        const _: () = {
            #(#of_declaration)*
            mod __words { #modules }
        };
    })
}

/// Items that the compiler leaves out. It warns of a condition that it does not know, unless an item around it
/// allows that.
pub(crate) fn for_editors_alone(items: TokenStream) -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        #[allow(unexpected_cfgs, unused, non_camel_case_types)]
        const _: () = {
            #[cfg(rust_analyzer)]
            const _: () = { #items };
        };
    }
}

impl Scan {
    fn usage(&self, Word { word, place }: &Word, placeholder: &Ident) -> TokenStream {
        let site = Span::mixed_site();
        // What is used elsewhere is not looked up here too, and Rust's own words stand for nothing.
        let stands = |word: &&Ident| !is_keyword(word) && !self.is_known(word, place);
        let word = word.as_ref().filter(stands).unwrap_or(placeholder);
        let module = match place {
            Place::Path(path) if syn::parse2::<syn::ExprPath>(path.clone()).is_err() => {
                return TokenStream::new();
            }
            Place::Path(path) => return quote_spanned!(site=> let _ = #path;),
            Place::Flag => return quote_spanned!(site=> let _: bool = #word;),
            Place::Dimension => {
                return quote_spanned!(site=> let _ = ::typenet::layers::arguments::dimensions::#word;);
            }
            Place::Layer => Ident::new("layers", site),
            Place::Number => Ident::new("numbers", site),
            Place::Argument { keyword } => arguments_module(keyword),
            Place::Word { keyword, argument } => words_module(keyword, argument),
            Place::Value { last } => values_module(*last),
        };
        quote_spanned!(site=> let _ = __words::#module::#word;)
    }

    /// Whether a word is the whole name of what it stands for, and no argument's.
    fn is_known(&self, word: &Ident, place: &Place) -> bool {
        let text = word.to_string();
        let is = |all: &[Named]| all.iter().any(|one| one.name == text);
        let among = |words: &[&str]| words.contains(&text.as_str());
        match place {
            Place::Layer => {
                layers::find(&text).is_some()
                    || among(FLOW)
                    || among(STRUCTURES)
                    || is(&self.blocks)
            }
            Place::Value { last } => self.values_to(*last).any(|one| one.named.name == text),
            Place::Number | Place::Argument { .. } | Place::Word { .. } => is(&self.numbers),
            Place::Path(_) | Place::Flag | Place::Dimension => false,
        }
    }
}

fn is_keyword(word: &Ident) -> bool {
    syn::parse2::<Ident>(word.to_token_stream()).is_err()
}

/// A module for each kind of place, with the words that may stand there.
fn modules(scan: &Scan) -> TokenStream {
    let site = Span::mixed_site();
    let blocks = scan.blocks.iter().map(Named::item);
    let numbers = scan.numbers.iter().map(Named::item);
    let are_joined = scan.words.iter().any(|word| matches!(word.place, Place::Value { .. }));
    let all_values = if are_joined { scan.values.as_slice() } else { &[] };
    // Each value's module has that value and those before it.
    let values = all_values.iter().enumerate().map(|(index, value)| {
        let (module, before) = (values_module(index + 1), values_module(value.before));
        let item = value.named.item();
        quote_spanned!(site=> pub mod #module { #item pub use super::#before::*; })
    });
    let no_values = values_module(0);
    let mut keywords = BTreeSet::new();
    let mut words = BTreeSet::new();
    for word in &scan.words {
        match &word.place {
            Place::Argument { keyword } => drop(keywords.insert(*keyword)),
            Place::Word { keyword, argument } => drop(words.insert((*keyword, *argument))),
            _ => {}
        }
    }
    let arguments = keywords.into_iter().map(|keyword| {
        let (module, layer) = (arguments_module(keyword), Ident::new(keyword, site));
        quote_spanned! {site=>
            pub mod #module {
                pub use super::numbers::*;
                pub use ::typenet::layers::arguments::#layer::*;
            }
        }
    });
    let words = words.into_iter().map(|(keyword, argument)| {
        let module = words_module(keyword, argument);
        let [layer, argument] = [keyword, argument].map(|word| Ident::new(word, site));
        quote_spanned! {site=>
            pub mod #module {
                pub use super::numbers::*;
                pub use ::typenet::layers::arguments::words::#layer::#argument::*;
            }
        }
    });
    quote_spanned! {site=>
        pub mod layers { #(#blocks)* pub use ::typenet::layers::*; }
        pub mod numbers { #(#numbers)* }
        pub mod #no_values {}
        #(#values)*
        #(#arguments)*
        #(#words)*
    }
}

/// The module with so many values.
fn values_module(count: usize) -> Ident {
    format_ident!("values_{count}", span = Span::mixed_site())
}

fn arguments_module(keyword: &str) -> Ident {
    format_ident!("arguments_of_{keyword}", span = Span::mixed_site())
}

fn words_module(keyword: &str, argument: &str) -> Ident {
    format_ident!("{argument}_of_{keyword}", span = Span::mixed_site())
}

impl Named {
    /// An item with that name, unless no item can have it.
    fn item(&self) -> Option<TokenStream> {
        let mut name = syn::parse_str::<Ident>(&self.name).ok()?;
        name.set_span(Span::mixed_site());
        let text = &self.text;
        Some(quote_spanned!(Span::mixed_site()=> #[doc = #text] pub struct #name;))
    }
}

//! The `network!` macro as a plain library that tests can call in process.
//!
//! Four stages, each with a typed result and none reaching into another: [`parse`] (tokens to what the user
//! wrote), [`check`] (names, arguments and shapes; every mistake is found here or before), [`plan`] (which
//! kernel calls in which order) and [`expand`] (tokens).
//!
//! Beside them, `editor` gives editors what they complete, from tokens alone. [`weights`] reads the weight file
//! of a net that has one; an error in the file is no mistake in the declaration. [`layers`] and [`schemes`] are
//! the tables of layer kinds and initial schemes that `check` reads; `foreign` knows what other libraries
//! write.
#![forbid(unsafe_code)]

pub mod check;
mod editor;
pub mod expand;
pub mod foreign;
pub mod layers;
pub mod length;
mod mistake;
pub mod number;
mod own;
pub mod parse;
pub mod plan;
pub mod schemes;
mod tokens;
pub mod weights;

pub use mistake::Mistake;
pub use own::layer;
use proc_macro2::TokenStream;

/// Expands one declaration. The result holds one `compile_error!` for each mistake, and even then every item
/// that the rest of the program may use.
pub fn network(input: TokenStream) -> TokenStream {
    let mut items = editor::completions(input.clone());
    items.extend(declared(input));
    items
}

fn declared(input: TokenStream) -> TokenStream {
    let (declaration, mut mistakes) = parse::parse(input);
    let Some(declaration) = declaration else {
        return mistakes.iter().map(Mistake::to_compile_error).collect();
    };
    let (checked, more) = check::check(&declaration);
    mistakes.extend(more);
    // A plan may need numbers that no machine holds; the checks have refused those.
    let plan = if mistakes.is_empty() { plan::plan(&checked) } else { plan::Plan::default() };
    let file =
        checked.attributes.weights.as_ref().map(|attribute| match checked.generics.as_slice() {
            [] => weights::read(attribute),
            _ => Err(weights::of_generic_net(attribute, &checked.name)),
        });
    expand::expand(&checked, &plan, &mistakes, file)
}

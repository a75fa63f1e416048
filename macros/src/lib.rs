//! The proc-macro shell of typenet: everything happens in `typenet-macros-core`. Depend on the
//! crate `typenet`, which re-exports the macro.
#![forbid(unsafe_code)]

use proc_macro::TokenStream;

/// Declares a net and turns it into a type.
///
/// ```ignore
/// network! {
///     /// What the net is for.
///     pub struct Name: [channels, height, width] -> [classes] {
///         conv1: conv2d(16, kernel = 3, padding = 1), relu,
///         max_pool2d(2),
///         flatten,
///         linear(10),
///     }
/// }
/// ```
///
/// The header gives the input's and the output's shape; each layer reads the one before it, and the
/// last must arrive at the output's shape. A layer is `[name:] kind[(arguments)]`; arguments are
/// positional or `key = value`, pairs `(height, width)` stand wherever height and width may differ.
/// The kinds and their arguments are in `typenet::layers`.
///
/// The macro writes
///
/// - the struct `Name` with `typenet::Network` (seeded, forward, backward, predict, save, …), and
///   through `Deref` a field for each layer with parameters: `net.conv1.weight`, `net.linear_1.bias`;
/// - `NameParameters`, the struct of those fields, and `NameGradients`, another name for it;
/// - `Clone`, `Debug` (the table of layers) and `PartialEq`.
#[proc_macro]
pub fn network(input: TokenStream) -> TokenStream {
    typenet_macros_core::network(input.into()).into()
}

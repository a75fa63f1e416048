//! Operations as expressions.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote_spanned;

use super::numbers::Numbers;
use super::site;
use crate::check::{Node, Setting};
use crate::layers::{Argument, Given, Kind};
use crate::number::Number;

impl Numbers<'_> {
    /// What a node does, or `None` where that is not known.
    pub(super) fn op(&self, node: &Node) -> Option<TokenStream> {
        node.op?;
        let Some(layer) = node.layer else {
            return node.dims().map(|dims| self.input(&dims));
        };
        let variant = variant(layer.keyword);
        let fields: Vec<TokenStream> = layer
            .arguments
            .iter()
            .zip(&node.settings)
            .map(|(argument, setting)| {
                let (name, value) =
                    (Ident::new(argument.name, site()), self.value(argument, setting));
                quote_spanned!(site()=> #name: #value)
            })
            .collect();
        Some(match fields.as_slice() {
            [] => quote_spanned!(site()=> __rt::Op::#variant),
            fields => quote_spanned!(site()=> __rt::Op::#variant { #(#fields),* }),
        })
    }

    /// The input of this shape.
    pub(super) fn input(&self, dims: &[Number]) -> TokenStream {
        let shape = self.shape(dims);
        quote_spanned!(site()=> __rt::Op::Input { shape: #shape })
    }

    fn value(&self, argument: &Argument, setting: &Setting) -> TokenStream {
        let numbers: Vec<TokenStream> =
            setting.numbers().iter().map(|number| self.expression(number)).collect();
        match (argument.kind, setting.given) {
            (Kind::Padding, Given::Word(_)) => quote_spanned!(site()=> __rt::Padding::Same),
            (Kind::Padding, _) => quote_spanned!(site()=> __rt::Padding::Zeros([#(#numbers),*])),
            (_, Given::Count(_)) => quote_spanned!(site()=> #(#numbers)*),
            (_, Given::Pair(_)) => quote_spanned!(site()=> [#(#numbers),*]),
            (_, Given::Shape(_)) => quote_spanned!(site()=> __rt::Shape::new(&[#(#numbers),*])),
            (_, Given::Flag(flag)) => quote_spanned!(site()=> #flag),
            (_, Given::Number(number)) => {
                let number = Literal::f32_unsuffixed(number);
                quote_spanned!(site()=> #number)
            }
            (_, Given::Word(word)) => {
                let word = variant(word);
                match argument.name {
                    "approximate" => quote_spanned!(site()=> __rt::Approximate::#word),
                    _ => quote_spanned!(site()=> __rt::Interpolation::#word),
                }
            }
        }
    }
}

/// `MaxPool2d` for `max_pool2d`.
fn variant(keyword: &str) -> Ident {
    let mut text = String::new();
    for word in keyword.split('_') {
        let mut letters = word.chars();
        text.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        text += letters.as_str();
    }
    Ident::new(&text, site())
}

//! Numbers, some of which the compiler alone knows, as expressions; and shapes as types.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use typenet_shape::Op;

use super::generics::{Generics, joined};
use super::open::Open;
use super::site;
use crate::check::{Checked, Node, last_word};
use crate::length::Length;
use crate::number::{Atom, Number};

/// How numbers are written in the items of a net.
pub(super) struct Numbers<'a> {
    pub(super) checked: &'a Checked,
    pub(super) generics: Generics,
    pub(super) open: Open,
    /// The constant that holds the value of each path; the generics by their own names.
    symbols: Vec<Ident>,
    /// The index of each node's first tensor.
    tensors: Vec<usize>,
}

impl<'a> Numbers<'a> {
    pub(super) fn new(checked: &'a Checked) -> Numbers<'a> {
        let mut symbols: Vec<Ident> = Vec::new();
        for symbol in &checked.symbols {
            let word = last_word(&symbol.path).map(|word| word.to_string()).unwrap_or_default();
            if symbol.is_generic {
                symbols.push(format_ident!("{word}", span = site()));
                continue;
            }
            let base = format!("__{}_{word}", checked.name);
            let numbered = (2..).map(|number| format!("{base}_{number}"));
            let free = std::iter::once(base.clone())
                .chain(numbered)
                .find(|text| symbols.iter().all(|other| other != text));
            symbols.push(format_ident!("{}", free.unwrap_or(base), span = site()));
        }
        let mut count = 0;
        let tensors = checked.nodes.iter().map(|node| {
            let first = count;
            count += node.tensors.len();
            first
        });
        let tensors = tensors.collect();
        let (generics, open) = (Generics::new(checked), Open::new(&checked.name));
        Numbers { checked, generics, open, symbols, tensors }
    }

    /// The constants that hold the values of paths. Each path is written once, so that a mistake in
    /// it is reported once.
    pub(super) fn constants(&self) -> TokenStream {
        let (lints, cfg) = (&self.checked.attributes.lints, &self.checked.attributes.cfg);
        let one = quote_spanned!(site()=> 1);
        let symbols = self.checked.symbols.iter().zip(&self.symbols);
        let constants = symbols.filter(|(symbol, _)| !symbol.is_generic).map(|(symbol, name)| {
            let path = if symbol.is_wrong { &one } else { &symbol.path };
            quote_spanned! {site()=>
                #(#cfg)*
                #(#lints)*
                #[doc(hidden)]
                #[allow(non_upper_case_globals)]
                const #name: usize = #path;
            }
        });
        constants.collect()
    }

    /// A number as an expression, also of a constant or in a type.
    pub(super) fn expression(&self, number: &Number) -> TokenStream {
        if let Some(number) = number.known() {
            let number = Literal::usize_unsuffixed(number);
            return quote_spanned!(site()=> #number);
        }
        // The number without atoms stands last.
        let constant = number.terms().filter(|(_, atoms)| atoms.is_empty());
        let (added, taken): (Vec<_>, Vec<_>) = number
            .terms()
            .filter(|(_, atoms)| !atoms.is_empty())
            .chain(constant)
            .partition(|(factor, _)| *factor > 0);
        let added = self.sum(&added);
        if taken.is_empty() {
            return added;
        }
        // A difference that is negative is reported by a check of its own.
        let taken = self.sum(&taken);
        quote_spanned!(site()=> ::typenet::__private::difference(#added, #taken))
    }

    fn sum(&self, terms: &[(i128, &[Atom])]) -> TokenStream {
        let terms = terms.iter().filter_map(|&(factor, atoms)| {
            let factor = usize::try_from(factor.unsigned_abs()).unwrap_or(usize::MAX);
            let factor = (factor != 1 || atoms.is_empty()).then(|| {
                let factor = Literal::usize_unsuffixed(factor);
                quote_spanned!(site()=> #factor)
            });
            let factors = factor.into_iter().chain(atoms.iter().map(|atom| self.atom(atom)));
            factors.reduce(|all, one| quote_spanned!(site()=> #all * #one))
        });
        let terms: Vec<TokenStream> = terms.collect();
        match terms.as_slice() {
            [] => quote_spanned!(site()=> 0),
            terms => quote_spanned!(site()=> #(#terms)+*),
        }
    }

    fn atom(&self, atom: &Atom) -> TokenStream {
        match atom {
            Atom::Symbol(index, _) => {
                let symbol = self.symbols.get(*index).into_iter();
                quote_spanned!(site()=> #(#symbol)*)
            }
            // A constant may be 0, which is reported by a check of its own.
            Atom::Quotient(sides) if sides[1].known().is_some() => {
                let [number, by] = sides.each_ref().map(|side| self.expression(side));
                quote_spanned!(site()=> ((#number) / #by))
            }
            Atom::Quotient(sides) => {
                let [number, by] = sides.each_ref().map(|side| self.expression(side));
                quote_spanned!(site()=> ::typenet::__private::quotient(#number, #by))
            }
            Atom::Remainder(sides) => {
                let [number, by] = sides.each_ref().map(|side| self.expression(side));
                quote_spanned!(site()=> ::typenet::__private::remainder(#number, #by))
            }
            // No expression holds one: the compiler reads it from the graph.
            Atom::Unknown(_) => quote_spanned!(site()=> 1),
        }
    }

    /// `Shape::new(&[3, 32, 32])`
    pub(super) fn shape(&self, dims: &[Number]) -> TokenStream {
        let dims = dims.iter().map(|dim| self.expression(dim));
        quote_spanned!(site()=> __rt::Shape::new(&[#(#dims),*]))
    }

    /// `[[f32; 3]; 2]` for the shape `[2, 3]`, if stable Rust has such a type.
    pub(super) fn array(&self, dims: &[Number]) -> Option<TokenStream> {
        let number = quote_spanned!(site()=> f32);
        dims.iter()
            .rev()
            .try_fold(number, |inner, dim| Some(self.of_length(&self.length(dim)?, inner)))
    }

    /// The type of a node's tensor. Where no product of constants says a dimension, it is read from
    /// the graph; or else, after a mistake, it is open.
    pub(super) fn tensor(&self, node: usize, tensor: usize, sound: bool) -> TokenStream {
        let owner = &self.checked.nodes[node];
        let net = &self.checked.name;
        let (kind, shape) = owner.tensors[tensor];
        if owner.open.contains(&kind) {
            return self.open.kind();
        }
        let Some((_, dims)) = owner.symbolic_tensors.get(tensor) else {
            let dims = shape.dims().iter().map(|&dim| Number::from(dim));
            return self.numbers(Some(&dims.collect::<Vec<_>>()));
        };
        if dims.is_empty() {
            return self.array_of_any_rank(node, tensor, sound);
        }
        if !self.generics.are_none() {
            let dims = self.with_flattened(owner, dims);
            return self.numbers(Some(&dims));
        }
        if !sound && !dims.iter().all(Number::is_plain) {
            return self.open.kind();
        }
        let index = if self.has_parts() {
            let [node, tensor] = [node, tensor].map(Literal::usize_unsuffixed);
            quote_spanned!(site()=> #node, #tensor)
        } else {
            Literal::usize_unsuffixed(self.tensors[node] + tensor).to_token_stream()
        };
        let dims = dims.iter().enumerate().map(|(axis, dim)| {
            let axis = Literal::usize_unsuffixed(axis);
            match dim {
                dim if dim.is_plain() => self.expression(dim),
                _ => quote_spanned!(site()=> #net::__size(#index, #axis)),
            }
        });
        nested(dims.collect())
    }

    /// Arrays of these lengths; an open type where one is none or they are not known, after a mistake.
    pub(super) fn numbers(&self, dims: Option<&[Number]>) -> TokenStream {
        dims.and_then(|dims| self.array(dims)).unwrap_or_else(|| self.open.kind())
    }

    fn length(&self, number: &Number) -> Option<Length> {
        Length::of(number, self.checked.symbols.iter().filter(|one| one.is_generic).count())
    }

    fn of_length(&self, length: &Length, inner: TokenStream) -> TokenStream {
        match length {
            Length::Plain(number) => {
                let number = self.expression(number);
                quote_spanned!(site()=> [#inner; #number])
            }
            Length::Nested(lengths) => {
                lengths.iter().rev().fold(inner, |inner, one| self.of_length(one, inner))
            }
            Length::Joined(lengths) => {
                let parts = lengths.iter().map(|one| self.of_length(one, inner.clone()));
                parts.rev().reduce(|behind, part| joined(&part, &behind)).unwrap_or_default()
            }
        }
    }

    /// The dimensions of a linear layer's weight behind a `flatten`: those of the image that it
    /// flattens in place of their product.
    fn with_flattened(&self, node: &Node, dims: &[Number]) -> Vec<Number> {
        let image = || {
            let [out, features] = dims else { return None };
            let mut at = *node.inputs.first()?;
            loop {
                let before = self.checked.nodes.get(at)?;
                let input = *before.inputs.first()?;
                if matches!(before.op, Some(Op::Flatten)) {
                    let image = self.checked.nodes.get(input)?.dims()?;
                    return Some([vec![out.clone()], image].concat());
                }
                if matches!(before.op, Some(Op::Linear { .. }))
                    || before.dims()? != [features.clone()]
                {
                    return None;
                }
                at = input;
            }
        };
        let is_linear = matches!(node.op, Some(Op::Linear { .. }));
        let image = image().filter(|dims| is_linear && self.array(dims).is_some());
        image.unwrap_or_else(|| dims.to_vec())
    }
}

/// Arrays of arrays of these lengths, the first one outermost.
fn nested(lengths: Vec<TokenStream>) -> TokenStream {
    let number = quote_spanned!(site()=> f32);
    lengths
        .into_iter()
        .rev()
        .fold(number, |inner, length| quote_spanned!(site()=> [#inner; #length]))
}

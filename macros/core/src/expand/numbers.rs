//! Numbers, some of which the compiler alone knows, as expressions; and shapes as types.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};

use super::site;
use crate::check::{Checked, last_word};
use crate::number::{Atom, Number};

/// How numbers are written in the items of a net.
pub(super) struct Numbers<'a> {
    pub(super) checked: &'a Checked,
    /// The constant that holds the value of each path.
    symbols: Vec<Ident>,
    /// The index of each node's first tensor.
    tensors: Vec<usize>,
}

impl<'a> Numbers<'a> {
    pub(super) fn new(checked: &'a Checked) -> Numbers<'a> {
        let mut symbols: Vec<Ident> = Vec::new();
        for symbol in &checked.symbols {
            let word = last_word(&symbol.path).map(|word| word.to_string()).unwrap_or_default();
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
        Numbers { checked, symbols, tensors }
    }

    /// The constants that hold the values of paths. Each path is written once, so that a mistake in
    /// it is reported once.
    pub(super) fn constants(&self) -> TokenStream {
        let (lints, cfg) = (&self.checked.attributes.lints, &self.checked.attributes.cfg);
        let one = quote_spanned!(site()=> 1);
        let constants = self.checked.symbols.iter().zip(&self.symbols).map(|(symbol, name)| {
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

    /// `[[f32; 3]; 2]` for the shape `[2, 3]`.
    pub(super) fn array(&self, dims: &[Number]) -> TokenStream {
        nested(dims.iter().map(|dim| self.expression(dim)).collect())
    }

    /// The type of a node's tensor. Where no product of constants says a dimension, it is read from
    /// the graph; or else, after a mistake, it is 1.
    pub(super) fn tensor(&self, node: usize, tensor: usize, sound: bool) -> TokenStream {
        let owner = &self.checked.nodes[node];
        let net = &self.checked.name;
        let Some((_, dims)) = owner.symbolic_tensors.get(tensor) else {
            let dims = owner.tensors[tensor].1.dims().iter().map(|&dim| Number::from(dim));
            return self.array(&dims.collect::<Vec<_>>());
        };
        if dims.is_empty() {
            return self.array_of_any_rank(node, tensor, sound);
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
                _ if sound => quote_spanned!(site()=> #net::__size(#index, #axis)),
                _ => quote_spanned!(site()=> 1),
            }
        });
        nested(dims.collect())
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

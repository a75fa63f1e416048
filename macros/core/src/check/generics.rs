//! The const generics of the struct: numbers that the compiler knows where the net is used, and what
//! stable Rust cannot do with them.

use proc_macro2::Ident;
use syn::ext::IdentExt;

use super::constants::Value;
use super::names::name_mistake;
use super::report::Spot;
use super::symbols::Symbol;
use super::{Checker, Known, Node};
use crate::Mistake;
use crate::length::{Length, has_generic};
use crate::number::{Atom, Number, shape_text};
use crate::parse::{Expression, Generic, GenericKind, Layer};
use quote::ToTokens;
use typenet_shape::Op;

/// Whether the numbers are the same or have a quotient or remainder in common.
fn shares_quotient(one: &Number, other: &Number) -> bool {
    let is_shared = |atom: &Atom| {
        matches!(atom, Atom::Quotient(_) | Atom::Remainder(_)) && other.has_atom(&|own| own == atom)
    };
    one == other || one.has_atom(&is_shared)
}

impl<'a> Checker<'a> {
    /// Makes the generics known. They are the first symbols.
    pub(super) fn generics(&mut self, written: &'a [Generic]) {
        for generic in written {
            let name = &generic.name;
            let text = name.unraw().to_string();
            let before = self.found;
            if let Some(mistake) = name_mistake(name, "a generic") {
                self.report(mistake);
            } else if self.generic(name).is_some() {
                let message = format!("`{text}` is already the name of a generic before it");
                self.report(Mistake::new(name.span(), message));
                self.open_generics = true;
                continue;
            } else if !text.contains(char::is_uppercase) && generic.kind == GenericKind::Size {
                let message = format!("`{text}`: the name of a generic is in upper case");
                let help = format!("`{}`", text.to_uppercase());
                self.report(Mistake::new(name.span(), message).help(help));
            }
            let value = if generic.kind != GenericKind::Size || self.found > before {
                self.forgiven.insert(text);
                self.open_generics = true;
                Value::Wrong
            } else {
                let index = self.symbols.len();
                let path = name.to_token_stream();
                let symbol = Symbol { path, text: text.clone(), is_generic: true, is_wrong: false };
                self.symbols.push(symbol);
                self.generics_known += 1;
                Number::from(Atom::Symbol(index, text)).into()
            };
            self.generics.push((generic, value));
        }
    }

    /// The value of a generic.
    pub(super) fn generic(&self, name: &Ident) -> Option<Value> {
        let own = self.generics.iter().find(|(one, _)| one.name == *name);
        own.map(|(_, value)| value.clone())
    }

    /// What is wrong with another thing's name, if a generic has it.
    pub(super) fn generic_taken(&self, name: &Ident) -> Option<Mistake> {
        self.generic(name)?;
        let message = format!("`{}` is already the name of a generic", name.unraw());
        Some(Mistake::new(name.span(), message).help("give one of them another name"))
    }

    /// Whether a generic has part in the number.
    pub(super) fn is_generic(&self, number: &Number) -> bool {
        has_generic(number, self.generics_known)
    }

    /// Refuses a dimension of the header that is no array's length.
    pub(super) fn header_length(&mut self, what: &str, number: &Number, written: &Expression) {
        if !self.is_generic(number) || number.symbol().is_some() {
            return;
        }
        let message = format!(
            "the {what} shape: `{written}` computes with a generic, and stable Rust has no array of that length"
        );
        let help = match what {
            what if what.ends_with("output") => {
                "write a generic of its own: whether the layers arrive at it is checked where the net is used"
            }
            _ => "write a generic of its own, and compute the others from it in the layers",
        };
        self.report(Mistake::new(written.place, message).help(help));
    }

    /// Refuses parameters that no type of stable Rust could hold.
    pub(super) fn parameter_lengths(&mut self, node: &mut Node, written: &Layer) {
        let tensors = &node.symbolic_tensors;
        let wrong = tensors.iter().find_map(|(kind, dims)| {
            let wrong = dims.iter().find(|dim| {
                self.is_generic(dim) && Length::of(dim, self.generics_known).is_none()
            })?;
            Some((*kind, dims.clone(), wrong.clone()))
        });
        let Some((kind, dims, wrong)) = wrong else { return };
        // What follows from a length that was refused is no news.
        if node.symbolic_dims.first() == Some(&wrong) {
            node.value = Known::NOTHING;
        }
        let news = self.refused.iter().all(|other| !shares_quotient(other, &wrong));
        self.refused.push(wrong.clone());
        if !news {
            self.found += 1;
            return;
        }
        let what = format!(
            "the shape of its {} is {}, and stable Rust has arrays of products and sums of generics alone",
            kind.name(),
            shape_text(&dims)
        );
        let after_flatten = matches!(node.op, Some(Op::Linear { .. }))
            && matches!(
                self.path(self.current).into_iter().rev().find_map(|at| match self.nodes[at].op {
                    Some(op) if super::dims::keeps_shape(op) => None,
                    op => op,
                }),
                Some(Op::Flatten)
            );
        let help = if after_flatten {
            "let a generic of its own say how many: `reshape(FEATURES)` instead of `flatten`, which is checked where the net is used".to_string()
        } else {
            format!("let a generic of its own stand for `{wrong}`, and compute the others from it")
        };
        let place = Spot::at(written.keyword.span().into()).place;
        let mistake = self.blame(&node.name, place, &what).shapes(&self.shapes_so_far());
        self.report(mistake.help(help));
    }
}

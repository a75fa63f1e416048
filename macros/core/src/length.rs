//! Numbers as lengths of arrays in a struct with generics. Stable Rust takes a generic there, but no arithmetic
//! over one. So a product becomes nested arrays and a sum one array after another, with the same numbers at the
//! same places of memory.

use crate::number::{Atom, Number};

/// The most terms of a sum that stand behind one another.
const MOST_TERMS: usize = 8;

/// The type of an array of some length.
#[derive(Clone, PartialEq, Debug)]
pub enum Length {
    /// A number without generics, or one generic alone.
    Plain(Number),
    /// A product: nested arrays, the first one outermost.
    Nested(Vec<Length>),
    /// A sum: one array after another.
    Joined(Vec<Length>),
}

impl Length {
    /// The type of an array of this many items, if there is one. The first `generics` symbols are generics.
    pub fn of(number: &Number, generics: usize) -> Option<Length> {
        if !has_generic(number, generics) {
            let unknown = number.has_atom(&|atom| matches!(atom, Atom::Unknown(_)));
            return (!unknown).then(|| Length::Plain(number.clone()));
        }
        let mut terms = Vec::new();
        let mut rest = Number::default();
        for (factor, atoms) in number.terms() {
            if factor <= 0 {
                return None;
            }
            let of_generics = |atom: &&Atom| has_generic(&Number::from((*atom).clone()), generics);
            let (own, others): (Vec<&Atom>, Vec<&Atom>) = atoms.iter().partition(of_generics);
            let mut factor = Number::from(usize::try_from(factor).ok()?);
            for atom in others {
                factor = factor.multiply(&atom.clone().into())?;
            }
            if own.is_empty() {
                rest = rest.add(&factor)?;
                continue;
            }
            let mut product = Vec::new();
            if factor.known() != Some(1) {
                product.push(Length::of(&factor, generics)?);
            }
            for atom in own {
                let Atom::Symbol(..) = atom else { return None };
                product.push(Length::Plain(atom.clone().into()));
            }
            terms.push(one_or(product, Length::Nested)?);
        }
        if rest.known() != Some(0) {
            terms.push(Length::of(&rest, generics)?);
        }
        if terms.len() > MOST_TERMS {
            return None;
        }
        one_or(terms, Length::Joined)
    }
}

/// The only one, or all of them together.
fn one_or(mut lengths: Vec<Length>, all: fn(Vec<Length>) -> Length) -> Option<Length> {
    if lengths.len() > 1 { Some(all(lengths)) } else { lengths.pop() }
}

/// Whether the number depends on one of the first `generics` symbols.
pub fn has_generic(number: &Number, generics: usize) -> bool {
    number.has_atom(&|atom| matches!(atom, Atom::Symbol(index, _) if *index < generics))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn symbol(index: usize, text: &str) -> Number {
        Atom::Symbol(index, text.into()).into()
    }

    /// `[T; n]` as `n[T]`, and what stands behind it after a `+`.
    fn text(length: &Length, inner: &str) -> String {
        match length {
            Length::Plain(number) => format!("({number})[{inner}]"),
            Length::Nested(lengths) => {
                lengths.iter().rev().fold(inner.to_string(), |inner, one| text(one, &inner))
            }
            Length::Joined(lengths) => {
                lengths.iter().map(|one| text(one, inner)).collect::<Vec<_>>().join(" + ")
            }
        }
    }

    #[test]
    fn products_are_nested_and_sums_stand_behind_one_another() {
        let (a, b, path) = (symbol(0, "A"), symbol(1, "B"), symbol(2, "crate::K"));
        let four = Number::from(4);
        let cases = [
            (a.clone(), "(A)[x]"),
            (path.multiply(&four).unwrap(), "(4 * crate::K)[x]"),
            (a.multiply(&four).unwrap().multiply(&b).unwrap(), "(4)[(A)[(B)[x]]]"),
            (a.multiply(&path).unwrap(), "(crate::K)[(A)[x]]"),
            (a.add(&four).unwrap(), "(A)[x] + (4)[x]"),
            (
                a.multiply(&four).unwrap().add(&path).unwrap().add(&four).unwrap(),
                "(4)[(A)[x]] + (crate::K + 4)[x]",
            ),
        ];
        for (number, wanted) in cases {
            assert_eq!(text(&Length::of(&number, 2).unwrap(), "x"), wanted, "{number}");
        }
    }

    #[test]
    fn what_no_array_holds_is_none() {
        let (a, path) = (symbol(0, "A"), symbol(1, "crate::K"));
        let two = Number::from(2);
        let half = a.divide(&two).unwrap();
        for number in [
            half.clone(),
            half.multiply(&two).unwrap(),
            a.subtract(&two).unwrap(),
            a.add(&path).unwrap().subtract(&two).unwrap(),
            Atom::Unknown(1).into(),
            a.multiply(&Atom::Unknown(1).into()).unwrap(),
        ] {
            assert_eq!(Length::of(&number, 1), None, "{number}");
        }
        // Without a generic in it, any arithmetic may stand there.
        let half = path.divide(&two).unwrap();
        assert_eq!(Length::of(&half, 1), Some(Length::Plain(half)));
    }
}

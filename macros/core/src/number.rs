//! Whole numbers, some of which only the compiler knows: constants of the user's crate and const generics. A
//! [`Number`] is a polynomial over those, so that equal numbers compare equal and print well:
//! `2 * crate::WIDTH`.

use std::collections::BTreeMap;
use std::fmt;

/// A whole number: a polynomial over [`Atom`]s. The macro knows the value of one without atoms.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Number {
    /// The factor of each product of atoms, none of them 0. The product of none is 1.
    terms: BTreeMap<Vec<Atom>, i128>,
}

/// A variable of a [`Number`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Atom {
    /// A path to a constant, or a const generic: its index among the symbols of the declaration, and its text.
    Symbol(usize, String),
    /// A quotient, rounded down.
    Quotient(Box<[Number; 2]>),
    /// The remainder of a division.
    Remainder(Box<[Number; 2]>),
    /// A number that no expression here gives. No two are alike.
    Unknown(usize),
}

impl From<usize> for Number {
    fn from(number: usize) -> Number {
        let term = (number > 0).then_some((Vec::new(), number as i128));
        Number { terms: term.into_iter().collect() }
    }
}

impl From<Atom> for Number {
    fn from(atom: Atom) -> Number {
        Number { terms: [(vec![atom], 1)].into() }
    }
}

impl Number {
    /// Its value, if that is known here.
    pub fn known(&self) -> Option<usize> {
        let Some((atoms, &value)) = self.terms.first_key_value() else { return Some(0) };
        if atoms.is_empty() && self.terms.len() == 1 { usize::try_from(value).ok() } else { None }
    }

    /// The terms: factor and atoms.
    pub fn terms(&self) -> impl Iterator<Item = (i128, &[Atom])> {
        self.terms.iter().map(|(atoms, &factor)| (factor, atoms.as_slice()))
    }

    /// The index of the symbol that it is, if it is a single one.
    pub fn symbol(&self) -> Option<usize> {
        let mut terms = self.terms();
        match (terms.next(), terms.next()) {
            (Some((1, [Atom::Symbol(index, _)])), None) => Some(*index),
            _ => None,
        }
    }

    /// Whether it consists only of sums and products of symbols and numbers.
    pub fn is_plain(&self) -> bool {
        self.terms().all(|(factor, atoms)| {
            factor > 0 && atoms.iter().all(|atom| matches!(atom, Atom::Symbol(..)))
        })
    }

    /// Whether `is` holds for one of its atoms, also within quotients and remainders.
    pub fn has_atom(&self, is: &dyn Fn(&Atom) -> bool) -> bool {
        self.terms().flat_map(|(_, atoms)| atoms).any(|atom| match atom {
            Atom::Quotient(sides) | Atom::Remainder(sides) => {
                is(atom) || sides.iter().any(|side| side.has_atom(is))
            }
            Atom::Symbol(..) | Atom::Unknown(_) => is(atom),
        })
    }

    /// `self + factor · other`, unless a factor in it is too large.
    fn plus(&self, other: &Number, factor: i128) -> Option<Number> {
        let mut terms = self.terms.clone();
        for (atoms, &own) in &other.terms {
            let sum = terms.remove(atoms).unwrap_or(0).checked_add(own.checked_mul(factor)?)?;
            if sum != 0 {
                terms.insert(atoms.clone(), sum);
            }
        }
        Some(Number { terms })
    }

    /// The sum, unless it is too large.
    pub fn add(&self, other: &Number) -> Option<Number> {
        self.plus(other, 1)?.bounded()
    }

    /// The difference, unless it is too large or known to be negative.
    pub fn subtract(&self, other: &Number) -> Option<Number> {
        self.plus(other, -1)?.bounded()
    }

    /// The difference, even if it is known to be negative: for use as part of a sum.
    pub fn less(&self, other: &Number) -> Option<Number> {
        self.plus(other, -1)
    }

    /// The product, unless it is too large.
    pub fn multiply(&self, other: &Number) -> Option<Number> {
        let mut product = Number::default();
        for (left, &one) in &self.terms {
            for (right, &two) in &other.terms {
                let mut atoms = [left.as_slice(), right].concat();
                atoms.sort();
                let term = Number { terms: [(atoms, one.checked_mul(two)?)].into() };
                product = product.plus(&term, 1)?;
            }
        }
        product.bounded()
    }

    /// The quotient, rounded down, unless it is known that it divides by zero.
    pub fn divide(&self, by: &Number) -> Option<Number> {
        match (self.known(), by.known()) {
            (_, Some(0)) => return None,
            (Some(number), Some(by)) => return Some(Number::from(number / by)),
            (_, Some(1)) => return Some(self.clone()),
            (_, Some(by)) => {
                let by = by as i128;
                // All but the number without atoms go into the quotient without a rest.
                if self
                    .terms()
                    .all(|(factor, atoms)| atoms.is_empty() || factor.rem_euclid(by) == 0)
                {
                    let quotient = |(atoms, &factor): (&Vec<Atom>, &i128)| {
                        (atoms.clone(), factor.div_euclid(by))
                    };
                    let terms = self.terms.iter().map(quotient).filter(|&(_, factor)| factor != 0);
                    return Some(Number { terms: terms.collect() });
                }
            }
            _ => {
                if let Some(quotient) = self.exactly(by) {
                    return Some(quotient);
                }
            }
        }
        Some(Atom::Quotient(Box::new([self.clone(), by.clone()])).into())
    }

    /// The quotient by a product, if each term is a multiple of that.
    fn exactly(&self, by: &Number) -> Option<Number> {
        let mut factors = by.terms();
        let (Some((factor, atoms)), None) = (factors.next(), factors.next()) else { return None };
        let mut terms = BTreeMap::new();
        for (own, number) in &self.terms {
            let mut rest = own.clone();
            for atom in atoms {
                rest.remove(rest.iter().position(|one| one == atom)?);
            }
            if number.checked_rem(factor)? != 0 {
                return None;
            }
            terms.insert(rest, number.checked_div(factor)?);
        }
        Some(Number { terms })
    }

    /// The remainder, unless it is known that it divides by zero.
    pub fn remainder(&self, by: &Number) -> Option<Number> {
        match (self.known(), by.known()) {
            (_, Some(0)) => None,
            (Some(number), Some(by)) => Some(Number::from(number % by)),
            _ => Some(Atom::Remainder(Box::new([self.clone(), by.clone()])).into()),
        }
    }

    /// This number, unless it is known and no `usize`, or of more terms than anyone writes.
    fn bounded(self) -> Option<Number> {
        let constant = self.terms.len() <= 1 && self.terms.keys().all(Vec::is_empty);
        let many = self.terms.len() > 64 || self.terms.keys().any(|atoms| atoms.len() > 16);
        (!many && (!constant || self.known().is_some())).then_some(self)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(number) = self.known() {
            return write!(f, "{number}");
        }
        // What is added stands first, and the number without atoms last.
        let constant = self.terms().filter(|(_, atoms)| atoms.is_empty());
        let (added, taken): (Vec<_>, Vec<_>) = self
            .terms()
            .filter(|(_, atoms)| !atoms.is_empty())
            .chain(constant)
            .partition(|(factor, _)| *factor > 0);
        for (i, (factor, atoms)) in added.into_iter().chain(taken).enumerate() {
            match (i, factor < 0) {
                (0, false) => {}
                (0, true) => f.write_str("-")?,
                (_, false) => f.write_str(" + ")?,
                (_, true) => f.write_str(" - ")?,
            }
            let factor = factor.unsigned_abs();
            if factor != 1 || atoms.is_empty() {
                write!(f, "{factor}")?;
            }
            for (j, atom) in atoms.iter().enumerate() {
                if j > 0 || factor != 1 {
                    f.write_str(" * ")?;
                }
                let alone = atoms.len() == 1 && factor == 1;
                match atom {
                    Atom::Symbol(..) | Atom::Unknown(_) => write!(f, "{atom}")?,
                    _ if alone => write!(f, "{atom}")?,
                    _ => write!(f, "({atom})")?,
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sides, sign) = match self {
            Atom::Symbol(_, text) => return f.write_str(text),
            Atom::Unknown(_) => return f.write_str("?"),
            Atom::Quotient(sides) => (sides, '/'),
            Atom::Remainder(sides) => (sides, '%'),
        };
        for (i, side) in sides.iter().enumerate() {
            if i > 0 {
                write!(f, " {sign} ")?;
            }
            let simple = side.known().is_some() || side.symbol().is_some();
            if simple { write!(f, "{side}")? } else { write!(f, "({side})")? }
        }
        Ok(())
    }
}

/// A shape as users write it: `[crate::WIDTH, 28, 28]`.
pub fn shape_text(dims: &[Number]) -> String {
    let texts: Vec<String> = dims.iter().map(Number::to_string).collect();
    format!("[{}]", texts.join(", "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn symbol(index: usize, text: &str) -> Number {
        Atom::Symbol(index, text.into()).into()
    }

    #[test]
    fn sums_and_products_read_well_and_equal_ones_are_equal() {
        let (a, b) = (symbol(0, "crate::A"), symbol(1, "B"));
        let two = Number::from(2);
        let twice = a.multiply(&two).unwrap();
        assert_eq!(twice, a.add(&a).unwrap());
        assert_eq!(twice.to_string(), "2 * crate::A");
        assert_eq!(twice.subtract(&a).unwrap().symbol(), Some(0));
        assert_eq!(twice.subtract(&twice).unwrap().known(), Some(0));
        let sum = a.add(&two).unwrap();
        let product = sum.multiply(&b).unwrap().subtract(&Number::from(3)).unwrap();
        assert_eq!(product.to_string(), "crate::A * B + 2 * B - 3");
        assert!(sum.is_plain() && !product.is_plain());
        assert_eq!(two.multiply(&two).unwrap().known(), Some(4));
    }

    #[test]
    fn quotients_are_taken_as_far_as_they_are_known() {
        let a = symbol(0, "A");
        let two = Number::from(2);
        let twice = a.multiply(&two).unwrap();
        let three = twice.add(&Number::from(3)).unwrap();
        assert_eq!(three.divide(&two).unwrap().to_string(), "A + 1");
        assert_eq!(
            twice.subtract(&Number::from(1)).unwrap().divide(&two).unwrap().to_string(),
            "A - 1"
        );
        let half = a.add(&Number::from(1)).unwrap().divide(&two).unwrap();
        assert_eq!(half.to_string(), "(A + 1) / 2");
        assert_eq!(half.multiply(&a).unwrap().to_string(), "A * ((A + 1) / 2)");
        assert_eq!(two.divide(&a).unwrap().to_string(), "2 / A");
        assert_eq!(a.remainder(&two).unwrap().to_string(), "A % 2");
        assert_eq!(a.divide(&Number::from(0)), None);
        let product = twice.multiply(&half).unwrap();
        assert_eq!(product.divide(&a).unwrap().to_string(), "2 * ((A + 1) / 2)");
        assert_eq!(product.divide(&twice).unwrap(), half);
        assert_eq!(three.divide(&a).unwrap().to_string(), "(2 * A + 3) / A");
    }

    #[test]
    fn what_is_known_and_no_whole_number_is_none() {
        let number = Number::from(usize::MAX);
        assert_eq!(number.known(), Some(usize::MAX));
        assert_eq!(number.add(&Number::from(1)), None);
        assert_eq!(Number::from(1).subtract(&Number::from(2)), None);
        let a = symbol(0, "A");
        assert_eq!(Number::from(1).subtract(&a).unwrap().to_string(), "1 - A");
    }
}

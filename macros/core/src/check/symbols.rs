//! Numbers that only the compiler knows, and the rules that it checks for them.

use proc_macro2::{Ident, TokenStream};
use typenet_shape::{Argument, Join, Shortcut};

use super::Checker;
use super::report::Spot;
use crate::mistake::Place;
use crate::number::{Atom, Number};
use crate::parse::{Operator, path_text};

/// What a symbol of the declaration stands for.
#[derive(Clone, Debug)]
pub struct Symbol {
    /// The path as it was written first.
    pub path: TokenStream,
    /// The same without spaces.
    pub text: String,
    /// Whether it is a const generic of the struct rather than a path.
    pub is_generic: bool,
    /// Whether it stands where no whole number belongs; then that is reported, and not that it is none.
    pub is_wrong: bool,
}

/// A rule that the compiler checks, with the place to which its message belongs.
#[derive(Clone, Debug)]
pub struct Check {
    /// The tokens to point at.
    pub place: Place,
    /// A line that says where in a block it is, or an empty text.
    pub note: String,
    /// The rule.
    pub rule: Rule,
}

/// A rule that the compiler checks.
#[derive(Clone, Debug)]
pub enum Rule {
    /// An argument of a node is in its range.
    Range(usize, Argument),
    /// A node fits its input; else this argument is to blame.
    Fit(usize, Argument),
    /// A node fits its input; else none of these arguments is to blame.
    Layer(usize, Vec<Argument>),
    /// A net or a layer of the user's own fits its input.
    Part(usize),
    /// A layer of the user's own gets as many arguments as it takes.
    Arguments(usize),
    /// A net has one input and one output.
    Net(usize),
    /// A node's values go together; else it is the one of this index.
    Join(usize, usize, Words),
    /// A dimension of the input or the output is not zero.
    Dimension(String, Vec<Number>, usize),
    /// The input's or the output's shape is not too large.
    Header(String, Vec<Number>),
    /// The layers arrive at the declared shape.
    Output(usize, Vec<Number>),
    /// A difference is not negative.
    Difference(String, String, [Number; 2]),
    /// A division is not by zero.
    Divisor(String, String, [Number; 2], Operator),
}

/// [`Join`] with texts of its own.
#[derive(Clone, PartialEq, Debug)]
pub enum Words {
    /// As [`Join::Named`].
    Named(Vec<String>),
    /// As [`Join::Residual`].
    Residual(usize, Shortcut),
    /// As [`Join::Branches`].
    Branches(Vec<String>),
}

impl Words {
    /// Calls `with` with these words.
    pub fn borrowed<T>(&self, with: impl FnOnce(Join<'_>) -> T) -> T {
        fn texts(all: &[String]) -> Vec<&str> {
            all.iter().map(String::as_str).collect()
        }
        match self {
            Words::Named(names) => with(Join::Named(&texts(names))),
            Words::Branches(names) => with(Join::Branches(&texts(names))),
            Words::Residual(start, shortcut) => {
                with(Join::Residual { start: *start, shortcut: *shortcut })
            }
        }
    }
}

impl Checker<'_> {
    /// The number that a path stands for.
    pub(super) fn symbol(&mut self, path: &TokenStream) -> Number {
        let text = path_text(path);
        let known = self.symbols.iter().position(|symbol| symbol.text == text);
        let index = known.unwrap_or_else(|| {
            let (path, text) = (path.clone(), text.clone());
            self.symbols.push(Symbol { path, text, is_generic: false, is_wrong: false });
            self.symbols.len() - 1
        });
        Atom::Symbol(index, text).into()
    }

    /// Notes that the symbols in a number stand where no whole number belongs.
    pub(super) fn forgive_symbols(&mut self, number: &Number) {
        for atom in number.terms().flat_map(|(_, atoms)| atoms) {
            if let Atom::Symbol(index, _) = atom
                && let Some(symbol) = self.symbols.get_mut(*index)
            {
                symbol.is_wrong = true;
            }
        }
    }

    /// A number of which nothing is known.
    pub(super) fn unknown_number(&mut self) -> Number {
        self.unknown_numbers += 1;
        Atom::Unknown(self.unknown_numbers).into()
    }

    /// Leaves a rule to the compiler; its message belongs to `spot`.
    pub(super) fn leave(&mut self, spot: Spot, rule: Rule) {
        if self.muted > 0 {
            return;
        }
        // What no node has part in is the same each time that it is read.
        let key = match &rule {
            Rule::Range(_, argument) => Some(format!("{argument:?}")),
            Rule::Difference(_, text, _) | Rule::Divisor(_, text, ..) => Some(text.clone()),
            _ => None,
        };
        if let Some(key) = key {
            let said =
                (spot.place.start.start(), spot.inner.end.end(), format!("{key} {}", spot.note));
            if !self.said.insert(said) {
                return;
            }
        }
        self.checks.push(Check { place: spot.place, note: spot.note, rule });
    }
}

/// The name of the constant that holds a path's value: its last word.
pub fn last_word(path: &TokenStream) -> Option<Ident> {
    let mut last = None;
    for token in path.clone() {
        if let proc_macro2::TokenTree::Ident(word) = token {
            last = Some(word);
        }
    }
    last
}

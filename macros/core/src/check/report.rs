//! Where a mistake is shown, and which shapes led to it.

use proc_macro2::LineColumn;

use super::{Checker, Known};
use crate::Mistake;
use crate::mistake::Place;
use crate::number::shape_text;
use crate::parse::Expression;

/// Where a mistake is shown.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    /// The tokens to point at.
    pub(super) place: Place,
    /// The tokens that are wrong: others where those stand in a block.
    pub(super) inner: Place,
    /// A line that says where in the block they are.
    pub(super) note: String,
}

impl Spot {
    /// The tokens themselves.
    pub(super) fn at(place: Place) -> Spot {
        Spot { place, inner: place, note: String::new() }
    }
}

/// A reported mistake: its first and last place, and what is wrong.
pub(super) type Said = (LineColumn, LineColumn, String);

impl Checker<'_> {
    /// Reports a mistake, unless the same was said of the same place.
    pub(super) fn report(&mut self, mistake: Mistake) {
        self.found += 1;
        let Place { start, end } = mistake.place;
        if self.muted == 0 && self.said.insert((start.start(), end.end(), mistake.key.clone())) {
            self.mistakes.push(mistake);
        }
    }

    /// A mistake that depends on what a block was given: it is shown at the use, and says where in
    /// the block it is.
    pub(super) fn blame(&self, name: &str, place: Place, what: &str) -> Mistake {
        let Spot { place, note, .. } = self.spot(place);
        let mistake = Mistake::about(name, place, what);
        if note.is_empty() { mistake } else { mistake.note(&note) }
    }

    /// Where to show a mistake that depends on what a block was given.
    pub(super) fn spot(&self, inner: Place) -> Spot {
        let Some(outermost) = self.uses.first() else {
            return Spot::at(inner);
        };
        let mut at = inner;
        let mut note = String::new();
        for one in self.uses.iter().rev() {
            note += if note.is_empty() { "in " } else { ", in " };
            note += &format!("block `{}`", one.block.name);
            // Tokens that other macros wrote may have no line.
            let number = at.start.start().line;
            if number > 0 {
                note += &format!(", line {number}");
            }
            at = one.place;
        }
        Spot { place: outermost.place, inner, note }
    }

    /// Where to show a mistake in a value: at the use of the block where a parameter has part in it.
    pub(super) fn spot_of_value(&self, value: &Expression) -> Spot {
        if self.depends_on_use(value) { self.spot(value.place) } else { Spot::at(value.place) }
    }

    /// A mistake in a value: shown at the use of the block where a parameter has part in it.
    pub(super) fn about_value(&self, name: &str, value: &Expression, what: &str) -> Mistake {
        if self.depends_on_use(value) {
            self.blame(&self.full_name(name), value.place, what)
        } else {
            Mistake::about(name, value.place, what)
        }
    }

    /// The nodes from the input to this one, each reading the one before it first.
    pub(super) fn path(&self, to: usize) -> Vec<usize> {
        let mut path = vec![to];
        let mut at = to;
        while let Some(&from) = self.nodes.get(at).and_then(|node| node.inputs.first()) {
            path.push(from);
            at = from;
        }
        path.reverse();
        path
    }

    /// The last layers on the way to the current value that changed the shape, with their shapes.
    pub(super) fn shapes_so_far(&self) -> String {
        self.shapes_to(self.current)
    }

    pub(super) fn shapes_to(&self, node: usize) -> String {
        const MOST: usize = 6;
        let mut before = None;
        let mut texts = Vec::new();
        for node in self.path(node).into_iter().filter_map(|index| self.nodes.get(index)) {
            let text = match node.value {
                Known::Shape(shape) => Some(shape.to_string()),
                Known::Symbolic(_) => node.dims().map(|dims| shape_text(&dims)),
                _ => None,
            };
            match &text {
                Some(text) if before.as_ref() != Some(text) => {
                    texts.push(format!("{} {text}", node.name));
                }
                Some(_) => {}
                None => texts = vec!["…".into()],
            }
            before = text;
        }
        if texts.len() > MOST {
            let last = texts.split_off(texts.len() - (MOST - 1));
            texts = vec!["…".into()];
            texts.extend(last);
        }
        texts.join(" → ")
    }
}

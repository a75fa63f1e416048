//! Where a mistake is shown, and which shapes led to it.

use proc_macro2::LineColumn;

use super::{Checker, Known};
use crate::Mistake;
use crate::mistake::Place;
use crate::parse::Expression;

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
        let Some(outermost) = self.uses.first() else {
            return Mistake::about(name, place, what);
        };
        let mut mistake = Mistake::about(name, outermost.place, what);
        let mut inner = place;
        let mut line = String::new();
        for one in self.uses.iter().rev() {
            line += if line.is_empty() { "in " } else { ", in " };
            line += &format!("block `{}`", one.block.name);
            // Tokens that other macros wrote may have no line.
            let number = inner.start.start().line;
            if number > 0 {
                line += &format!(", line {number}");
            }
            inner = one.place;
        }
        mistake = mistake.note(&line);
        mistake
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
            match node.value {
                Known::Shape(shape) => {
                    if before != Some(shape) {
                        texts.push(format!("{} {shape}", node.name));
                        before = Some(shape);
                    }
                }
                _ => {
                    before = None;
                    texts = vec!["…".into()];
                }
            }
        }
        if texts.len() > MOST {
            let last = texts.split_off(texts.len() - (MOST - 1));
            texts = vec!["…".into()];
            texts.extend(last);
        }
        texts.join(" → ")
    }
}

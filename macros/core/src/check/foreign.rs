//! Layers in the words of other libraries: one mistake each, with the layer as it should be.

use proc_macro2::Ident;

use super::{Checker, Known};
use crate::Mistake;
use crate::foreign::{self, Correction, Input};
use crate::mistake::Place;
use crate::parse::Layer;

impl Checker<'_> {
    /// What to write in place of a layer in another library's words; `keyword` where its own word is
    /// a misspelt one.
    pub(super) fn correction(&self, written: &Layer, keyword: &str) -> Option<Correction> {
        let is_number = |word: &Ident| self.constant(word).is_some();
        let arguments: Option<Vec<foreign::Argument>> =
            written.arguments.iter().map(|argument| argument.elsewhere(&is_number)).collect();
        let word = written.keyword.to_string();
        let word = if foreign::is_elsewhere(&word) { word.as_str() } else { keyword };
        foreign::correct_word(word, &arguments?, self.known_input())
    }

    /// What is known of the value that the next layer reads.
    fn known_input(&self) -> Input {
        match self.value() {
            Known::Shape(shape) | Known::Assumed(shape) => Input {
                channels: shape.dims().first().copied(),
                size: match shape.dims() {
                    [_, height, width] => Some([*height, *width]),
                    _ => None,
                },
            },
            Known::Symbolic(outline) | Known::Outline(outline) => {
                Input { channels: outline.channels, size: None }
            }
        }
    }

    /// Reports a call in another library's words.
    pub(super) fn report_foreign(&mut self, name: &str, written: &Layer, correction: &Correction) {
        let places = |index: &usize| {
            let argument = written.arguments.get(*index)?;
            let start = argument.key.as_ref().map_or(argument.value.place.start, Ident::span);
            Some(Place { start, end: argument.value.place.end })
        };
        let (first, last) = (correction.foreign.iter().min(), correction.foreign.iter().max());
        let place = match (first.and_then(places), last.and_then(places)) {
            (Some(first), Some(last)) => Place { start: first.start, end: last.end },
            _ => written.keyword.span().into(),
        };
        // One name alone is wrong, not its value.
        let named = |index: &usize| written.arguments.get(*index)?.key.as_ref();
        let place = match first.filter(|_| first == last).and_then(named) {
            Some(key) => key.span().into(),
            None => place,
        };
        let what = correction.reasons.join("; ");
        let named = written.name.as_ref().map(Ident::to_string);
        let help = correction.help(named.as_deref().filter(|_| correction.name.is_some()));
        self.report(Mistake::about(name, place, what).help(help));
    }
}

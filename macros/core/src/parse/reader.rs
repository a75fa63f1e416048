//! What reads the entries between two braces, and what it has found.

use super::{Block, Constant, Tokens};
use crate::Mistake;
use crate::mistake::Place;

/// What has been read, wherever in the body it stood.
pub(super) struct Found<'m> {
    pub(super) mistakes: &'m mut Vec<Mistake>,
    pub(super) constants: Vec<Constant>,
    pub(super) blocks: Vec<Block>,
    pub(super) block_names: Vec<String>,
    /// How many braces are open.
    pub(super) depth: usize,
    /// The signs of other languages that something has been said of.
    pub(super) signs: Vec<&'static str>,
}

/// Reads the entries between two braces.
pub(super) struct Reader<'a, 'f, 'm> {
    pub(super) tokens: Tokens<'a>,
    pub(super) found: &'f mut Found<'m>,
}

impl<'a> Reader<'a, '_, '_> {
    pub(super) fn is_block(&self, name: &str) -> bool {
        self.found.block_names.iter().any(|block| block == name)
    }

    pub(super) fn report(&mut self, place: impl Into<Place>, message: impl Into<String>) {
        self.found.mistakes.push(Mistake::new(place, message));
    }

    pub(super) fn report_with(
        &mut self,
        place: impl Into<Place>,
        message: impl Into<String>,
        help: impl AsRef<str>,
    ) {
        self.found.mistakes.push(Mistake::new(place, message).help(help));
    }
}

//! The words that a declaration defines itself, and where it uses them: editors lead from one to the
//! other.

use proc_macro2::Ident;
use syn::ext::IdentExt;

use super::Checker;
use crate::number::Number;

/// A use of a word that the declaration defines.
#[derive(Clone, Debug)]
pub struct Mention {
    /// The word where it is used.
    pub word: Ident,
    /// The definition that it refers to.
    pub of: Defined,
}

/// What a declaration defines.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Defined {
    /// The constant of this index.
    Constant(usize),
    /// The block of this index.
    Block(usize),
    /// The value of this node, whose name is defined there.
    Value(usize),
}

/// A constant or a block where it is defined.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its name.
    pub name: Ident,
    /// Its head as it was written.
    pub head: String,
    /// Its documentation.
    pub docs: Vec<String>,
    /// A constant's value, if it is known here.
    pub value: Option<Number>,
}

impl Checker<'_> {
    /// Notes the use of a word, unless it stands in for another one or has been read before.
    pub(super) fn mention(&mut self, word: &Ident, of: Defined) {
        if self.muted == 0 && !self.again {
            self.mentions.push(Mention { word: word.clone(), of });
        }
    }

    /// Notes the use of a constant, if the word is one's and no parameter's.
    pub(super) fn mention_constant(&mut self, word: &Ident) {
        let parameters = self.uses.last().map(|one| one.values.as_slice()).unwrap_or_default();
        if parameters.iter().any(|(parameter, _)| *parameter == word) {
            return;
        }
        if let Some(index) = self.body.constants.iter().position(|one| one.name == *word) {
            self.mention(word, Defined::Constant(index));
        }
    }

    /// Notes the use of a value's name, if a layer has that name itself.
    pub(super) fn mention_value(&mut self, word: &Ident, node: usize) {
        let name = self.nodes.get(node).and_then(|node| node.written_name.as_ref());
        if name.is_some_and(|name| name.unraw() == word.unraw()) {
            self.mention(word, Defined::Value(node));
        }
    }

    /// The constants and the blocks, in their order.
    pub(super) fn definitions(&self) -> [Vec<Definition>; 2] {
        let constants = self.body.constants.iter().map(|constant| {
            let value = self.constant(&constant.name).and_then(|value| value.number());
            let (name, docs) = (constant.name.clone(), Vec::new());
            Definition { head: format!("const {name}"), name, docs, value }
        });
        let blocks = self.body.blocks.iter().map(|block| {
            let parameters = block.parameters.iter().map(|one| match &one.default {
                Some(default) => format!("{} = {default}", one.name),
                None => one.name.to_string(),
            });
            let parameters: Vec<String> = parameters.collect();
            let mut head = format!("block {}", block.name);
            if !parameters.is_empty() {
                head += &format!("({})", parameters.join(", "));
            }
            let (name, docs) = (block.name.clone(), block.docs.clone());
            Definition { name, head, docs, value: None }
        });
        [constants.collect(), blocks.collect()]
    }
}

//! The layers in a value of another language, in the order in which they run.

use proc_macro2::{Ident, TokenStream, TokenTree};

use super::calls::{self, Value, argument, value, word_of};
use super::expression::{path, pieces};
use super::reader::Reader;
use super::{Argument, Tokens, flat};
use crate::foreign;
use crate::layers::{self, FLOW, RESERVED, STRUCTURES};

/// How deep calls stand in calls at most: reading them takes the stack.
pub(super) const DEEPEST: usize = 16;

/// A layer in a line.
#[derive(Clone)]
pub(super) enum Step {
    /// A call of a layer.
    Call(Word),
    /// A net or a layer of the user's own.
    Path(TokenStream, Word),
    /// A layer that has been declared elsewhere.
    Reference,
}

/// A word with what stands in its parentheses.
#[derive(Clone)]
pub(super) struct Word {
    pub(super) word: Ident,
    pub(super) arguments: Vec<Argument>,
    pub(super) name: Option<String>,
}

impl Reader<'_, '_, '_> {
    /// Whether a word is one of the language, or a block.
    pub(super) fn is_word(&self, word: &Ident) -> bool {
        let text = word.to_string();
        let among = |words: &[&str]| words.contains(&text.as_str());
        layers::find(&text).is_some()
            || among(STRUCTURES)
            || among(FLOW)
            || among(RESERVED)
            || self.is_block(&text)
    }

    /// The layers of a value in the order in which they run.
    pub(super) fn steps(&self, value: &Value<'_>, depth: usize) -> Option<Vec<Step>> {
        let depth = depth.checked_sub(1)?;
        let mut steps = Vec::new();
        // What the call is given in parentheses of its own runs first.
        for group in value.groups.iter().skip(1) {
            steps.extend(self.data_steps(&flat(group.stream()), depth));
        }
        let last = *value.words.last()?;
        let text = last.to_string();
        let mut inner = value.groups.first().map(|group| flat(group.stream())).unwrap_or_default();
        if inner.is_empty() {
            inner = value.angles.to_vec();
        }
        let inner = calls::without_arrows(inner);
        let all = pieces(&inner);
        let first = value.words.first()?.to_string();
        if value.words.len() > 1 && (first == "self" || first == "this") && !self.is_word(last) {
            for piece in &all {
                steps.extend(self.data_steps(piece, depth));
            }
            steps.push(Step::Reference);
        } else if matches!(foreign::plain(&text).as_str(), "sequential" | "ordereddict") {
            let inside: Vec<&[TokenTree]> = all;
            for piece in inside {
                steps.extend(self.listed(piece, depth)?);
            }
        } else if foreign::plain(&text) == "activation"
            || foreign::keyword(&text).is_some()
            || self.is_word(last)
            || calls::join(&text).is_some()
        {
            let mut arguments = Vec::new();
            for (index, piece) in all.into_iter().enumerate() {
                let data = if index == 0 { self.data_steps(piece, depth) } else { Vec::new() };
                let is_call = !data.is_empty();
                steps.extend(data);
                if !is_call {
                    arguments.extend(argument(piece, last));
                }
            }
            if calls::join(&text).is_some() {
                // Keras's `Concatenate()([x, y])`.
                for group in value.groups.iter().skip(1) {
                    let inner = flat(group.stream());
                    arguments
                        .extend(pieces(&inner).into_iter().flat_map(|piece| argument(piece, last)));
                }
                arguments = calls::joined(arguments);
                // Keras's `model.add(layer)`.
                if arguments.is_empty() && !steps.is_empty() {
                    return Some(steps);
                }
            }
            arguments.extend(calls::settings(value));
            steps.push(Step::Call(Word { word: last.clone(), arguments, name: None }));
        } else {
            return None;
        }
        for (word, group) in &value.chain {
            let text = word.to_string();
            if foreign::keyword(&text).is_some() || self.is_word(word) {
                let inner = group.map(|group| flat(group.stream())).unwrap_or_default();
                let arguments = pieces(&inner).into_iter().flat_map(|piece| argument(piece, word));
                let arguments = arguments.collect();
                steps.push(Step::Call(Word { word: (*word).clone(), arguments, name: None }));
            }
        }
        Some(steps)
    }

    /// A net or a layer of the user's own, by its path.
    pub(super) fn path_step(&self, value: &Value<'_>, at: Tokens<'_>) -> Option<Step> {
        let word = *value.words.last()?;
        let is_type = word.to_string().starts_with(char::is_uppercase);
        if value.dotted || value.maker.is_some() || value.groups.len() > 1 || !is_type {
            return None;
        }
        let path = match path(&calls::path_tokens(value, at)) {
            Some(path) => path,
            None => TokenStream::from(TokenTree::Ident(word.clone())),
        };
        let inner = value.groups.first().map(|group| flat(group.stream())).unwrap_or_default();
        let arguments =
            pieces(&inner).into_iter().flat_map(|piece| argument(piece, word)).collect();
        let first = (*value.words.first()?).clone();
        Some(Step::Path(path, Word { word: first, arguments, name: None }))
    }

    /// The layers in a list: calls, lists, and pairs of a name and a call.
    pub(super) fn listed(&self, piece: &[TokenTree], depth: usize) -> Option<Vec<Step>> {
        let depth = depth.checked_sub(1)?;
        if let [TokenTree::Group(group)] = piece {
            let inner = flat(group.stream());
            let all = pieces(&inner);
            if let [[TokenTree::Literal(name)], call] = all.as_slice() {
                let mut steps = self.listed(call, depth)?;
                if let Some(Step::Call(word)) = steps.first_mut() {
                    word.name = word_of(name).map(|name| name.to_string());
                }
                return Some(steps);
            }
            let mut steps = Vec::new();
            for piece in all {
                steps.extend(self.listed(piece, depth)?);
            }
            return Some(steps);
        }
        let value = value(Tokens::new(piece))?;
        (value.length == piece.len()).then(|| self.steps(&value, depth)).flatten()
    }

    /// The layers in what a function is given; none where that is the value alone, or a number.
    pub(super) fn data_steps(&self, piece: &[TokenTree], depth: usize) -> Vec<Step> {
        let is_call = matches!(piece, [TokenTree::Ident(_), next, ..] if !matches!(next, TokenTree::Punct(sign) if sign.as_char() == '='));
        if !is_call {
            return Vec::new();
        }
        let Some(value) = value(Tokens::new(piece)) else { return Vec::new() };
        if value.length < piece.len() || value.groups.is_empty() {
            return Vec::new();
        }
        self.steps(&value, depth).unwrap_or_default()
    }
}

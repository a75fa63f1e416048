//! The layers between the braces.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenTree};

use super::arguments::arguments;
use super::attributes::Before;
use super::expression::{path, path_text};
use super::reader::{Found, Reader};
use super::{Argument, Body, Entry, Layer, Tokens};
use super::{flat, ident, punct, shown};
use crate::Mistake;
use crate::layers::{self, FLOW, RESERVED, STRUCTURES};
use crate::mistake::Place;

/// How deep braces nest at most: reading and checking them takes the stack.
const DEEPEST: usize = 32;

impl Body {
    /// What is known of a body that could not be read.
    pub(super) fn unknown() -> Body {
        Body { entries: vec![Entry::Gap], ..Body::default() }
    }
}

/// All that stands between the braces of a declaration.
pub(super) fn body(tokens: &[TokenTree], mistakes: &mut Vec<Mistake>) -> Body {
    let before = mistakes.len();
    let mut found = Found {
        mistakes,
        constants: Vec::new(),
        blocks: Vec::new(),
        block_names: block_names(tokens),
        depth: 0,
        signs: Vec::new(),
    };
    let entries = found.entries(tokens);
    let Found { constants, blocks, .. } = found;
    Body { constants, blocks, entries, complete: mistakes.len() == before }
}

/// The words that are likely names of blocks, before anything is read: a word before one of them is
/// a name that lacks its colon.
fn block_names(tokens: &[TokenTree]) -> Vec<String> {
    let named = |pair: &[TokenTree]| match pair {
        [TokenTree::Ident(word), TokenTree::Ident(name)] if word == "block" => {
            Some(name.to_string())
        }
        _ => None,
    };
    tokens.windows(2).filter_map(named).collect()
}

impl Found<'_> {
    /// All entries in order.
    pub(super) fn entries(&mut self, tokens: &[TokenTree]) -> Vec<Entry> {
        let mut reader = Reader { tokens: Tokens::new(tokens), found: self };
        let mut entries: Vec<Entry> = Vec::new();
        while let Some(token) = reader.tokens.peek() {
            if punct(Some(token), ',').is_some() {
                reader.tokens.next();
                reader.report(token.span(), "a layer is missing before this comma");
                continue;
            }
            if reader.comment() {
                continue;
            }
            let before = reader.before();
            if reader.item(&before, !entries.is_empty()) {
                continue;
            }
            if let Some(read) = reader.habit(&before) {
                entries.extend(read);
                continue;
            }
            let entry = reader.entry(before).unwrap_or(Entry::Gap);
            reader.separator(&entry);
            entries.push(entry);
        }
        entries
    }
}

impl<'a> Reader<'a, '_, '_> {
    /// The entries between these braces, unless they nest too deep.
    pub(super) fn inside(&mut self, group: &Group) -> Vec<Entry> {
        if self.found.depth >= DEEPEST {
            let message = format!("braces nest more than {DEEPEST} deep");
            self.report_with(group.span(), message, "give inner parts names with `block`");
            return vec![Entry::Gap];
        }
        self.found.depth += 1;
        let entries = self.found.entries(&flat(group.stream()));
        self.found.depth -= 1;
        entries
    }

    /// A layer or structure, or `None` after a mistake that leaves none.
    fn entry(&mut self, before: Before) -> Option<Entry> {
        if self.tokens.is_at(0, "::") {
            return self.part(before, None);
        }
        let Some(word) = self.tokens.peek_ident() else {
            let Some(token) = self.tokens.next() else {
                if let Some(place) = before.last {
                    self.report(place, "a layer is missing after this");
                }
                return None;
            };
            let message = format!("expected a layer, found `{}`", shown(token));
            self.report(token.span(), message);
            self.skip();
            return None;
        };
        let name = self.name(word);
        if self.tokens.is_at(0, "::") || self.tokens.is_at(1, "::") {
            return self.part(before, name);
        }
        let Some(keyword) = self.tokens.peek_ident() else {
            let message = format!("`{word}`: a layer is missing after the name");
            let help = format!("for example `{word}: conv2d(16, kernel = 3)`");
            self.report_with(word.span(), message, help);
            self.skip();
            return None;
        };
        self.tokens.next();
        if let Some(word) = self.structure_word(keyword) {
            return self.structure(before, name, keyword, word);
        }
        let arguments = self.arguments(keyword);
        let Before { docs, attributes, .. } = before;
        let keyword = keyword.clone();
        let corrected = false;
        Some(Entry::Layer(Layer {
            docs,
            attributes,
            name,
            keyword,
            path: None,
            arguments,
            corrected,
        }))
    }

    /// A net or a layer of the user's own, by its path.
    fn part(&mut self, before: Before, name: Option<Ident>) -> Option<Entry> {
        let all = self.tokens.rest;
        let mut words = Vec::new();
        while words.is_empty() || self.tokens.is_at(0, "::") {
            if self.tokens.is_at(0, "::") {
                self.tokens.next();
                self.tokens.next();
            }
            let Some(word) = self.tokens.peek_ident() else { break };
            self.tokens.next();
            words.push(word);
        }
        let tokens = &all[..all.len() - self.tokens.rest.len()];
        let (Some(first), Some(last), Some(path)) = (words.first(), words.last(), path(tokens))
        else {
            let place = Place::of(tokens, Span::call_site());
            self.report_with(
                place,
                "expected the path of a net or of a layer of your own",
                "for example `features: super::Backbone` or `twist: my::Swirl(3)`",
            );
            self.skip();
            return None;
        };
        let arguments = self.arguments(last);
        let Before { docs, attributes, .. } = before;
        let (keyword, path) = ((*first).clone(), Some(path));
        let corrected = false;
        Some(Entry::Layer(Layer { docs, attributes, name, keyword, path, arguments, corrected }))
    }

    /// The name before the keyword. Forgives a wrong or a missing colon after saying so.
    pub(super) fn name(&mut self, word: &'a Ident) -> Option<Ident> {
        // A name, its colon, and a path from the root of all crates.
        let rooted = self.tokens.is_at(1, ":::");
        let colon = self.tokens.is_at(1, ":") && (rooted || !self.tokens.is_at(1, "::"));
        if colon {
            self.tokens.next();
            self.tokens.next();
            return Some(word.clone());
        }
        let blocks = &self.found.block_names;
        let is_kind = |token: Option<&TokenTree>| {
            ident(token).map(ToString::to_string).is_some_and(|word| {
                let among = |words: &[&str]| words.contains(&word.as_str());
                layers::find(&word).is_some()
                    || among(STRUCTURES)
                    || among(FLOW)
                    || blocks.contains(&word)
            })
        };
        if self.tokens.is_at(1, "=") && ident(self.tokens.rest.get(2)).is_some() {
            let span = self.tokens.rest[1].span();
            self.report(span, format!("a colon stands after a layer's name: `{word}: …`"));
            self.tokens.next();
            self.tokens.next();
            return Some(word.clone());
        }
        let reserved = RESERVED.contains(&word.to_string().as_str());
        if !reserved && !is_kind(self.tokens.peek()) && is_kind(self.tokens.rest.get(1)) {
            let after = &self.tokens.rest[1];
            let message = format!("a colon is missing between `{word}` and `{after}`");
            let place = Place { start: word.span(), end: after.span() };
            self.report_with(place, message, format!("`{word}: {after}` gives the layer a name"));
            self.tokens.next();
            return Some(word.clone());
        }
        None
    }

    fn arguments(&mut self, keyword: &Ident) -> Vec<Argument> {
        if let Some(group) = self.tokens.group(Delimiter::Parenthesis) {
            return arguments(group, keyword, self.found.mistakes);
        }
        if let Some(token @ TokenTree::Group(group)) = self.tokens.peek() {
            self.tokens.next();
            let message = format!("the arguments of `{keyword}` stand in parentheses");
            self.report(token.span(), message);
            return arguments(group, keyword, self.found.mistakes);
        }
        Vec::new()
    }

    /// The comma after an entry, or what stands in its place.
    pub(super) fn separator(&mut self, before: &Entry) {
        let Some(token) = self.tokens.peek() else { return };
        if self.tokens.punct(',').is_some() || self.comment() {
            return;
        }
        let text = match before {
            Entry::Layer(layer) => layer.to_string(),
            Entry::Structure(structure) => format!("{} {{ … }}", structure.keyword),
            Entry::Gap => String::new(),
        };
        if self.sign().is_some() {
            return self.arrow(&text);
        }
        let keyword = match before {
            Entry::Layer(layer) => match &layer.path {
                Some(path) => path_text(path),
                None => layer.keyword.to_string(),
            },
            Entry::Structure(structure) if punct(Some(token), ';').is_some() => {
                structure.keyword.to_string()
            }
            // A comma may be left out after a brace.
            Entry::Structure(_) | Entry::Gap => return,
        };
        if self.tokens.punct(';').is_some() {
            self.once(";", |reader| {
                let message = "a comma stands between layers, not a semicolon";
                reader.report_with(token.span(), message, format!("write `{text}, …`"));
            });
        } else if ident(Some(token)).is_some() || punct(Some(token), '#').is_some() {
            let message = format!("a comma is missing between `{keyword}` and `{token}`");
            let message = match token {
                TokenTree::Ident(_) => message,
                _ => format!("a comma is missing after `{keyword}`"),
            };
            self.report(token.span(), message);
        } else {
            let message = format!("expected a comma after `{keyword}`, found `{}`", shown(token));
            self.report(token.span(), message);
            self.skip();
            self.tokens.punct(',');
        }
    }

    /// Goes on to the next comma or semicolon.
    pub(super) fn skip(&mut self) {
        while self.tokens.peek().is_some()
            && self.tokens.peek_punct(',').is_none()
            && self.tokens.punct(';').is_none()
        {
            self.tokens.next();
        }
    }
}

//! What stands before a layer or structure: documentation, and attributes such as `#[frozen]`.

use proc_macro2::{Delimiter, Group, Ident, TokenTree};

use super::arguments;
use super::expression::pieces;
use super::reader::Reader;
use super::{Argument, flat, punct, shown};
use crate::mistake::Place;

/// `#[init(normal(std = 0.1), bias = zeros)]` before a layer or structure.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// From `#` to `]`.
    pub place: Place,
    /// The word behind the opening bracket.
    pub word: Ident,
    /// The items in parentheses; `None` where there are no parentheses.
    pub items: Option<Vec<Item>>,
}

/// What stands between two commas of an attribute.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its tokens.
    pub place: Place,
    /// The name before the equals sign.
    pub key: Option<Ident>,
    /// The rest.
    pub content: Content,
}

/// The forms of an [`Item`].
#[derive(Clone, Debug)]
pub enum Content {
    /// `zeros`, `normal(std = 0.1)`
    Word(Ident, Vec<Argument>),
    /// `"features.0"`
    Text(String),
    /// Anything else, as text.
    Other(String),
}

/// All that stands before a layer, structure or item.
#[derive(Default)]
pub(super) struct Before {
    pub(super) docs: Vec<String>,
    pub(super) attributes: Vec<Attribute>,
    /// The last of its tokens.
    pub(super) last: Option<Place>,
}

impl Reader<'_, '_, '_> {
    /// Documentation and attributes.
    pub(super) fn before(&mut self) -> Before {
        let mut before = Before::default();
        while let Some(pound) = self.tokens.peek_punct('#') {
            self.tokens.next();
            let Some(group) = self.tokens.group(Delimiter::Bracket) else {
                self.report(pound.span(), "expected a layer, found `#`");
                continue;
            };
            let place = Place { start: pound.span(), end: group.span() };
            before.last = Some(place);
            let inner = flat(group.stream());
            match inner.as_slice() {
                [TokenTree::Ident(word), equals, value]
                    if word == "doc" && punct(Some(equals), '=').is_some() =>
                {
                    before.docs.extend(text(value));
                }
                inner => before.attributes.extend(self.attribute(inner, place)),
            }
        }
        before
    }

    fn attribute(&mut self, tokens: &[TokenTree], place: Place) -> Option<Attribute> {
        match tokens {
            [TokenTree::Ident(word)] => Some(Attribute { place, word: word.clone(), items: None }),
            [TokenTree::Ident(word), TokenTree::Group(group)]
                if group.delimiter() == Delimiter::Parenthesis =>
            {
                let items = Some(self.items(group, word));
                Some(Attribute { place, word: word.clone(), items })
            }
            [TokenTree::Ident(word), equals, value @ ..]
                if punct(Some(equals), '=').is_some() && !value.is_empty() =>
            {
                let text = value.iter().map(ToString::to_string).collect::<String>();
                let message = format!("`#[{word}]`: its values stand in parentheses");
                self.report_with(place, message, format!("write `#[{word}({text})]`"));
                let items = Some(self.item_of(value, word).into_iter().collect());
                Some(Attribute { place, word: word.clone(), items })
            }
            // The path of another tool's attribute.
            [TokenTree::Ident(word), colon, ..] if punct(Some(colon), ':').is_some() => {
                let path: String = tokens.iter().map(ToString::to_string).collect();
                let message = format!("`#[{path}]` cannot stand on a layer");
                self.report_with(word.span(), message, HELP);
                None
            }
            _ => {
                self.report_with(place, "this is no attribute of a layer", HELP);
                None
            }
        }
    }

    fn items(&mut self, group: &Group, word: &Ident) -> Vec<Item> {
        let inner = flat(group.stream());
        let mut items = Vec::new();
        for piece in pieces(&inner) {
            if piece.is_empty() {
                let message = format!("`#[{word}]`: a value is missing between two commas");
                self.report(group.span(), message);
            }
            items.extend(self.item_of(piece, word));
        }
        items
    }

    fn item_of(&mut self, tokens: &[TokenTree], attribute: &Ident) -> Option<Item> {
        let (key, value) = match tokens {
            [TokenTree::Ident(key), equals, value @ ..] if punct(Some(equals), '=').is_some() => {
                (Some(key.clone()), value)
            }
            value => (None, value),
        };
        let place = Place::of(tokens, attribute.span());
        let content = match value {
            [] => {
                if let Some(key) = key {
                    let message = format!("`#[{attribute}]`: the value of `{key}` is missing");
                    self.report(key.span(), message);
                }
                return None;
            }
            [TokenTree::Ident(word)] => Content::Word(word.clone(), Vec::new()),
            [TokenTree::Ident(word), TokenTree::Group(group)]
                if group.delimiter() == Delimiter::Parenthesis =>
            {
                let arguments = arguments::arguments(group, word, self.found.mistakes);
                Content::Word(word.clone(), arguments)
            }
            [value] => match text(value) {
                Some(text) => Content::Text(text),
                None => Content::Other(shown(value)),
            },
            value => Content::Other(value.iter().map(ToString::to_string).collect()),
        };
        Some(Item { place, key, content })
    }
}

/// What the attributes of a layer are, as a way out.
const HELP: &str =
    "a layer takes documentation, `#[init(…)]`, `#[frozen]`, `#[no_decay]` and `#[name(\"…\")]`";

/// The text of a literal, if it is one of text.
fn text(token: &TokenTree) -> Option<String> {
    let TokenTree::Literal(literal) = token else { return None };
    match syn::parse2(TokenTree::Literal(literal.clone()).into()) {
        Ok(syn::Lit::Str(text)) => Some(text.value()),
        _ => None,
    }
}

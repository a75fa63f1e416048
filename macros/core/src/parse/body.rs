//! The layers between the braces.

use proc_macro2::{Delimiter, Group, Ident, TokenTree};

use super::value::{first_value, pieces, value};
use super::{Argument, Entry, Layer, Tokens, Value, flat, ident, punct, shown};
use crate::Mistake;
use crate::layers;
use crate::mistake::Place;

/// All entries in order.
pub(super) fn entries(tokens: &[TokenTree], mistakes: &mut Vec<Mistake>) -> Vec<Entry> {
    let mut reader = Reader { tokens: Tokens::new(tokens), mistakes };
    let mut entries: Vec<Entry> = Vec::new();
    while let Some(token) = reader.tokens.peek() {
        if punct(Some(token), ',').is_some() {
            reader.tokens.next();
            reader.report(token.span(), "a layer is missing before this comma");
            continue;
        }
        let entry = reader.entry().unwrap_or(Entry::Gap);
        reader.separator(&entry);
        entries.push(entry);
    }
    entries
}

struct Reader<'a, 'm> {
    tokens: Tokens<'a>,
    mistakes: &'m mut Vec<Mistake>,
}

impl<'a> Reader<'a, '_> {
    fn report(&mut self, place: impl Into<Place>, message: impl Into<String>) {
        self.mistakes.push(Mistake::new(place, message));
    }

    /// A layer, or `None` after a mistake that leaves none.
    fn entry(&mut self) -> Option<Entry> {
        let docs = self.attributes();
        let Some(word) = self.tokens.peek_ident() else {
            let token = self.tokens.next()?;
            let message = format!("expected a layer, found `{}`", shown(token));
            self.report(token.span(), message);
            self.skip();
            return None;
        };
        let name = self.name(word);
        let Some(keyword) = self.tokens.peek_ident() else {
            let message = format!("`{word}`: a layer is missing after the name");
            let mistake = Mistake::new(word.span(), message);
            self.mistakes
                .push(mistake.help(format!("for example `{word}: conv2d(16, kernel = 3)`")));
            self.skip();
            return None;
        };
        self.tokens.next();
        let text = keyword.to_string();
        if self.tokens.is_at(0, "::") {
            self.mistakes.push(
                Mistake::new(
                    keyword.span(),
                    "other nets and layers of your own are not part of the language yet",
                )
                .help("write the layers out"),
            );
            self.skip();
            return None;
        }
        if layers::RESERVED.contains(&text.as_str()) {
            let message = format!("`{text}` is not part of the language yet");
            self.mistakes.push(
                Mistake::new(keyword.span(), message)
                    .help("a net is a chain: each layer reads the one before it"),
            );
            self.structure();
            return None;
        }
        let arguments = self.arguments(keyword);
        Some(Entry::Layer(Layer { docs, name, keyword: keyword.clone(), arguments }))
    }

    /// Documentation lines; other attributes are mistakes.
    fn attributes(&mut self) -> Vec<String> {
        let mut docs = Vec::new();
        while let Some(pound) = self.tokens.peek_punct('#') {
            self.tokens.next();
            let Some(group) = self.tokens.group(Delimiter::Bracket) else {
                self.report(pound.span(), "expected a layer, found `#`");
                continue;
            };
            let inner = flat(group.stream());
            match inner.as_slice() {
                [TokenTree::Ident(word), equals, TokenTree::Literal(text)]
                    if word == "doc" && punct(Some(equals), '=').is_some() =>
                {
                    if let Ok(syn::Lit::Str(text)) =
                        syn::parse2(TokenTree::Literal(text.clone()).into())
                    {
                        docs.push(text.value());
                    }
                }
                _ => {
                    let message = "attributes of a layer are not part of the language yet";
                    self.report(Place { start: pound.span(), end: group.span() }, message);
                }
            }
        }
        docs
    }

    /// The name before the keyword. Forgives a wrong or a missing colon after saying so.
    fn name(&mut self, word: &'a Ident) -> Option<Ident> {
        let colon = self.tokens.is_at(1, ":") && !self.tokens.is_at(1, "::");
        if colon {
            self.tokens.next();
            self.tokens.next();
            return Some(word.clone());
        }
        let is_kind = |token: Option<&TokenTree>| {
            ident(token).is_some_and(|word| layers::find(&word.to_string()).is_some())
        };
        if self.tokens.is_at(1, "=") && ident(self.tokens.rest.get(2)).is_some() {
            let span = self.tokens.rest[1].span();
            self.report(span, format!("a colon stands after a layer's name: `{word}: …`"));
            self.tokens.next();
            self.tokens.next();
            return Some(word.clone());
        }
        let reserved = layers::RESERVED.contains(&word.to_string().as_str());
        if !reserved && !is_kind(self.tokens.peek()) && is_kind(self.tokens.rest.get(1)) {
            let after = &self.tokens.rest[1];
            let message = format!("a colon is missing between `{word}` and `{after}`");
            let mistake = Mistake::new(Place { start: word.span(), end: after.span() }, message);
            self.mistakes.push(mistake.help(format!("`{word}: {after}` gives the layer a name")));
            self.tokens.next();
            return Some(word.clone());
        }
        None
    }

    fn arguments(&mut self, keyword: &Ident) -> Vec<Argument> {
        if let Some(group) = self.tokens.group(Delimiter::Parenthesis) {
            return arguments(group, keyword, self.mistakes);
        }
        if let Some(token @ TokenTree::Group(group)) = self.tokens.peek() {
            self.tokens.next();
            let message = format!("the arguments of `{keyword}` stand in parentheses");
            self.report(token.span(), message);
            return arguments(group, keyword, self.mistakes);
        }
        Vec::new()
    }

    /// The comma after an entry, or what stands in its place.
    fn separator(&mut self, before: &Entry) {
        let Some(token) = self.tokens.peek() else { return };
        if self.tokens.punct(',').is_some() {
            return;
        }
        let Entry::Layer(layer) = before else { return };
        let keyword = &layer.keyword;
        if self.tokens.punct(';').is_some() {
            self.report(token.span(), "a comma stands between layers, not a semicolon");
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
    fn skip(&mut self) {
        while self.tokens.peek().is_some()
            && self.tokens.peek_punct(',').is_none()
            && self.tokens.punct(';').is_none()
        {
            self.tokens.next();
        }
    }

    /// Steps over `residual { … } shortcut { … }`, `block name(…) { … }`, `const X: T = …;` and the
    /// like, after which a comma may be left out.
    fn structure(&mut self) {
        while self.tokens.peek().is_some() {
            if self.tokens.peek_punct(',').is_some() || self.tokens.punct(';').is_some() {
                return;
            }
            let braces = self.tokens.group(Delimiter::Brace).is_some();
            let goes_on = self.tokens.peek_ident().is_some_and(|word| word == "shortcut");
            if braces && !goes_on {
                return;
            }
            if !braces {
                self.tokens.next();
            }
        }
    }
}

fn arguments(group: &Group, keyword: &Ident, mistakes: &mut Vec<Mistake>) -> Vec<Argument> {
    let inner = flat(group.stream());
    let mut arguments = Vec::new();
    for piece in pieces(&inner) {
        if piece.is_empty() {
            let message =
                format!("`{keyword}`: two commas in a row, without an argument between them");
            mistakes.push(Mistake::new(group.span(), message));
        }
        let mut rest = piece;
        while !rest.is_empty() {
            rest = argument(rest, keyword, &mut arguments, mistakes);
        }
    }
    arguments
}

/// Reads one argument, and returns what is left where a comma was forgotten.
fn argument<'a>(
    piece: &'a [TokenTree],
    keyword: &Ident,
    arguments: &mut Vec<Argument>,
    mistakes: &mut Vec<Mistake>,
) -> &'a [TokenTree] {
    let (key, mut written) = match piece {
        [TokenTree::Ident(key), equals, rest @ ..] if punct(Some(equals), '=').is_some() => {
            (Some(key), rest)
        }
        [TokenTree::Ident(key), colon, rest @ ..]
            if punct(Some(colon), ':').is_some() && punct(rest.first(), ':').is_none() =>
        {
            let message = format!("an equals sign stands after an argument's name: `{key} = …`");
            mistakes.push(Mistake::new(colon.span(), message));
            (Some(key), rest)
        }
        rest => (None, rest),
    };
    // `6 kernel = 5` or `kernel = 5 stride = 2`: what comes after the first value is an argument.
    let len = first_value(written);
    let mut left: &[TokenTree] = &[];
    if let Some(next @ (TokenTree::Ident(_) | TokenTree::Literal(_))) = written.get(len)
        && len > 0
    {
        let message = format!("`{keyword}`: a comma is missing before `{next}`");
        mistakes.push(Mistake::new(next.span(), message));
        (written, left) = written.split_at(len);
    }
    let value = match (written, key) {
        ([], Some(key)) => {
            let message = format!("`{keyword}`: the value of `{key}` is missing");
            mistakes.push(Mistake::new(key.span(), message).help(format!("write `{key} = …`")));
            Value::Wrong
        }
        (written, _) => value(written, mistakes),
    };
    let instead = key.unwrap_or(keyword).span();
    arguments.push(Argument { key: key.cloned(), value, place: Place::of(written, instead) });
    left
}

//! `<const WIDTH: usize, const HIDDEN: usize>` behind the struct's name.

use proc_macro2::{Delimiter, Ident, TokenTree};

use super::expression::pieces;
use super::{Tokens, flat, ident, punct, shown};
use crate::Mistake;
use crate::mistake::Place;

const FORM: &str = "write `<const WIDTH: usize>`";

/// A const generic of the struct.
#[derive(Clone, Debug)]
pub struct Generic {
    /// Its name.
    pub name: Ident,
    /// What it is.
    pub kind: Kind,
}

/// The kind of a generic.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    /// A `usize`.
    Size,
    /// A constant of another type, which is already reported.
    Other,
    /// A type, which is already reported.
    Type,
}

/// Reads `<…>` if it comes next, and a `where` clause behind it.
pub(super) fn generics(tokens: &mut Tokens<'_>, mistakes: &mut Vec<Mistake>) -> Vec<Generic> {
    let mut generics = Vec::new();
    if let Some(inner) = in_other_brackets(tokens, mistakes) {
        all(&inner, &mut generics, mistakes);
    } else if let Some(open) = tokens.punct('<') {
        let inner = tokens.rest;
        let mut depth = 1;
        let mut len = 0;
        let mut before_is_dash = false;
        for token in inner {
            if is_end(token) {
                break;
            }
            if let TokenTree::Punct(punct) = token {
                match punct.as_char() {
                    '<' => depth += 1,
                    '>' if !before_is_dash => depth -= 1,
                    _ => {}
                }
                before_is_dash = punct.as_char() == '-';
            } else {
                before_is_dash = false;
            }
            if depth == 0 {
                break;
            }
            len += 1;
        }
        let closed = depth == 0;
        // Where nothing closes them, they end before the header's shapes.
        if !closed {
            len = inner.iter().position(is_bracket).unwrap_or(len).min(len);
            len -= usize::from(len > 0 && is_colon(&inner[len - 1]));
            mistakes.push(
                Mistake::new(Place::of(&inner[..len], open.span()), "`>` is missing behind these")
                    .help(FORM),
            );
        }
        all(&inner[..len], &mut generics, mistakes);
        tokens.rest = &inner[len + usize::from(closed)..];
    }
    where_clause(tokens, mistakes);
    generics
}

/// Generics in `(…)` or `[…]`, or behind `::`.
fn in_other_brackets(
    tokens: &mut Tokens<'_>,
    mistakes: &mut Vec<Mistake>,
) -> Option<Vec<TokenTree>> {
    if tokens.is_at(0, "::<") {
        let place = Place::of(&tokens.rest[..2], tokens.rest[0].span());
        let message = "no `::` stands before the generics of a net";
        mistakes.push(Mistake::new(place, message).help(FORM));
        tokens.rest = &tokens.rest[2..];
        return None;
    }
    let Some(TokenTree::Group(group)) = tokens.peek() else { return None };
    let inner = flat(group.stream());
    if ident(inner.first()).is_none_or(|word| word != "const") {
        return None;
    }
    // Not the layers, which begin with a constant.
    if group.delimiter() == Delimiter::Brace {
        return None;
    }
    let message = "the generics of a net stand in `<…>`";
    mistakes.push(Mistake::new(group.span(), message).help(FORM));
    tokens.next();
    Some(inner)
}

/// Reads each of them; says once what is wrong with several alike.
fn all(tokens: &[TokenTree], generics: &mut Vec<Generic>, mistakes: &mut Vec<Mistake>) {
    let semicolon = tokens.iter().find(|token| punct(Some(token), ';').is_some());
    if let Some(semicolon) = semicolon {
        let message = "a comma stands between generics, not a semicolon";
        mistakes.push(Mistake::new(semicolon.span(), message));
    }
    let mut said: Vec<&str> = Vec::new();
    let parts = tokens.split(|token| punct(Some(token), ';').is_some());
    let parts: Vec<&[TokenTree]> =
        parts.flat_map(pieces).filter(|piece| !piece.is_empty()).collect();
    let names: Option<Vec<String>> = parts
        .iter()
        .map(|piece| {
            let word = ident(piece.first())?;
            let name = if word == "const" { ident(piece.get(1))? } else { word };
            Some(format!("const {name}: usize"))
        })
        .collect();
    let as_sizes = names.map(|names| format!("write `<{}>`", names.join(", ")));
    let as_sizes = as_sizes.as_deref().unwrap_or(FORM);
    for piece in parts {
        let (found, kind, mistake) = generic(piece, as_sizes);
        generics.extend(found);
        if let Some(mistake) = mistake
            && !said.contains(&kind)
        {
            mistakes.push(mistake);
            said.push(kind);
        }
    }
}

/// Steps over a `where` clause, which a net cannot have.
pub(super) fn where_clause(tokens: &mut Tokens<'_>, mistakes: &mut Vec<Mistake>) -> bool {
    let Some(word) = tokens.peek_ident().filter(|word| *word == "where") else { return false };
    let from = tokens.rest;
    // Up to the layers, or to the shapes.
    while tokens.peek().is_some_and(|token| !is_end(token)) && !is_before_shapes(tokens) {
        tokens.next();
    }
    let place = Place::of(&from[..from.len() - tokens.rest.len()], word.span());
    mistakes.push(
        Mistake::new(place, "a net has no `where` clause")
            .help("leave it out: whether the sizes go together is checked where the net is used"),
    );
    true
}

/// One of them, and which kind of mistake is in it; what is none keeps its name, which is then no
/// unknown one.
fn generic(
    piece: &[TokenTree],
    as_sizes: &str,
) -> (Option<Generic>, &'static str, Option<Mistake>) {
    let Some(first) = piece.first() else { return (None, "", None) };
    let place = Place::of(piece, first.span());
    let wrong = |found, kind, place, message: String, help: &str| {
        (found, kind, Some(Mistake::new(place, message).help(help)))
    };
    if punct(Some(first), '\'').is_some() {
        let message = "a net has no lifetimes: it owns its parameters";
        return wrong(None, "lifetime", place, message.into(), "leave it out");
    }
    let Some(word) = ident(Some(first)) else {
        let message = format!("expected a generic, found `{}`", shown(first));
        return wrong(None, "other", place, message, FORM);
    };
    if word != "const" {
        let found = Generic { name: word.clone(), kind: Kind::Type };
        let message = format!("`{word}`: a net is generic over sizes, not over types");
        return wrong(Some(found), "type", place, message, as_sizes);
    }
    let Some(name) = ident(piece.get(1)) else {
        return wrong(None, "name", place, "the name of this generic is missing".into(), FORM);
    };
    let found = Some(Generic { name: name.clone(), kind: Kind::Size });
    let typed = piece.get(2).is_some_and(is_colon);
    match piece.get(3).filter(|_| typed) {
        None => {
            let message = format!("`{name}`: the type of this generic is missing");
            return wrong(found, "untyped", place, message, as_sizes);
        }
        Some(kind) if ident(Some(kind)).is_none_or(|kind| *kind != "usize") => {
            let found = Some(Generic { name: name.clone(), kind: Kind::Other });
            let place = Place::of(&piece[3..], kind.span());
            return wrong(found, "size", place, format!("`{name}`: a size is a `usize`"), "");
        }
        Some(_) => {}
    }
    let Some(next) = piece.get(4) else { return (found, "", None) };
    let place = Place::of(&piece[4..], next.span());
    if punct(Some(next), '=').is_some() {
        let message = format!("`{name}`: the generics of a net have no defaults");
        let help = "leave it out, and name a choice: `type Small = Net<32>;`";
        return wrong(found, "default", place, message, help);
    }
    let message = format!("expected nothing behind `usize`, found `{}`", shown(next));
    wrong(found, "behind", place, message, FORM)
}

/// Whether `: [1, 28, 28] ->` comes next.
fn is_before_shapes(tokens: &Tokens<'_>) -> bool {
    tokens.is_at(0, ":")
        && matches!(tokens.rest.get(1), Some(TokenTree::Group(_)))
        && tokens.is_at(2, "->")
}

/// Whether the layers begin here.
fn is_end(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

fn is_bracket(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket)
}

fn is_colon(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':')
}

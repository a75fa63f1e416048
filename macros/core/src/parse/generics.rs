//! `<const WIDTH: usize, const HIDDEN: usize>` behind the struct's name.

use proc_macro2::{Delimiter, Ident, TokenTree};

use super::expression::pieces;
use super::{Tokens, ident, shown};
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

/// What was written as a generic.
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
    if let Some(open) = tokens.punct('<') {
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
        for piece in pieces(&inner[..len]).into_iter().filter(|piece| !piece.is_empty()) {
            generics.extend(generic(piece, mistakes));
        }
        tokens.rest = &inner[len + usize::from(closed)..];
    }
    where_clause(tokens, mistakes);
    generics
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

/// One of them; what is none keeps its name, which is then no unknown one.
fn generic(piece: &[TokenTree], mistakes: &mut Vec<Mistake>) -> Option<Generic> {
    let place = Place::of(piece, piece.first()?.span());
    let mut report = |place: Place, message: String, help: &str| {
        mistakes.push(Mistake::new(place, message).help(help));
    };
    if let [TokenTree::Punct(tick), ..] = piece
        && tick.as_char() == '\''
    {
        report(place, "a net has no lifetimes: it owns its parameters".into(), "leave it out");
        return None;
    }
    let Some(word) = ident(piece.first()) else {
        report(place, format!("expected a generic, found `{}`", shown(piece.first()?)), FORM);
        return None;
    };
    if word != "const" {
        let message = format!("`{word}`: a net is generic over sizes, not over types");
        report(place, message, &format!("write `const {word}: usize` for a size"));
        return Some(Generic { name: word.clone(), kind: Kind::Type });
    }
    let Some(name) = ident(piece.get(1)) else {
        report(place, "the name of this generic is missing".into(), FORM);
        return None;
    };
    let found = Generic { name: name.clone(), kind: Kind::Size };
    let typed = piece.get(2).is_some_and(is_colon);
    match piece.get(3).filter(|_| typed) {
        None => {
            let message = format!("`{name}`: the type of this generic is missing");
            report(place, message, &format!("write `const {name}: usize`"));
            return Some(found);
        }
        Some(kind) if ident(Some(kind)).is_none_or(|kind| *kind != "usize") => {
            let place = Place::of(&piece[3..], kind.span());
            report(place, format!("`{name}`: a size is a `usize`"), "");
            return Some(Generic { kind: Kind::Other, ..found });
        }
        Some(_) => {}
    }
    if let Some(next) = piece.get(4) {
        let place = Place::of(&piece[4..], next.span());
        if matches!(next, TokenTree::Punct(punct) if punct.as_char() == '=') {
            report(
                place,
                format!("`{name}`: the generics of a net have no defaults"),
                "leave it out, and name a choice: `type Small = Net<32>;`",
            );
        } else {
            report(
                place,
                format!("expected nothing behind `usize`, found `{}`", shown(next)),
                FORM,
            );
        }
    }
    Some(found)
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

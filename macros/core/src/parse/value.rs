//! The values of arguments and dimensions.

use proc_macro2::{Delimiter, Literal, TokenStream, TokenTree};

use super::{Value, flat, punct};
use crate::Mistake;

/// The pieces between commas; a trailing comma makes no piece, a doubled one an empty piece.
pub(super) fn pieces(tokens: &[TokenTree]) -> Vec<&[TokenTree]> {
    let mut pieces: Vec<&[TokenTree]> =
        tokens.split(|token| punct(Some(token), ',').is_some()).collect();
    if pieces.last().is_some_and(|last| last.is_empty()) {
        pieces.pop();
    }
    pieces
}

/// The value that these tokens are.
pub(super) fn value(tokens: &[TokenTree], mistakes: &mut Vec<Mistake>) -> Value {
    match tokens {
        [TokenTree::Ident(word)] if word == "true" => Value::Flag(true),
        [TokenTree::Ident(word)] if word == "false" => Value::Flag(false),
        [TokenTree::Literal(literal)] => number(literal, mistakes),
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => {
            let inner = flat(group.stream());
            let one = |tokens, mistakes: &mut Vec<Mistake>| value(tokens, mistakes);
            match pieces(&inner).as_slice() {
                [height, width] => match (one(height, mistakes), one(width, mistakes)) {
                    (Value::Integer(height), Value::Integer(width)) => Value::Pair(height, width),
                    (Value::Wrong, _) | (_, Value::Wrong) => Value::Wrong,
                    _ => other(tokens),
                },
                _ => other(tokens),
            }
        }
        [minus, TokenTree::Literal(literal)] if punct(Some(minus), '-').is_some() => {
            match number(literal, mistakes) {
                Value::Float(number) => Value::Float(-number),
                Value::Wrong => Value::Wrong,
                _ => other(tokens),
            }
        }
        _ => other(tokens),
    }
}

/// How many tokens at the start make one value, where a comma may have been forgotten after it.
pub(super) fn first_value(tokens: &[TokenTree]) -> usize {
    let minus = usize::from(punct(tokens.first(), '-').is_some());
    match tokens.get(minus) {
        Some(TokenTree::Literal(_) | TokenTree::Group(_) | TokenTree::Ident(_)) => minus + 1,
        _ => minus,
    }
}

fn number(literal: &Literal, mistakes: &mut Vec<Mistake>) -> Value {
    let token = TokenTree::Literal(literal.clone());
    match syn::parse2::<syn::Lit>(token.clone().into()) {
        Ok(syn::Lit::Int(number)) if matches!(number.suffix(), "" | "usize") => {
            number.base10_parse().map_or_else(
                |_| {
                    let message = format!("`{number}` is too large a number");
                    mistakes.push(Mistake::new(literal.span(), message));
                    Value::Wrong
                },
                Value::Integer,
            )
        }
        Ok(syn::Lit::Float(number)) if matches!(number.suffix(), "" | "f32" | "f64") => {
            number.base10_parse().map_or_else(|_| other(&[token]), Value::Float)
        }
        _ => other(&[token]),
    }
}

fn other(tokens: &[TokenTree]) -> Value {
    let stream: TokenStream = tokens.iter().cloned().collect();
    Value::Other(stream.to_string())
}

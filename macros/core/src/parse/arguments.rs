//! The arguments between a layer's parentheses.

use proc_macro2::{Group, Ident, TokenTree};

use super::expression::{self, pieces};
use super::{Argument, Expression, Form, flat, punct};
use crate::Mistake;
use crate::layers::LAYERS;

pub(super) fn arguments(
    group: &Group,
    keyword: &Ident,
    mistakes: &mut Vec<Mistake>,
) -> Vec<Argument> {
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
    let (key, written) = match piece {
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
        // `stride 2`
        [TokenTree::Ident(key), value @ TokenTree::Literal(_), ..] if is_argument(key) => {
            let message = format!("an equals sign stands after an argument's name: `{key} = …`");
            let help = format!("write `{key} = {value}`");
            mistakes.push(Mistake::new(key.span(), message).help(help));
            (Some(key), &piece[1..])
        }
        rest => (None, rest),
    };
    let instead = key.unwrap_or(keyword).span();
    if let ([], Some(key)) = (written, key) {
        let message = format!("`{keyword}`: the value of `{key}` is missing");
        mistakes.push(Mistake::new(key.span(), message).help(format!("write `{key} = …`")));
        let value = Expression { place: instead.into(), form: Form::Wrong };
        arguments.push(Argument { key: Some(key.clone()), value });
        return &[];
    }
    let (mut value, mut left) = expression::first(written, instead, mistakes);
    match left.first() {
        // `6 kernel = 5` or `kernel = 5 stride = 2`: what comes after the value is an argument.
        Some(next @ (TokenTree::Ident(_) | TokenTree::Literal(_))) => {
            let message = format!("`{keyword}`: a comma is missing before `{next}`");
            mistakes.push(Mistake::new(next.span(), message));
        }
        Some(_) => {
            value = expression::whole(written, instead, &mut Vec::new());
            left = &[];
        }
        None => {}
    }
    arguments.push(Argument { key: key.cloned(), value });
    left
}

/// Whether a layer has an argument of this name.
fn is_argument(word: &Ident) -> bool {
    let word = word.to_string();
    LAYERS.iter().any(|layer| layer.position(&word).is_some())
}

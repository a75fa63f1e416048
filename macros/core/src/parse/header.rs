//! `/// docs` `pub struct Name: [1, 28, 28] -> [10] { … }`

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use syn::Visibility;
use syn::parse::{ParseStream, Parser};

use super::generics::{generics, where_clause};
use super::{Body, Declaration, Tokens, body, flat, ident, shapes, shown};
use crate::Mistake;
use crate::mistake::Place;

pub(super) const FORM: &str = "write `pub struct Name: [channels, height, width] -> [classes] { layers }`";

pub(super) fn declaration(input: TokenStream, mistakes: &mut Vec<Mistake>) -> Option<Declaration> {
    if input.is_empty() {
        mistakes.push(Mistake::new(Span::call_site(), "a net is declared here").help(FORM));
        return None;
    }
    let parser = |input: ParseStream<'_>| {
        let attributes = input.call(syn::Attribute::parse_outer)?;
        Ok((attributes, input.parse::<Visibility>()?, input.parse::<TokenStream>()?))
    };
    let ((attributes, visibility, rest), end) = match parser.parse2(input) {
        Ok((attributes, visibility, rest)) => ((attributes, visibility, flat(rest)), Span::call_site()),
        Err(error) => {
            let message = format!("this is not the declaration of a net: {error}");
            mistakes.push(Mistake::new(error.span(), message).help(FORM));
            return None;
        }
    };
    let mut tokens = Tokens::new(&rest);
    let name = name(&mut tokens, end, mistakes)?;
    let generics = generics(&mut tokens, mistakes);
    let before = &tokens.rest[..body_at(tokens.rest)];
    tokens.rest = &tokens.rest[before.len()..];
    let mut before = Tokens::new(before);
    let header = shapes::header(without_where(&mut before, mistakes), &name, mistakes);
    let body = find_body(&mut tokens, &name, mistakes);
    Some(Declaration {
        attributes,
        visibility,
        name,
        generics,
        input: header.input,
        output: header.output,
        open_names: header.open_names,
        body,
    })
}

/// The net's name, behind the word `struct` or what stands in its place.
fn name(tokens: &mut Tokens<'_>, end: Span, mistakes: &mut Vec<Mistake>) -> Option<Ident> {
    let mut report = |place: Place, message: String, help: &str| {
        mistakes.push(Mistake::new(place, message).help(help));
    };
    let words: Vec<&Ident> = tokens.rest.iter().map_while(|token| ident(Some(token))).collect();
    let at = words.iter().position(|word| **word == "struct");
    match (words.as_slice(), at) {
        ([_, name, ..], Some(0)) => {
            tokens.rest = &tokens.rest[2..];
            Some((*name).clone())
        }
        (words, Some(at)) if at > 0 && words.len() > at + 1 => {
            let place = Place { start: words[0].span(), end: words[at - 1].span() };
            let message = "before `struct` stands `pub` or nothing";
            report(place, message.into(), "write `pub struct …`");
            tokens.rest = &tokens.rest[at + 2..];
            Some(words[at + 1].clone())
        }
        (_, Some(at)) => {
            let after = tokens.rest.get(at + 1);
            let place = after.map_or(words[at].span(), TokenTree::span).into();
            report(place, "the name of the net is missing after `struct`".into(), FORM);
            None
        }
        ([.., _, name], None) => {
            let place = Place { start: words[0].span(), end: words[words.len() - 2].span() };
            let found: Vec<String> = words[..words.len() - 1].iter().map(|one| one.to_string()).collect();
            let message = format!("a net is declared as a `struct`, not as `{}`", found.join(" "));
            report(place, message, &format!("write `pub struct {name}: …`"));
            tokens.rest = &tokens.rest[words.len()..];
            Some((*name).clone())
        }
        ([name], None) => {
            let message = format!("`struct` is missing before `{name}`");
            report(name.span().into(), message, &format!("write `pub struct {name}: …`"));
            tokens.rest = &tokens.rest[1..];
            Some((*name).clone())
        }
        _ => {
            let place = tokens.peek().map_or(end, TokenTree::span).into();
            report(place, "this is not the declaration of a net".into(), FORM);
            None
        }
    }
}

/// Where the layers begin: at the first braces that are no shape.
fn body_at(tokens: &[TokenTree]) -> usize {
    let is_brace = |token: &TokenTree| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group.stream()),
        _ => None,
    };
    let all = tokens.iter().enumerate().filter_map(|(at, token)| Some((at, is_brace(token)?)));
    let mut last = tokens.len();
    for (at, inner) in all {
        last = at;
        // `{1, 28, 28}` in place of brackets.
        if !matches!(flat(inner).first(), Some(TokenTree::Literal(_))) {
            break;
        }
    }
    last
}

/// The header without a `where` clause in it.
fn without_where<'a>(tokens: &mut Tokens<'a>, mistakes: &mut Vec<Mistake>) -> &'a [TokenTree] {
    let all = tokens.rest;
    let is_where = |token: &TokenTree| ident(Some(token)).is_some_and(|word| word == "where");
    let Some(at) = all.iter().position(is_where) else { return all };
    tokens.rest = &all[at..];
    where_clause(tokens, mistakes);
    if at == 0 { tokens.rest } else { &all[..at] }
}

fn find_body(tokens: &mut Tokens<'_>, name: &Ident, mistakes: &mut Vec<Mistake>) -> Body {
    if let Some(token) = tokens.peek()
        && !matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
    {
        let message = format!("expected the layers in braces, found `{}`", shown(token));
        mistakes.push(Mistake::new(token.span(), message).help(FORM));
        while let Some(token) = tokens.peek() {
            if matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace) {
                break;
            }
            tokens.next();
        }
        if tokens.peek().is_none() {
            return Body::unknown();
        }
    }
    let Some(group) = tokens.group(Delimiter::Brace) else {
        let message = format!("the layers of `{name}` are missing");
        mistakes.push(
            Mistake::new(name.span(), message)
                .help("write them in braces: `{ flatten, linear(10) }`"),
        );
        return Body::unknown();
    };
    if let Some(token) = tokens.peek() {
        let message = format!("expected nothing after the layers, found `{}`", shown(token));
        mistakes.push(Mistake::new(token.span(), message).help("each `network!` declares one net"));
    }
    let inner = flat(group.stream());
    if inner.is_empty() {
        let message = format!("`{name}` has no layers");
        mistakes.push(
            Mistake::new(group.span(), message).help("for example `{ flatten, linear(10) }`"),
        );
        return Body::unknown();
    }
    body::body(&inner, mistakes)
}

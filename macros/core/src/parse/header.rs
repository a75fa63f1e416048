//! `/// docs` `pub struct Name: [1, 28, 28] -> [10] { … }`

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Visibility;
use syn::parse::{ParseStream, Parser};

use super::generics::{generics, where_clause};
use super::shapes::FORM;
use super::{Body, Declaration, Tokens, body, flat, ident, shapes, shown};
use crate::Mistake;
use crate::mistake::Place;

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
        Ok((attributes, visibility, rest)) => {
            ((attributes, visibility, flat(rest)), Span::call_site())
        }
        Err(error) => {
            let message = format!("this is not the declaration of a net: {error}");
            mistakes.push(Mistake::new(error.span(), message).help(FORM));
            return None;
        }
    };
    let mut tokens = Tokens::new(&rest);
    let name = name(&mut tokens, end, mistakes)?;
    let before = mistakes.len();
    let generics = generics(&mut tokens, mistakes);
    let open_generics = mistakes.len() > before;
    let before = &tokens.rest[..body_at(tokens.rest)];
    tokens.rest = &tokens.rest[before.len()..];
    let mut before = Tokens::new(before);
    let known = mistakes.len();
    let header = shapes::header(without_where(&mut before, mistakes), &name, mistakes);
    // Without layers, what stands in their place is said with the header.
    let body = match tokens.rest.is_empty() && mistakes.len() > known {
        true => Body::unknown(),
        false => find_body(&mut tokens, &name, mistakes),
    };
    Some(Declaration {
        attributes,
        visibility,
        name,
        generics,
        open_generics,
        input: header.input,
        output: header.output,
        open_names: header.open_names,
        body,
    })
}

/// The net's name, behind the word `struct` or what stands in its place.
fn name(tokens: &mut Tokens<'_>, end: Span, mistakes: &mut Vec<Mistake>) -> Option<Ident> {
    let is_name = |word: &Ident| syn::parse2::<Ident>(word.to_token_stream()).is_ok();
    let words: Vec<&Ident> = tokens.rest.iter().map_while(|token| ident(Some(token))).collect();
    let at = words.iter().position(|word| *word == "struct");
    let name = match at {
        Some(at) => words.get(at + 1),
        None => words.last(),
    };
    let Some(name) = name.filter(|name| is_name(name)) else {
        let (place, message) = match (at, tokens.rest) {
            (Some(at), all) => match all.get(at + 1) {
                Some(TokenTree::Ident(word)) => {
                    (word.span(), format!("`{word}` is a word of Rust, and no name of a net"))
                }
                after => {
                    let message = "the name of the net is missing after `struct`";
                    (after.map_or(words[at].span(), TokenTree::span), message.into())
                }
            },
            (None, all) => {
                let place = all.first().map_or(end, TokenTree::span);
                (place, "this is not the declaration of a net".into())
            }
        };
        mistakes.push(Mistake::new(place, message).help(FORM));
        return None;
    };
    let known = at.unwrap_or(words.len() - 1);
    let before = &tokens.rest[..known];
    let place = Place::of(before, name.span());
    let help = format!("write `pub struct {name}: …`");
    match (at, before) {
        (Some(_), []) => {}
        (Some(_), _) => {
            let message = "before `struct` stands `pub` or nothing";
            mistakes.push(Mistake::new(place, message).help("write `pub struct …`"));
        }
        (None, []) => {
            let message = format!("`struct` is missing before `{name}`");
            mistakes.push(Mistake::new(place, message).help(help));
        }
        (None, before) => {
            let found: Vec<String> = before.iter().map(ToString::to_string).collect();
            let message = format!("a net is declared as a `struct`, not as `{}`", found.join(" "));
            mistakes.push(Mistake::new(place, message).help(help));
        }
    }
    tokens.rest = &tokens.rest[known + 1 + usize::from(at.is_some())..];
    Some((*name).clone())
}

/// Where the layers begin: at the first braces that are no shape, or else at other ones behind a
/// shape.
fn body_at(tokens: &[TokenTree]) -> usize {
    let is_brace = |token: &TokenTree| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group.stream()),
        _ => None,
    };
    let all = tokens.iter().enumerate().filter_map(|(at, token)| Some((at, is_brace(token)?)));
    let mut last = None;
    for (at, inner) in all {
        last = Some(at);
        let inner = flat(inner);
        // `{1, 28, 28}` or `{image: [1, 28, 28]}` in place of other brackets.
        if !matches!(inner.first(), Some(TokenTree::Literal(_))) && !shapes::are_named(&inner) {
            break;
        }
    }
    match (last, tokens) {
        (Some(at), _) => at,
        (None, [.., TokenTree::Group(_), TokenTree::Group(_)]) => tokens.len() - 1,
        _ => tokens.len(),
    }
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
    let Some(TokenTree::Group(group)) = tokens.next() else {
        let message = format!("the layers of `{name}` are missing");
        mistakes.push(
            Mistake::new(name.span(), message)
                .help("write them in braces: `{ flatten, linear(10) }`"),
        );
        return Body::unknown();
    };
    if group.delimiter() != Delimiter::Brace {
        let message = "the layers stand in braces";
        mistakes.push(Mistake::new(group.span(), message).help(FORM));
    }
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

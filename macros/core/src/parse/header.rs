//! `/// docs` `pub struct Name: [1, 28, 28] -> [10] { … }`

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Token, Visibility};

use super::expression::{self, pieces};
use super::generics::{generics, where_clause};
use super::{
    Body, Declaration, Dimensions, Form, HeaderShape, NamedShape, Tokens, body, flat, shown,
};
use crate::Mistake;
use crate::mistake::Place;

const FORM: &str = "write `pub struct Name: [channels, height, width] -> [classes] { layers }`";

type Start = (Vec<syn::Attribute>, Visibility, Ident);

pub(super) fn declaration(input: TokenStream, mistakes: &mut Vec<Mistake>) -> Option<Declaration> {
    if input.is_empty() {
        mistakes.push(Mistake::new(Span::call_site(), "a net is declared here").help(FORM));
        return None;
    }
    let parser = |input: ParseStream<'_>| Ok((start(input)?, input.parse::<TokenStream>()?));
    let ((attributes, visibility, name), rest) = match parser.parse2(input) {
        Ok(found) => found,
        Err(error) => {
            let message = format!("this is not the declaration of a net: {error}");
            mistakes.push(Mistake::new(error.span(), message).help(FORM));
            return None;
        }
    };
    let rest = flat(rest);
    let mut tokens = Tokens::new(&rest);
    let generics = generics(&mut tokens, mistakes);
    let mut shapes = Shapes { after: name.span(), mistakes };
    let in_shape = shapes.input(&mut tokens);
    let out_shape = shapes.output(&mut tokens, matches!(in_shape, HeaderShape::Missing(_)));
    where_clause(&mut tokens, mistakes);
    let body = find_body(&mut tokens, &name, mistakes);
    Some(Declaration {
        attributes,
        visibility,
        name,
        generics,
        input: in_shape,
        output: out_shape,
        body,
    })
}

fn start(input: ParseStream<'_>) -> syn::Result<Start> {
    let attributes = input.call(syn::Attribute::parse_outer)?;
    let visibility = input.parse()?;
    input.parse::<Token![struct]>()?;
    Ok((attributes, visibility, input.parse()?))
}

struct Shapes<'m> {
    /// The token before the shape.
    after: Span,
    mistakes: &'m mut Vec<Mistake>,
}

impl Shapes<'_> {
    fn input(&mut self, tokens: &mut Tokens<'_>) -> HeaderShape {
        if tokens.punct(':').is_none() && !self.is_shape(tokens) {
            return HeaderShape::Missing(self.after.into());
        }
        self.shape(tokens, "input")
    }

    /// The output's shape; where the input's is missing too, that is said once.
    fn output(&mut self, tokens: &mut Tokens<'_>, quiet: bool) -> HeaderShape {
        if tokens.is_at(0, "->") || tokens.is_at(0, "=>") {
            if let Some(wrong) = tokens.peek_punct('=') {
                let place = Place::of(&tokens.rest[..2], wrong.span());
                self.mistakes.push(Mistake::new(
                    place,
                    "an arrow `->` stands between input and output shape, not `=>`",
                ));
            }
            tokens.next();
            tokens.next();
            return self.shape(tokens, "output");
        }
        if quiet { HeaderShape::Wrong } else { HeaderShape::Missing(self.after.into()) }
    }

    fn is_shape(&self, tokens: &Tokens<'_>) -> bool {
        matches!(tokens.peek(), Some(TokenTree::Group(group)) if group.delimiter() != Delimiter::Brace)
    }

    fn shape(&mut self, tokens: &mut Tokens<'_>, what: &str) -> HeaderShape {
        if let Some(group) = tokens.group(Delimiter::Bracket) {
            self.after = group.span();
            return match self.dimensions(group, what) {
                Some(dimensions) => HeaderShape::Written(dimensions),
                None => HeaderShape::Wrong,
            };
        }
        if let Some(group) = tokens.group(Delimiter::Parenthesis) {
            self.after = group.span();
            return self.named(group, what);
        }
        HeaderShape::Missing(self.after.into())
    }

    /// Several inputs, or several heads: each a name, a colon and a shape.
    fn named(&mut self, group: &Group, what: &str) -> HeaderShape {
        let (a, each, help) = match what {
            "input" => ("an", "input", "name each input: `(image: [3, 32, 32], pose: [6])`"),
            _ => ("a", "head", "name each head like its layer: `(class: [10], bbox: [4])`"),
        };
        let inner = flat(group.stream());
        let mut all = Vec::new();
        for piece in pieces(&inner) {
            let mut tokens = Tokens::new(piece);
            let place = Place::of(piece, group.span());
            let mistake = match tokens.next() {
                None => {
                    Some(Mistake::new(place, format!("{a} {each} is missing between two commas")))
                }
                Some(TokenTree::Ident(name)) => {
                    let colon = tokens.punct(':').is_some();
                    let shape = tokens.group(Delimiter::Bracket);
                    let found =
                        shape.and_then(|shape| self.dimensions(shape, &format!("`{name}` {what}")));
                    all.push(NamedShape { name: name.clone(), shape: found });
                    if !colon || shape.is_none() {
                        let message = format!("the shape of the {each} `{name}` is missing");
                        Some(Mistake::new(place, message))
                    } else {
                        let extra = tokens.peek();
                        extra.map(|token| {
                            let message = format!("expected a comma, found `{}`", shown(token));
                            Mistake::new(token.span(), message)
                        })
                    }
                }
                Some(_) => Some(Mistake::new(place, format!("this {each} has no name"))),
            };
            if let Some(mistake) = mistake {
                self.mistakes.push(mistake.help(help));
            }
        }
        if inner.is_empty() {
            let message = format!("between these parentheses no {each} is named");
            self.mistakes.push(Mistake::new(group.span(), message).help(help));
        }
        if all.is_empty() { HeaderShape::Wrong } else { HeaderShape::Named(all) }
    }

    fn dimensions(&mut self, group: &Group, what: &str) -> Option<Dimensions> {
        let inner = flat(group.stream());
        let mut dimensions = Vec::new();
        let mut wrong = false;
        for piece in pieces(&inner) {
            if piece.is_empty() {
                wrong = true;
                let message =
                    format!("the {what} shape: a dimension is missing between two commas");
                self.mistakes.push(Mistake::new(group.span(), message));
                continue;
            }
            let value = expression::whole(piece, group.span(), self.mistakes);
            wrong |= matches!(value.form, Form::Wrong);
            dimensions.push(value);
        }
        (!wrong).then(|| Dimensions { span: group.span(), dimensions })
    }
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

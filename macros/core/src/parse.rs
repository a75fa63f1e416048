//! Tokens to what the user wrote. Reads on after a mistake at the next comma, so that several are
//! reported together and half-typed declarations still give their other layers.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Token, Visibility};

use crate::Mistake;

/// A declaration as it was written.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// Documentation and other attributes.
    pub attributes: Vec<Attribute>,
    /// Who may use the struct.
    pub visibility: Visibility,
    /// The struct's name.
    pub name: Ident,
    /// The input's shape, unless it could not be read.
    pub input: Option<Dimensions>,
    /// The output's shape, unless it could not be read.
    pub output: Option<Dimensions>,
    /// The layers that could be read.
    pub layers: Vec<Layer>,
    /// Whether every layer could be read: else shapes say nothing after the gap.
    pub complete: bool,
}

/// A shape in brackets.
#[derive(Clone, Debug)]
pub struct Dimensions {
    /// The brackets.
    pub span: Span,
    /// The dimensions with their places.
    pub dimensions: Vec<(usize, Span)>,
}

/// A layer as it was written.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The name before the colon.
    pub name: Option<Ident>,
    /// The keyword.
    pub keyword: Ident,
    /// What stands in parentheses.
    pub arguments: Vec<Argument>,
}

/// An argument as it was written.
#[derive(Clone, Debug)]
pub struct Argument {
    /// The name before the equals sign.
    pub key: Option<Ident>,
    /// The value.
    pub value: Value,
    /// The value's first token.
    pub span: Span,
}

/// The value of an argument as it was written.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// A whole number.
    Integer(usize),
    /// A number with a fraction.
    Float(f32),
    /// `true` or `false`.
    Flag(bool),
    /// Two whole numbers in parentheses.
    Pair(usize, usize),
    /// Anything else, as text.
    Other(String),
    /// A value with a mistake that is already reported.
    Wrong,
}

/// Reads a declaration. Without a name there is nothing to declare, and only mistakes come back.
pub fn parse(input: TokenStream) -> (Option<Declaration>, Vec<Mistake>) {
    let mut mistakes = Vec::new();
    let parsed = (|input: ParseStream<'_>| Ok(header(input, &mut mistakes))).parse2(input);
    match parsed {
        Ok(Ok(declaration)) => (Some(declaration), mistakes),
        Ok(Err(mistake)) => {
            mistakes.push(mistake);
            (None, mistakes)
        }
        // `header` takes everything that is there.
        Err(error) => (None, vec![Mistake::new(error.span(), error.to_string())]),
    }
}

const FORM: &str = "write `pub struct Name: [channels, height, width] -> [classes] { layers }`";

fn header(input: ParseStream<'_>, mistakes: &mut Vec<Mistake>) -> Result<Declaration, Mistake> {
    let result = struct_name(input);
    let (attributes, visibility, name) = match result {
        Ok(found) => found,
        Err(error) => {
            drain(input);
            let message = "expected the declaration of a net";
            return Err(Mistake::new(error.span(), message).help(FORM));
        }
    };
    let mut shape = |input: ParseStream<'_>, before: &str, what: &str| {
        let found = shape_after(input, before, what);
        found.map_err(|mistake| mistakes.push(mistake)).ok().flatten()
    };
    if input.peek(Token![<]) {
        let message = "const generics are not part of the language yet";
        mistakes.push(Mistake::new(input.span(), message));
        skip_to_body(input);
        let (layers, complete) = body(input, &name, mistakes);
        return Ok(Declaration {
            attributes, visibility, name, input: None, output: None, layers, complete,
        });
    }
    let in_shape = shape(input, ":", "input");
    let out_shape = if in_shape.is_some() { shape(input, "->", "output") } else { None };
    skip_to_body(input);
    let (layers, complete) = body(input, &name, mistakes);
    Ok(Declaration {
        attributes,
        visibility,
        name,
        input: in_shape,
        output: out_shape,
        layers,
        complete,
    })
}

fn struct_name(input: ParseStream<'_>) -> syn::Result<(Vec<Attribute>, Visibility, Ident)> {
    let attributes = input.call(Attribute::parse_outer)?;
    let visibility = input.parse()?;
    input.parse::<Token![struct]>()?;
    Ok((attributes, visibility, input.parse()?))
}

/// The shape after `:` or `->`; `None` without a mistake where one was already reported inside it.
fn shape_after(
    input: ParseStream<'_>,
    before: &str,
    what: &str,
) -> Result<Option<Dimensions>, Mistake> {
    let example = if what == "input" { ": [1, 28, 28]" } else { "-> [10]" };
    let missing = |span| {
        let message = format!("the {what} shape is missing");
        Err(Mistake::new(span, message).help(format!("write `{example}` here")))
    };
    let found = if before == ":" {
        input.parse::<Token![:]>().is_ok()
    } else {
        input.parse::<Token![->]>().is_ok()
    };
    if !found {
        return missing(input.span());
    }
    let group = match input.fork().parse::<TokenTree>() {
        Ok(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => group,
        Ok(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
            let message = "several inputs or outputs are not part of the language yet";
            return Err(Mistake::new(group.span(), message));
        }
        _ => return missing(input.span()),
    };
    let _: syn::Result<TokenTree> = input.parse();
    dimensions(&group, what).map(Some)
}

fn dimensions(group: &Group, what: &str) -> Result<Dimensions, Mistake> {
    let mut dimensions = Vec::new();
    for piece in split_at_commas(group.stream()) {
        let first = piece.first().map_or_else(|| group.span(), TokenTree::span);
        match value(&piece) {
            Ok(Value::Integer(n)) => dimensions.push((n, first)),
            Err(mistake) => return Err(mistake),
            _ => {
                let message = format!("a dimension of the {what} shape is a whole number");
                return Err(Mistake::new(first, message).help("for example `[3, 32, 32]`"));
            }
        }
    }
    if !matches!(dimensions.len(), 1 | 3) {
        let message = format!(
            "the {what} shape has {} dimensions: it is [channels, height, width] or [features]",
            dimensions.len()
        );
        return Err(Mistake::new(group.span(), message));
    }
    Ok(Dimensions { span: group.span(), dimensions })
}

fn drain(input: ParseStream<'_>) {
    let _: syn::Result<TokenStream> = input.parse();
}

fn skip_to_body(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(syn::token::Brace) {
        let _: syn::Result<TokenTree> = input.parse();
    }
}

fn body(input: ParseStream<'_>, name: &Ident, mistakes: &mut Vec<Mistake>) -> (Vec<Layer>, bool) {
    let before = mistakes.len();
    let Ok(TokenTree::Group(group)) = input.parse::<TokenTree>() else {
        if before == 0 {
            let message = format!("the layers of `{name}` are missing");
            mistakes.push(Mistake::new(name.span(), message).help("write them in braces: `{ … }`"));
        }
        return (Vec::new(), false);
    };
    if !input.is_empty() {
        mistakes.push(Mistake::new(input.span(), "expected nothing after the layers"));
        drain(input);
    }
    let mut layers = Vec::new();
    for piece in split_at_commas(group.stream()) {
        self::layers(&piece, &group, &mut layers, mistakes);
    }
    if layers.is_empty() && mistakes.len() == before {
        let message = format!("`{name}` has no layers");
        mistakes.push(Mistake::new(group.span(), message).help("for example `flatten, linear(10)`"));
    }
    (layers, mistakes.len() == before)
}

/// The pieces between commas; a trailing comma makes no piece, a doubled one an empty piece.
fn split_at_commas(stream: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut pieces = vec![Vec::new()];
    for token in stream {
        match token {
            TokenTree::Punct(ref comma) if comma.as_char() == ',' => pieces.push(Vec::new()),
            token => {
                if let Some(piece) = pieces.last_mut() {
                    piece.push(token);
                }
            }
        }
    }
    if pieces.last().is_some_and(Vec::is_empty) {
        pieces.pop();
    }
    pieces
}

fn is_punct(token: Option<&TokenTree>, character: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

/// The layer of one piece, or several where commas are missing.
fn layers(
    mut rest: &[TokenTree],
    around: &Group,
    layers: &mut Vec<Layer>,
    mistakes: &mut Vec<Mistake>,
) {
    if rest.is_empty() {
        mistakes.push(Mistake::new(around.span_close(), "two commas in a row, without a layer between them"));
    }
    let mut first = true;
    while let Some(token) = rest.first() {
        let TokenTree::Ident(word) = token else {
            let message = if is_punct(Some(token), '#') {
                "attributes on layers are not part of the language yet".to_string()
            } else {
                format!("expected a layer, found `{token}`")
            };
            mistakes.push(Mistake::new(token.span(), message));
            return;
        };
        if !first {
            let message = format!("a comma is missing before `{word}`");
            mistakes.push(Mistake::new(word.span(), message));
        }
        first = false;
        if is_punct(rest.get(1), ':') && is_punct(rest.get(2), ':') {
            let message = "layers by path are not part of the language yet";
            mistakes.push(Mistake::new(word.span(), message));
            return;
        }
        let mut name = None;
        let mut keyword = word;
        rest = &rest[1..];
        if is_punct(rest.first(), ':') {
            let Some(TokenTree::Ident(after)) = rest.get(1) else {
                let message = format!("expected a layer after `{word}:`");
                mistakes.push(Mistake::new(word.span(), message));
                return;
            };
            name = Some(word.clone());
            keyword = after;
            rest = &rest[2..];
        }
        if crate::layers::NOT_YET.contains(&keyword.to_string().as_str()) {
            let message = format!("`{keyword}` is not part of the language yet");
            mistakes.push(Mistake::new(keyword.span(), message));
            return;
        }
        let mut written = Vec::new();
        if let Some(TokenTree::Group(group)) = rest.first()
            && group.delimiter() == Delimiter::Parenthesis
        {
            written = arguments(group, keyword, mistakes);
            rest = &rest[1..];
        } else if let Some(token @ TokenTree::Group(_)) = rest.first() {
            let message = format!("the arguments of `{keyword}` stand in parentheses");
            mistakes.push(Mistake::new(token.span(), message));
            rest = &rest[1..];
        }
        layers.push(Layer { name, keyword: keyword.clone(), arguments: written });
    }
}

fn arguments(group: &Group, keyword: &Ident, mistakes: &mut Vec<Mistake>) -> Vec<Argument> {
    let mut arguments = Vec::new();
    for piece in split_at_commas(group.stream()) {
        let (key, rest) = match piece.as_slice() {
            [TokenTree::Ident(key), equals, rest @ ..] if is_punct(Some(equals), '=') => {
                (Some(key.clone()), rest)
            }
            [TokenTree::Ident(key), colon, rest @ ..] if is_punct(Some(colon), ':') => {
                let message = format!("arguments are written with `=`: `{key} = …`");
                mistakes.push(Mistake::new(colon.span(), message));
                (Some(key.clone()), rest)
            }
            rest => (None, rest),
        };
        let Some(first) = rest.first() else {
            let span = key.as_ref().map_or(group.span(), Ident::span);
            let message = match &key {
                Some(key) => format!("`{keyword}`: a value is missing after `{key} =`"),
                None => format!("`{keyword}`: two commas in a row, without an argument between them"),
            };
            mistakes.push(Mistake::new(span, message));
            continue;
        };
        let value = value(rest).unwrap_or_else(|mistake| {
            mistakes.push(mistake);
            Value::Wrong
        });
        arguments.push(Argument { key, value, span: first.span() });
    }
    arguments
}

fn value(tokens: &[TokenTree]) -> Result<Value, Mistake> {
    let other = || {
        let stream: TokenStream = tokens.iter().cloned().collect();
        Value::Other(stream.to_string())
    };
    match tokens {
        [TokenTree::Ident(word)] if word == "true" => Ok(Value::Flag(true)),
        [TokenTree::Ident(word)] if word == "false" => Ok(Value::Flag(false)),
        [TokenTree::Literal(literal)] => {
            match syn::parse2::<syn::Lit>(TokenTree::Literal(literal.clone()).into()) {
                Ok(syn::Lit::Int(number)) => match number.base10_parse::<usize>() {
                    Ok(value) => Ok(Value::Integer(value)),
                    Err(_) => {
                        let message = format!("`{number}` is too large a number");
                        Err(Mistake::new(literal.span(), message))
                    }
                },
                Ok(syn::Lit::Float(number)) => {
                    Ok(number.base10_parse::<f32>().map_or_else(|_| other(), Value::Float))
                }
                _ => Ok(other()),
            }
        }
        [minus, TokenTree::Literal(literal)] if is_punct(Some(minus), '-') => {
            let number = literal.to_string().parse::<f32>();
            Ok(number.map_or_else(|_| other(), |number| {
                if literal.to_string().contains(['.', 'e']) { Value::Float(-number) } else { other() }
            }))
        }
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => {
            let pieces = split_at_commas(group.stream());
            match pieces.as_slice() {
                [height, width] => match (value(height)?, value(width)?) {
                    (Value::Integer(height), Value::Integer(width)) => Ok(Value::Pair(height, width)),
                    _ => Ok(other()),
                },
                _ => Ok(other()),
            }
        }
        _ => Ok(other()),
    }
}

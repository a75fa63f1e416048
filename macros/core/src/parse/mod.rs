//! Tokens to what the user wrote. Reads on after a mistake at the next comma, so that several are
//! reported together and half-typed declarations still give their other layers.

mod body;
mod header;
mod value;

use proc_macro2::{Delimiter, Group, Ident, Punct, Span, TokenStream, TokenTree};
use syn::{Attribute, Visibility};

use crate::Mistake;
use crate::mistake::Place;

/// A declaration as it was written.
#[derive(Clone)]
pub struct Declaration {
    /// Documentation and other attributes.
    pub attributes: Vec<Attribute>,
    /// Who may use the struct.
    pub visibility: Visibility,
    /// The struct's name.
    pub name: Ident,
    /// The input's shape.
    pub input: HeaderShape,
    /// The output's shape.
    pub output: HeaderShape,
    /// The layers in order.
    pub entries: Vec<Entry>,
}

/// The input's or output's shape in the header.
#[derive(Clone, Debug)]
pub enum HeaderShape {
    /// It was written.
    Written(Dimensions),
    /// It was left out: the place after which it belongs.
    Missing(Place),
    /// It was written with a mistake that is already reported.
    Wrong,
}

/// A shape in brackets.
#[derive(Clone, Debug)]
pub struct Dimensions {
    /// The brackets.
    pub span: Span,
    /// The dimensions with their places.
    pub dimensions: Vec<(usize, Span)>,
}

/// What stands between two commas.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A layer.
    Layer(Layer),
    /// Something with a mistake that is already reported; nothing is known of the value after it.
    Gap,
}

/// A layer as it was written.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The lines of its documentation.
    pub docs: Vec<String>,
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
    /// The value's tokens; the key where there are none.
    pub place: Place,
}

/// The value of an argument as it was written.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// A whole number from 0.
    Integer(usize),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// `true` or `false`.
    Flag(bool),
    /// Two whole numbers from 0 in parentheses.
    Pair(usize, usize),
    /// Anything else, as text.
    Other(String),
    /// A value with a mistake that is already reported.
    Wrong,
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Integer(number) => write!(f, "{number}"),
            Value::Float(number) => write!(f, "{number:?}"),
            Value::Flag(flag) => write!(f, "{flag}"),
            Value::Pair(height, width) => write!(f, "({height}, {width})"),
            Value::Other(text) => f.write_str(text),
            Value::Wrong => f.write_str("?"),
        }
    }
}

impl std::fmt::Display for HeaderShape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            HeaderShape::Written(shape) => {
                let sizes: Vec<usize> = shape.dimensions.iter().map(|&(size, _)| size).collect();
                write!(f, "{sizes:?}")
            }
            HeaderShape::Missing(_) | HeaderShape::Wrong => f.write_str("?"),
        }
    }
}

/// The declaration in one line for the header and one a layer.
impl std::fmt::Display for Declaration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "struct {}: {} -> {}", self.name, self.input, self.output)?;
        for entry in &self.entries {
            let Entry::Layer(layer) = entry else {
                writeln!(f, "  ?")?;
                continue;
            };
            f.write_str("  ")?;
            if let Some(name) = &layer.name {
                write!(f, "{name}: ")?;
            }
            write!(f, "{}", layer.keyword)?;
            let arguments: Vec<String> = layer
                .arguments
                .iter()
                .map(|argument| match &argument.key {
                    Some(key) => format!("{key} = {}", argument.value),
                    None => argument.value.to_string(),
                })
                .collect();
            if !arguments.is_empty() {
                write!(f, "({})", arguments.join(", "))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Declaration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// Reads a declaration. Without a name there is nothing to declare, and only mistakes come back.
pub fn parse(input: TokenStream) -> (Option<Declaration>, Vec<Mistake>) {
    let mut mistakes = Vec::new();
    let declaration = header::declaration(input, &mut mistakes);
    (declaration, mistakes)
}

/// The tokens of a stream, without the invisible groups that `macro_rules` puts around its
/// variables.
fn flat(stream: TokenStream) -> Vec<TokenTree> {
    let mut tokens = Vec::new();
    for token in stream {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                tokens.extend(flat(group.stream()));
            }
            token => tokens.push(token),
        }
    }
    tokens
}

/// The tokens that are still to be read.
#[derive(Clone, Copy)]
struct Tokens<'a> {
    rest: &'a [TokenTree],
}

impl<'a> Tokens<'a> {
    fn new(rest: &'a [TokenTree]) -> Tokens<'a> {
        Tokens { rest }
    }

    fn peek(&self) -> Option<&'a TokenTree> {
        self.rest.first()
    }

    fn next(&mut self) -> Option<&'a TokenTree> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn peek_ident(&self) -> Option<&'a Ident> {
        ident(self.peek())
    }

    /// The group that comes next, if it has this delimiter.
    fn group(&mut self, delimiter: Delimiter) -> Option<&'a Group> {
        match self.peek() {
            Some(TokenTree::Group(group)) if group.delimiter() == delimiter => {
                self.next();
                Some(group)
            }
            _ => None,
        }
    }

    fn peek_punct(&self, character: char) -> Option<&'a Punct> {
        punct(self.peek(), character)
    }

    /// Takes this character if it comes next.
    fn punct(&mut self, character: char) -> Option<&'a Punct> {
        let punct = self.peek_punct(character)?;
        self.next();
        Some(punct)
    }

    /// Whether these characters come next, the first `after` tokens left aside.
    fn is_at(&self, after: usize, characters: &str) -> bool {
        characters
            .chars()
            .enumerate()
            .all(|(i, character)| punct(self.rest.get(after + i), character).is_some())
    }
}

fn ident(token: Option<&TokenTree>) -> Option<&Ident> {
    match token {
        Some(TokenTree::Ident(ident)) => Some(ident),
        _ => None,
    }
}

fn punct(token: Option<&TokenTree>, character: char) -> Option<&Punct> {
    match token {
        Some(TokenTree::Punct(punct)) if punct.as_char() == character => Some(punct),
        _ => None,
    }
}

/// A token as a message shows it: a group by its bracket alone.
fn shown(token: &TokenTree) -> String {
    match token {
        TokenTree::Group(group) => match group.delimiter() {
            Delimiter::Parenthesis => "(".into(),
            Delimiter::Brace => "{".into(),
            Delimiter::Bracket => "[".into(),
            Delimiter::None => String::new(),
        },
        token => token.to_string(),
    }
}

#[cfg(test)]
mod tests;

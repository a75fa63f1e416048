//! From tokens to what the user wrote. After a mistake, the parser goes on at the next comma. So it reports
//! several mistakes together, and half-typed declarations still give their other layers.

mod arguments;
mod attributes;
mod body;
mod calls;
mod display;
mod expression;
mod foreign;
mod generics;
mod habits;
mod header;
mod items;
mod notation;
mod reader;
mod shapes;
mod statements;
mod steps;
mod structure;

use proc_macro2::{Delimiter, Group, Ident, Punct, Span, TokenStream, TokenTree};
use syn::Visibility;

pub use attributes::{Attribute, Content, Item};
pub use expression::{Expression, Form, Operator, path_text};
pub use generics::{Generic, Kind as GenericKind};

use crate::Mistake;
use crate::mistake::Place;
use crate::tokens::{flat, ident, punct};

/// A declaration as it was written.
#[derive(Clone)]
pub struct Declaration {
    /// The struct's documentation and other attributes.
    pub attributes: Vec<syn::Attribute>,
    /// The struct's visibility.
    pub visibility: Visibility,
    /// The struct's name.
    pub name: Ident,
    /// Its const generics.
    pub generics: Vec<Generic>,
    /// Whether there is a mistake in them.
    pub open_generics: bool,
    /// The input's shape, or those of several inputs.
    pub input: HeaderShape,
    /// The output's shape, or those of several heads.
    pub output: HeaderShape,
    /// Whether a mistake leaves open which names the inputs have, and which the heads.
    pub open_names: [bool; 2],
    /// What stands between the braces.
    pub body: Body,
}

/// What stands between the braces of a declaration.
#[derive(Clone, Default, Debug)]
pub struct Body {
    /// The constants in order.
    pub constants: Vec<Constant>,
    /// The blocks in order.
    pub blocks: Vec<Block>,
    /// The layers and structures in order.
    pub entries: Vec<Entry>,
    /// Whether all of it could be parsed. If not, what seems unused may be used in the part that could not.
    pub complete: bool,
}

/// The input's or output's shape in the header.
#[derive(Clone, Debug)]
pub enum HeaderShape {
    /// It was written.
    Written(Dimensions),
    /// There are several, or one with a name: `(image: [3, 32, 32], pose: [6])`.
    Named(Vec<NamedShape>),
    /// It was left out; the place is the one after which it belongs.
    Missing(Place),
    /// It was written with a mistake that is already reported.
    Wrong,
}

/// An input or a head.
#[derive(Clone, Debug)]
pub struct NamedShape {
    /// Its name.
    pub name: Ident,
    /// Its shape; `None` where it has a mistake that is already reported.
    pub shape: Option<Dimensions>,
}

impl HeaderShape {
    /// The shapes that were written.
    pub fn written(&self) -> Vec<&Dimensions> {
        match self {
            HeaderShape::Written(shape) => vec![shape],
            HeaderShape::Named(all) => all.iter().filter_map(|one| one.shape.as_ref()).collect(),
            HeaderShape::Missing(_) | HeaderShape::Wrong => Vec::new(),
        }
    }
}

/// A shape in brackets.
#[derive(Clone, Debug)]
pub struct Dimensions {
    /// The brackets.
    pub span: Span,
    /// The dimensions.
    pub dimensions: Vec<Expression>,
}

/// `const WIDTH: usize = 16;`
#[derive(Clone, Debug)]
pub struct Constant {
    /// Its name.
    pub name: Ident,
    /// Its value.
    pub value: Expression,
}

/// `block basic(out, stride = 1) { … }`
#[derive(Clone, Debug)]
pub struct Block {
    /// The lines of its documentation.
    pub docs: Vec<String>,
    /// Its name, the word that uses it.
    pub name: Ident,
    /// Its parameters, which a use may set.
    pub parameters: Vec<Parameter>,
    /// Its layers.
    pub entries: Vec<Entry>,
}

/// A parameter of a block.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: Ident,
    /// Its default, for uses that give no value.
    pub default: Option<Expression>,
}

/// One entry, between two commas.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A layer, a use of a block, or a layer that reads values by name.
    Layer(Layer),
    /// Braces with layers in them.
    Structure(Structure),
    /// Something with a mistake that is already reported; nothing is known of the value after it.
    Gap,
}

/// A layer as it was written.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The lines of its documentation.
    pub docs: Vec<String>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// The name before the colon.
    pub name: Option<Ident>,
    /// The keyword, or the first word of a path.
    pub keyword: Ident,
    /// The path to a net or a layer of the user's own, if one stands in place of a keyword.
    pub path: Option<TokenStream>,
    /// The arguments in parentheses.
    pub arguments: Vec<Argument>,
    /// Whether it stands in for something with a mistake that is already reported: it is what was likely meant.
    pub corrected: bool,
}

/// Braces with layers in them.
#[derive(Clone, Debug)]
pub struct Structure {
    /// The lines of its documentation.
    pub docs: Vec<String>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// The name before the colon.
    pub name: Option<Ident>,
    /// The word before the braces.
    pub keyword: Ident,
    /// Which structure it is, with its layers.
    pub kind: StructureKind,
}

/// The structures of the language.
#[derive(Clone, Debug)]
pub enum StructureKind {
    /// `residual { … } shortcut { … }`
    Residual {
        /// The layers in the first braces.
        body: Vec<Entry>,
        /// The shortcut; `None` if it is the value itself.
        shortcut: Option<Shortcut>,
    },
    /// `concat { branch { … } branch { … } }`
    Concat {
        /// The branches in order.
        branches: Vec<Branch>,
    },
    /// `repeat(3) { … }`
    Repeat {
        /// How often the layers are repeated.
        count: Expression,
        /// The layers in the braces.
        body: Vec<Entry>,
    },
}

/// `shortcut { … }`
#[derive(Clone, Debug)]
pub struct Shortcut {
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// The word `shortcut`.
    pub keyword: Ident,
    /// Its layers; without any, it keeps the value.
    pub entries: Vec<Entry>,
}

/// `branch { … }`
#[derive(Clone, Debug)]
pub struct Branch {
    /// The lines of its documentation.
    pub docs: Vec<String>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// The name before the colon.
    pub name: Option<Ident>,
    /// The word `branch`.
    pub keyword: Ident,
    /// Its layers; without any, it keeps the value.
    pub entries: Vec<Entry>,
}

/// An argument as it was written.
#[derive(Clone, Debug)]
pub struct Argument {
    /// The name before the equals sign.
    pub key: Option<Ident>,
    /// The value.
    pub value: Expression,
}

/// Parses a declaration. If the struct has no name, there is nothing to declare, and only mistakes are
/// returned.
pub fn parse(input: TokenStream) -> (Option<Declaration>, Vec<Mistake>) {
    let mut mistakes = Vec::new();
    let declaration = header::declaration(input, &mut mistakes);
    (declaration, mistakes)
}

/// The tokens that are still to be parsed.
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
mod habits_tests;
#[cfg(test)]
mod shapes_tests;
#[cfg(test)]
mod tests;

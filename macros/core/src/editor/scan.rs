//! Which of a declaration's words stands for what, by its neighbours alone.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

use crate::layers::{self, FLOW, Kind, Layer};
use crate::tokens::{flat, ident, punct};

/// A word, or a place where one could stand.
pub(super) struct Word {
    pub(super) word: Option<Ident>,
    pub(super) place: Place,
}

/// What a word stands for.
pub(super) enum Place {
    /// A layer, a structure or a block.
    Layer,
    /// Something of the program, by this path.
    Path(TokenStream),
    /// The name of an argument of a layer, or its value.
    Argument { keyword: &'static str },
    /// The value of an argument that takes words.
    Word { keyword: &'static str, argument: &'static str },
    /// A constant, a generic or a block's parameter.
    Number,
    /// `true` or `false`.
    Flag,
    /// The meaning of a number in the header.
    Dimension,
    /// The name of a value: of the `last` that can be read there, or one before it.
    Value { last: usize },
}

impl Place {
    /// Whether the program around the declaration defines the word.
    pub(super) fn is_of_program(&self) -> bool {
        matches!(self, Place::Path(_) | Place::Flag)
    }
}

/// A word that the declaration defines.
pub(super) struct Named {
    pub(super) name: String,
    /// What an editor shows of it.
    pub(super) text: String,
}

/// A value with a name.
pub(super) struct Value {
    pub(super) named: Named,
    /// The number of the value before it that can be read where it can, from 1; 0 if there is none.
    pub(super) before: usize,
}

/// All words of a declaration, in their order.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) words: Vec<Word>,
    pub(super) blocks: Vec<Named>,
    pub(super) numbers: Vec<Named>,
    pub(super) values: Vec<Value>,
    /// The number of the last value that can be read, from 1; 0 if there is none.
    last: usize,
}

impl Scan {
    pub(super) fn of(input: TokenStream) -> Scan {
        let mut scan = Scan::default();
        let tokens = flat(input);
        // The body is the last group in braces; all before it is the header.
        let is_body = |token: &TokenTree| group(Some(token), Delimiter::Brace).is_some();
        let end = tokens.iter().rposition(is_body).unwrap_or(tokens.len());
        scan.header(&tokens[..end]);
        if let Some(body) = group(tokens.get(end), Delimiter::Brace) {
            scan.entries(&body);
        }
        scan
    }

    fn word(&mut self, word: &Ident, place: Place) {
        self.words.push(Word { word: Some(word.clone()), place });
    }

    fn gap(&mut self, place: Place) {
        self.words.push(Word { word: None, place });
    }

    /// Generics, names of inputs, and the words in shapes.
    fn header(&mut self, tokens: &[TokenTree]) {
        let mut inputs = false;
        for (index, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Ident(word) if word == "const" => {
                    if let Some(TokenTree::Ident(name)) = tokens.get(index + 1) {
                        self.number(name, "A const generic of the net.".into());
                    }
                }
                TokenTree::Punct(_) if is(token, ':') => inputs = true,
                TokenTree::Punct(_) if is(token, '-') => inputs = false,
                // Brackets that are no attribute's.
                TokenTree::Group(shape)
                    if shape.delimiter() == Delimiter::Bracket
                        && index.checked_sub(1).is_none_or(|before| !is(&tokens[before], '#')) =>
                {
                    self.shape(&flat(shape.stream()));
                }
                TokenTree::Group(shapes) if shapes.delimiter() == Delimiter::Parenthesis => {
                    for one in flat(shapes.stream()).split(|token| is(token, ',')) {
                        if let [TokenTree::Ident(name), shape @ ..] = one {
                            if let Some(shape) = group(shape.last(), Delimiter::Bracket) {
                                self.shape(&shape);
                            }
                            if inputs {
                                self.value(&name.to_string(), format!("The input {}", text(shape)));
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        if self.values.is_empty() {
            self.value("input", "The net's input.".into());
        }
    }

    /// What stands between the brackets of a shape.
    fn shape(&mut self, tokens: &[TokenTree]) {
        let dimensions: Vec<&[TokenTree]> = tokens.split(|token| is(token, ',')).collect();
        let meanings: &[&'static str] = match dimensions.len() {
            1 => &["features"],
            3 => &["channels", "height", "width"],
            _ => &[],
        };
        for (index, dimension) in dimensions.into_iter().enumerate() {
            match (dimension, meanings.get(index)) {
                ([TokenTree::Literal(number)], Some(meaning)) => {
                    self.word(&Ident::new(meaning, number.span()), Place::Dimension);
                }
                _ => self.expression(dimension),
            }
        }
    }

    fn number(&mut self, name: &Ident, text: String) {
        self.numbers.push(Named { name: name.to_string(), text });
    }

    fn value(&mut self, name: &str, text: String) {
        self.values.push(Value { named: Named { name: name.into(), text }, before: self.last });
        self.last = self.values.len();
    }

    /// The values that can be read where this is the last one.
    pub(super) fn values_to(&self, last: usize) -> impl Iterator<Item = &Value> {
        let value = |number: usize| self.values.get(number.checked_sub(1)?);
        std::iter::successors(value(last), move |one| value(one.before))
    }

    /// Entries in braces, whose names are local; those of blocks and repeats read none from around them.
    fn inside(&mut self, braces: &[TokenTree], closed: bool) {
        let around = self.last;
        if closed {
            self.last = 0;
        }
        self.entries(braces);
        self.last = around;
    }

    /// What stands between two braces.
    fn entries(&mut self, mut tokens: &[TokenTree]) {
        while let Some((first, rest)) = tokens.split_first() {
            tokens = match (first, rest) {
                (TokenTree::Ident(word), [TokenTree::Ident(name), rest @ ..])
                    if word == "const" =>
                {
                    self.gap(Place::Layer);
                    self.constant(name, rest)
                }
                (TokenTree::Ident(word), [TokenTree::Ident(name), rest @ ..])
                    if word == "block" =>
                {
                    self.gap(Place::Layer);
                    self.block(name, rest)
                }
                (TokenTree::Ident(name), [colon, after @ ..])
                    if is(colon, ':') && (!is_path(rest) || is_path(after)) =>
                {
                    self.named(name, after)
                }
                (TokenTree::Ident(_), _) => self.layer(tokens),
                _ if is_path(tokens) => self.layer(tokens),
                _ => rest,
            };
        }
        self.gap(Place::Layer);
    }

    /// What is behind `const NAME`.
    fn constant<'a>(&mut self, name: &Ident, tokens: &'a [TokenTree]) -> &'a [TokenTree] {
        let end = tokens.iter().position(|token| is(token, ';')).unwrap_or(tokens.len());
        let (constant, rest) = tokens.split_at(end);
        if let Some(equals) = constant.iter().position(|token| is(token, '=')) {
            self.expression(&constant[equals + 1..]);
        }
        self.number(name, format!("`const {name}{}`", text(constant)));
        rest
    }

    /// What is behind `block name`.
    fn block<'a>(&mut self, name: &Ident, tokens: &'a [TokenTree]) -> &'a [TokenTree] {
        let mut head = format!("block {name}");
        let mut rest = tokens;
        if let Some(parameters) = group(rest.first(), Delimiter::Parenthesis) {
            head += &format!("({})", text(&parameters));
            for parameter in parameters.split(|token| is(token, ',')) {
                if let [TokenTree::Ident(name), default @ ..] = parameter {
                    if let [_, default @ ..] = default {
                        self.expression(default);
                    }
                    self.number(name, format!("`{}`, a parameter of a block.", text(parameter)));
                }
            }
            rest = &rest[1..];
        }
        let head = Named { name: name.to_string(), text: format!("`{head}`") };
        if let Some(body) = group(rest.first(), Delimiter::Brace) {
            self.inside(&body, true);
            rest = &rest[1..];
        }
        self.blocks.push(head);
        rest
    }

    /// What is behind `name:`.
    fn named<'a>(&mut self, name: &Ident, tokens: &'a [TokenTree]) -> &'a [TokenTree] {
        let rest = self.layer(tokens);
        let written = &tokens[..tokens.len() - rest.len()];
        self.value(&name.to_string(), format!("`{name}: {}`", text(written)));
        rest
    }

    /// A layer, a structure or a use of a block, with what stands in its parentheses and braces; a gap where
    /// none is.
    fn layer<'a>(&mut self, tokens: &'a [TokenTree]) -> &'a [TokenTree] {
        let (path, mut rest) = path(tokens);
        let Some(TokenTree::Ident(word)) = path.last() else {
            self.gap(Place::Layer);
            return rest;
        };
        let of_program = path.len() > 1 || word.to_string().starts_with(char::is_uppercase);
        if of_program {
            // A word before it would be one of ours.
            self.gap(Place::Layer);
            self.word(word, Place::Path(path.iter().cloned().collect()));
        } else {
            self.word(word, Place::Layer);
        }
        if let Some(arguments) = group(rest.first(), Delimiter::Parenthesis) {
            let keyword = if of_program { String::new() } else { word.to_string() };
            self.arguments(&keyword, &arguments);
            rest = &rest[1..];
        }
        if let Some(body) = group(rest.first(), Delimiter::Brace) {
            self.inside(&body, word == "repeat");
            rest = &rest[1..];
        }
        rest
    }

    fn arguments(&mut self, keyword: &str, tokens: &[TokenTree]) {
        let layer = layers::find(keyword);
        for piece in tokens.split(|token| is(token, ',')) {
            if FLOW.contains(&keyword) {
                self.joined(piece);
            } else if let Some(layer) = layer {
                self.argument(layer, piece);
            } else {
                let value = match piece {
                    [TokenTree::Ident(_), equals, value @ ..] if is(equals, '=') => value,
                    _ => piece,
                };
                self.expression(value);
            }
        }
    }

    /// The names of values in `add(…)`, `mul(…)`, `concat(…)` and `from(…)`.
    fn joined(&mut self, piece: &[TokenTree]) {
        let last = self.last;
        for token in piece {
            if let TokenTree::Ident(word) = token {
                self.word(word, Place::Value { last });
            }
        }
        if piece.is_empty() {
            self.gap(Place::Value { last });
        }
    }

    fn argument(&mut self, layer: &'static Layer, piece: &[TokenTree]) {
        let keyword = layer.keyword;
        match piece {
            [] => self.gap(Place::Argument { keyword }),
            [TokenTree::Ident(key), equals, value @ ..] if is(equals, '=') => {
                self.word(key, Place::Argument { keyword });
                let position = layer.position(&key.to_string());
                let argument = position.map(|position| &layer.arguments[position]);
                let place = argument.and_then(|argument| match argument.kind {
                    Kind::Flag => Some(Place::Flag),
                    kind if kind.words().is_empty() => None,
                    _ => Some(Place::Word { keyword, argument: argument.name }),
                });
                match (place, value) {
                    (Some(place), []) => self.gap(place),
                    (Some(place), [TokenTree::Ident(word)]) => self.word(word, place),
                    _ => self.expression(value),
                }
            }
            // Another word behind it is one that was there before.
            [TokenTree::Ident(word), rest @ ..]
                if !is_path(rest) && (rest.is_empty() || ident(rest.first()).is_some()) =>
            {
                self.word(word, Place::Argument { keyword });
                if !rest.is_empty() {
                    self.argument(layer, rest);
                }
            }
            _ => self.expression(piece),
        }
    }

    /// The words in a number, a pair or a shape.
    fn expression(&mut self, mut tokens: &[TokenTree]) {
        // Behind a sign a number belongs.
        let mut open = true;
        while let Some((first, rest)) = tokens.split_first() {
            open = matches!(first, TokenTree::Punct(_));
            let (path, behind) = path(tokens);
            tokens = if path.is_empty() { rest } else { behind };
            match (first, path) {
                (TokenTree::Group(inner), _) => self.expression(&flat(inner.stream())),
                (_, [TokenTree::Ident(word)]) => self.word(word, Place::Number),
                (_, [.., TokenTree::Ident(word)]) => {
                    self.word(word, Place::Path(path.iter().cloned().collect()));
                    open = false;
                }
                _ => {}
            }
        }
        if open {
            self.gap(Place::Number);
        }
    }
}

/// A path at the start, and what is behind it.
fn path(tokens: &[TokenTree]) -> (&[TokenTree], &[TokenTree]) {
    let mut length = usize::from(ident(tokens.first()).is_some());
    while is_path(&tokens[length..]) {
        length += 2;
        match tokens.get(length) {
            Some(TokenTree::Ident(_)) => length += 1,
            _ => break,
        }
    }
    tokens.split_at(length)
}

/// Whether `::` comes next.
fn is_path(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [first, second, ..] if is(first, ':') && is(second, ':'))
}

fn is(token: &TokenTree, character: char) -> bool {
    punct(Some(token), character).is_some()
}

/// What a group of this kind holds.
fn group(token: Option<&TokenTree>, delimiter: Delimiter) -> Option<Vec<TokenTree>> {
    match token {
        Some(TokenTree::Group(group)) if group.delimiter() == delimiter => {
            Some(flat(group.stream()))
        }
        _ => None,
    }
}

fn text(tokens: &[TokenTree]) -> String {
    tokens.iter().cloned().collect::<TokenStream>().to_string()
}

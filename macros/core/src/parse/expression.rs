//! The values of arguments, dimensions and constants: numbers, flags, pairs, names and arithmetic.

use std::fmt;

use proc_macro2::{Delimiter, Ident, Literal, Span, TokenStream, TokenTree};
use syn::parse::Parser;

use super::{flat, punct};
use crate::Mistake;
use crate::mistake::Place;

/// How deep parentheses and signs nest, and how many operators an expression has, at most: far more
/// than anyone writes, and few enough that reading it takes little of the stack.
const MOST: usize = 64;

/// A value as it was written.
#[derive(Clone, Debug)]
pub struct Expression {
    /// Its tokens; where there are none, those of what it belongs to.
    pub place: Place,
    /// Its form.
    pub form: Form,
}

impl Expression {
    /// The names that it is made of, from left to right.
    pub fn names(&self) -> Vec<&Ident> {
        match &self.form {
            Form::Name(name) => vec![name],
            Form::Negative(inner) => inner.names(),
            Form::Arithmetic(sides, _) | Form::Pair(sides) => {
                sides.iter().flat_map(Expression::names).collect()
            }
            Form::List(items) => items.iter().flat_map(Expression::names).collect(),
            _ => Vec::new(),
        }
    }
}

/// The forms of a value.
#[derive(Clone, Debug)]
pub enum Form {
    /// `3`
    Integer(usize),
    /// `0.5`
    Float(f64),
    /// `true`
    Flag(bool),
    /// `WIDTH`: a constant, a parameter of a block, or the name of a value.
    Name(Ident),
    /// `crate::WIDTH`: a constant of the user's crate.
    Path(TokenStream),
    /// `-x`
    Negative(Box<Expression>),
    /// `a + b`
    Arithmetic(Box<[Expression; 2]>, Operator),
    /// `(height, width)`
    Pair(Box<[Expression; 2]>),
    /// `[channels, height, width]`
    List(Vec<Expression>),
    /// Anything else, as text.
    Other(String),
    /// A value with a mistake that is already reported.
    Wrong,
}

/// An operator between two numbers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`, rounded down.
    Divide,
    /// `%`
    Remainder,
}

impl Operator {
    const ALL: [Operator; 5] = [
        Operator::Add,
        Operator::Subtract,
        Operator::Multiply,
        Operator::Divide,
        Operator::Remainder,
    ];

    fn sign(self) -> char {
        match self {
            Operator::Add => '+',
            Operator::Subtract => '-',
            Operator::Multiply => '*',
            Operator::Divide => '/',
            Operator::Remainder => '%',
        }
    }

    /// Whether it binds tighter than `+` and `-`.
    fn binds(self) -> bool {
        !matches!(self, Operator::Add | Operator::Subtract)
    }

    fn read(token: Option<&TokenTree>, binds: bool) -> Option<Operator> {
        Operator::ALL
            .into_iter()
            .find(|one| one.binds() == binds && punct(token, one.sign()).is_some())
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.sign())
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.form {
            Form::Integer(number) => write!(f, "{number}"),
            Form::Float(number) => write!(f, "{number:?}"),
            Form::Flag(flag) => write!(f, "{flag}"),
            Form::Name(name) => write!(f, "{name}"),
            Form::Path(path) => f.write_str(&path_text(path)),
            Form::Negative(inner) if matches!(inner.form, Form::Arithmetic(..)) => {
                write!(f, "-({inner})")
            }
            Form::Negative(inner) => write!(f, "-{inner}"),
            Form::Arithmetic(sides, operator) => {
                for (i, side) in sides.iter().enumerate() {
                    if i == 1 {
                        write!(f, " {operator} ")?;
                    }
                    let parentheses = match side.form {
                        Form::Arithmetic(_, inner) if i == 0 => operator.binds() && !inner.binds(),
                        Form::Arithmetic(_, inner) => operator.binds() || !inner.binds(),
                        _ => false,
                    };
                    if parentheses { write!(f, "({side})")? } else { write!(f, "{side}")? }
                }
                Ok(())
            }
            Form::Pair(sides) => write!(f, "({}, {})", sides[0], sides[1]),
            Form::List(items) => {
                let items: Vec<String> = items.iter().map(Expression::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
            Form::Other(text) => f.write_str(text),
            Form::Wrong => f.write_str("?"),
        }
    }
}

/// A path as it is written, without spaces.
pub fn path_text(path: &TokenStream) -> String {
    path.clone().into_iter().map(|token| token.to_string()).collect()
}

/// The pieces between commas; a trailing comma makes no piece, a doubled one an empty piece.
pub(super) fn pieces(tokens: &[TokenTree]) -> Vec<&[TokenTree]> {
    let mut pieces: Vec<&[TokenTree]> =
        tokens.split(|token| punct(Some(token), ',').is_some()).collect();
    if pieces.last().is_some_and(|last| last.is_empty()) {
        pieces.pop();
    }
    pieces
}

/// The value that these tokens are, all of them; at `instead` where there are none.
pub(super) fn whole(
    tokens: &[TokenTree],
    instead: Span,
    mistakes: &mut Vec<Mistake>,
) -> Expression {
    let (value, rest) = first(tokens, instead, mistakes);
    if rest.is_empty() || matches!(value.form, Form::Wrong) {
        value
    } else {
        other(tokens, instead)
    }
}

/// The value at the start, and what comes after it.
pub(super) fn first<'a>(
    tokens: &'a [TokenTree],
    instead: Span,
    mistakes: &mut Vec<Mistake>,
) -> (Expression, &'a [TokenTree]) {
    let mut reader = Reader { all: tokens, rest: tokens, instead, operators: 0, mistakes };
    let value = reader.sum(0);
    (value, reader.rest)
}

fn other(tokens: &[TokenTree], instead: Span) -> Expression {
    let stream: TokenStream = tokens.iter().cloned().collect();
    Expression { place: Place::of(tokens, instead), form: Form::Other(text_of(&stream)) }
}

/// The tokens as they are written: a sign stands at its number, `-3`, where a stream of tokens prints
/// `- 3`.
pub(crate) fn text_of(stream: &TokenStream) -> String {
    let spaced = stream.to_string();
    let mut text = String::with_capacity(spaced.len());
    // What stands before the sign: within a sum it keeps its space.
    let (mut before, mut quoted, mut escaped, mut at_sign) = (None, false, false, false);
    for letter in spaced.chars() {
        if quoted {
            text.push(letter);
            quoted = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
            before = Some(letter);
            continue;
        }
        if letter == ' ' && at_sign {
            continue;
        }
        at_sign = letter == '-' && before.is_none_or(|before| "([{,;:=+-*/%<".contains(before));
        quoted = letter == '"';
        if letter != ' ' {
            before = Some(letter);
        }
        text.push(letter);
    }
    text
}

struct Reader<'a, 'm> {
    all: &'a [TokenTree],
    rest: &'a [TokenTree],
    instead: Span,
    operators: usize,
    mistakes: &'m mut Vec<Mistake>,
}

impl<'a> Reader<'a, '_> {
    fn next(&mut self) -> Option<&'a TokenTree> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    /// The tokens read since there were `before`.
    fn since(&self, before: &'a [TokenTree]) -> &'a [TokenTree] {
        &before[..before.len() - self.rest.len()]
    }

    fn made(&self, before: &'a [TokenTree], form: Form) -> Expression {
        Expression { place: Place::of(self.since(before), self.instead), form }
    }

    fn sum(&mut self, depth: usize) -> Expression {
        self.joined(depth, false)
    }

    /// Values joined by operators of one rank, from left to right.
    fn joined(&mut self, depth: usize, binds: bool) -> Expression {
        let before = self.rest;
        let operand = |reader: &mut Self| {
            if binds { reader.unary(depth) } else { reader.joined(depth, true) }
        };
        let mut left = operand(self);
        while let Some(operator) = Operator::read(self.rest.first(), binds) {
            let Some(sign) = self.next() else { break };
            self.operators += 1;
            if self.operators > MOST {
                return self.too_long();
            }
            if self.rest.is_empty() {
                let message = format!("a number is missing after `{operator}`");
                self.mistakes.push(Mistake::new(sign.span(), message));
                return self.made(before, Form::Wrong);
            }
            let right = operand(self);
            left = self.made(before, Form::Arithmetic(Box::new([left, right]), operator));
        }
        left
    }

    fn too_long(&mut self) -> Expression {
        self.rest = &[];
        let place = Place::of(self.all, self.instead);
        // Each level on the way out would say it again.
        if !self.mistakes.last().is_some_and(|last| last.message.starts_with("this is too long")) {
            let mistake = Mistake::new(place, "this is too long for one expression");
            self.mistakes.push(mistake.help("give parts of it names: `const PART: usize = …;`"));
        }
        Expression { place, form: Form::Wrong }
    }

    fn unary(&mut self, depth: usize) -> Expression {
        if depth > MOST {
            return self.too_long();
        }
        let before = self.rest;
        if punct(self.rest.first(), '-').is_none() {
            return self.atom(depth);
        }
        self.next();
        let inner = self.unary(depth + 1);
        match inner.form {
            Form::Float(number) => self.made(before, Form::Float(-number)),
            Form::Wrong => self.made(before, Form::Wrong),
            Form::Integer(_) | Form::Other(_) => other(self.since(before), self.instead),
            _ => self.made(before, Form::Negative(Box::new(inner))),
        }
    }

    fn atom(&mut self, depth: usize) -> Expression {
        let before = self.rest;
        let form = match self.next() {
            Some(TokenTree::Ident(word)) if word == "true" => Form::Flag(true),
            Some(TokenTree::Ident(word)) if word == "false" => Form::Flag(false),
            Some(TokenTree::Ident(word)) => {
                let end = self.after_name();
                if end == 0 {
                    return self.made(before, Form::Name(word.clone()));
                }
                self.rest = &self.rest[end..];
                match path(self.since(before)) {
                    Some(path) => Form::Path(path),
                    None => return other(self.since(before), self.instead),
                }
            }
            Some(TokenTree::Punct(colon)) if colon.as_char() == ':' => {
                let end = self.rest.iter().take_while(of_path).count();
                self.rest = &self.rest[end..];
                match path(self.since(before)) {
                    Some(path) => Form::Path(path),
                    None => return other(self.since(before), self.instead),
                }
            }
            Some(TokenTree::Literal(literal)) => number(literal, self.mistakes),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
                let inner = flat(group.stream());
                match self.inside(&inner, group.span(), depth + 1) {
                    Some(form) => form,
                    None => return other(self.since(before), self.instead),
                }
            }
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => {
                let inner = flat(group.stream());
                match self.list(&inner, group.span(), depth + 1) {
                    Some(items) => Form::List(items),
                    None => return other(self.since(before), self.instead),
                }
            }
            _ => return other(self.since(before), self.instead),
        };
        self.made(before, form)
    }

    /// How many tokens after a word make it a path or a call.
    fn after_name(&self) -> usize {
        match self.rest {
            [TokenTree::Group(group), ..] if group.delimiter() == Delimiter::Parenthesis => 1,
            [first, second, ..]
                if punct(Some(first), ':').is_some() && punct(Some(second), ':').is_some() =>
            {
                let path = self.rest.iter().take_while(of_path).count();
                match self.rest.get(path) {
                    Some(TokenTree::Group(group))
                        if group.delimiter() == Delimiter::Parenthesis =>
                    {
                        path + 1
                    }
                    _ => path,
                }
            }
            _ => 0,
        }
    }

    /// What stands in parentheses: a value or two.
    fn inside(&mut self, tokens: &[TokenTree], instead: Span, depth: usize) -> Option<Form> {
        let all = pieces(tokens);
        let mut one = |tokens| self.value(tokens, instead, depth);
        match all.as_slice() {
            [inner] if tokens.len() == inner.len() => one(inner).map(|value| value.form),
            [height, width] if !height.is_empty() && !width.is_empty() => {
                Some(Form::Pair(Box::new([one(height)?, one(width)?])))
            }
            _ => None,
        }
    }

    /// What stands in brackets.
    fn list(
        &mut self,
        tokens: &[TokenTree],
        instead: Span,
        depth: usize,
    ) -> Option<Vec<Expression>> {
        pieces(tokens).into_iter().map(|piece| self.value(piece, instead, depth)).collect()
    }

    /// The value that these tokens are, if they are one.
    fn value(&mut self, tokens: &[TokenTree], instead: Span, depth: usize) -> Option<Expression> {
        let mistakes = &mut *self.mistakes;
        let mut reader = Reader { all: tokens, rest: tokens, instead, operators: 0, mistakes };
        let value = reader.sum(depth);
        reader.rest.is_empty().then_some(value)
    }
}

/// Whether a token may be part of a path.
fn of_path(token: &&TokenTree) -> bool {
    matches!(token, TokenTree::Ident(_)) || punct(Some(token), ':').is_some()
}

/// The path that these tokens are, if they are names with `::` between them.
pub(super) fn path(tokens: &[TokenTree]) -> Option<TokenStream> {
    let mut rest = tokens;
    let mut names = 0;
    let separator = |rest: &[TokenTree]| {
        punct(rest.first(), ':').is_some() && punct(rest.get(1), ':').is_some()
    };
    if separator(rest) {
        rest = &rest[2..];
    }
    loop {
        let (TokenTree::Ident(_), after) = rest.split_first()? else { return None };
        names += 1;
        if after.is_empty() {
            break;
        }
        if !separator(after) {
            return None;
        }
        rest = &after[2..];
    }
    let stream: TokenStream = tokens.iter().cloned().collect();
    // Not `const::usize`, nor `my::fn`.
    let is_path = || syn::Path::parse_mod_style.parse2(stream.clone()).is_ok();
    ((names > 1 || tokens.len() > 1) && is_path()).then_some(stream)
}

fn number(literal: &Literal, mistakes: &mut Vec<Mistake>) -> Form {
    let token = TokenTree::Literal(literal.clone());
    match syn::parse2::<syn::Lit>(token.into()) {
        Ok(syn::Lit::Int(number)) if matches!(number.suffix(), "" | "usize") => {
            number.base10_parse().map_or_else(
                |_| {
                    let message = format!("`{number}` is too large a number");
                    mistakes.push(Mistake::new(literal.span(), message));
                    Form::Wrong
                },
                Form::Integer,
            )
        }
        Ok(syn::Lit::Float(number)) if matches!(number.suffix(), "" | "f32" | "f64") => {
            number.base10_parse().map_or_else(|_| Form::Other(literal.to_string()), Form::Float)
        }
        _ => Form::Other(literal.to_string()),
    }
}

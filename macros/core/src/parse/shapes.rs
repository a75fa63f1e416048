//! `: [1, 28, 28] -> [10]`: the shapes of the header. What stands there in another notation is one
//! mistake that shows it as it should be.

use proc_macro2::{Delimiter, Group, Ident, TokenTree};

use super::expression::{self, pieces};
use super::notation::{self, Notation};
use super::{Dimensions, Form, HeaderShape, NamedShape, Tokens, flat, ident, punct, shown};
use crate::Mistake;
use crate::mistake::Place;

pub(super) const FORM: &str =
    "write `pub struct Name: [channels, height, width] -> [classes] { layers }`";

/// The shapes of a header.
pub(super) struct Header {
    pub(super) input: HeaderShape,
    pub(super) output: HeaderShape,
    /// Whether a mistake leaves open which names the inputs have, and which the heads.
    pub(super) open_names: [bool; 2],
}

/// Which of the two shapes.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Input,
    Output,
}

impl Side {
    fn word(self) -> &'static str {
        match self {
            Side::Input => "input",
            Side::Output => "output",
        }
    }

    /// How it may look.
    fn form(self) -> &'static str {
        match self {
            Side::Input => "`[channels, height, width]` for images, or `[features]`",
            Side::Output => "`[10]` for ten classes, say",
        }
    }
}

/// Reads the tokens between the struct's name and generics and the layers.
pub(super) fn header(all: &[TokenTree], name: &Ident, mistakes: &mut Vec<Mistake>) -> Header {
    let mut reader = Shapes {
        after: name.span().into(),
        name: name.clone(),
        mistakes,
        open_names: [false; 2],
        notations: Vec::new(),
        rules: Vec::new(),
    };
    let (input, output) = reader.both(all);
    Header { input, output, open_names: reader.open_names }
}

struct Shapes<'m> {
    /// What stands before the shape.
    after: Place,
    name: Ident,
    mistakes: &'m mut Vec<Mistake>,
    open_names: [bool; 2],
    /// Shapes in another notation: which mistake that is, what a shape is instead, and the shape as it is
    /// written here, if that is clear.
    notations: Vec<(usize, &'static str, Option<String>)>,
    /// What was said of the shapes of inputs and heads with names.
    rules: Vec<(Side, &'static str)>,
}

impl Shapes<'_> {
    fn report(&mut self, place: impl Into<Place>, message: impl Into<String>, help: &str) {
        self.mistakes.push(Mistake::new(place, message).help(help));
    }

    fn both(&mut self, all: &[TokenTree]) -> (HeaderShape, HeaderShape) {
        let tokens = self.after_colon(all);
        if tokens.is_empty() {
            // That the output's is missing too is said with it.
            return (HeaderShape::Missing(self.after), HeaderShape::Wrong);
        }
        let Some((at, len)) = self.arrow(tokens) else {
            let before = self.mistakes.len();
            let input = self.side(tokens, Side::Input);
            // What could not be read may have been meant as both.
            let output = match self.mistakes.len() > before {
                true => HeaderShape::Wrong,
                false => HeaderShape::Missing(self.after),
            };
            return (input, output);
        };
        let arrow = Place::of(&tokens[at..at + len], self.name.span());
        let input = self.side(&tokens[..at], Side::Input);
        if len > 0 {
            self.after = arrow;
        }
        let output = self.side(&tokens[at + len..], Side::Output);
        self.say_once();
        (input, output)
    }

    /// Says in one what is wrong with both shapes alike.
    fn say_once(&mut self) {
        let [(first, rule, input), (second, other, output)] = self.notations.as_slice() else {
            return;
        };
        if rule != other {
            return;
        }
        let place = Place {
            start: self.mistakes[*first].place.start,
            end: self.mistakes[*second].place.end,
        };
        let help = match (input, output) {
            (Some(input), Some(output)) => format!("write `{input} -> {output}`"),
            _ => "write `[1, 28, 28] -> [10]`, say".into(),
        };
        let mistake = Mistake::new(place, format!("each shape {rule}")).help(help);
        let (first, second) = (*first, *second);
        self.mistakes[first] = mistake;
        self.mistakes.remove(second);
    }

    /// Reports a shape in another notation.
    fn in_other_notation(
        &mut self,
        place: Place,
        what: &str,
        rule: &'static str,
        found: Option<Notation>,
        side: Side,
    ) -> Option<Dimensions> {
        let written = found.and_then(written);
        let help = match &written {
            Some((text, Some(batch))) => format!(
                "write `{text}`: a net takes as many images as it is given, {batch} or others"
            ),
            Some((text, None)) => format!("write `{text}`"),
            None => format!("write {}", side.form()),
        };
        // Not that of one of several.
        if what == side.word() {
            self.notations.push((self.mistakes.len(), rule, written.map(|(text, _)| text)));
        }
        self.report(place, format!("the {what} shape {rule}"), &help);
        None
    }

    /// The tokens behind the colon that stands after the name.
    fn after_colon<'t>(&mut self, all: &'t [TokenTree]) -> &'t [TokenTree] {
        let signs = all.iter().take_while(|one| is_sign(one, ":=")).count();
        let rest = &all[signs..];
        // The arrow `=>`.
        if signs == 1 && is_sign(&all[0], "=") && rest.first().is_some_and(|one| is_sign(one, ">"))
        {
            return all;
        }
        let help = format!("write `{}: [1, 28, 28] -> [10]`", self.name);
        let message = match all {
            _ if signs == 1 && is_sign(&all[0], ":") => return rest,
            [TokenTree::Group(_) | TokenTree::Ident(_) | TokenTree::Literal(_), ..] => {
                let place = Place { start: self.name.span(), end: all[0].span() };
                self.report(place, format!("a colon is missing after `{}`", self.name), &help);
                return rest;
            }
            _ if signs == 0 => return rest,
            _ => format!("one colon stands after `{}`", self.name),
        };
        let place = Place::of(&all[..signs], self.name.span());
        self.report(place, message, &help);
        rest
    }

    /// Where the arrow between the shapes stands, and how many tokens it takes; none where only its
    /// place is sure.
    fn arrow(&mut self, tokens: &[TokenTree]) -> Option<(usize, usize)> {
        let rest = |at: usize| Tokens::new(&tokens[at..]);
        if let Some(at) = (0..tokens.len()).find(|&at| rest(at).is_at(0, "->")) {
            return Some((at, 2));
        }
        const MESSAGE: &str = "an arrow `->` stands between input and output shape";
        for wrong in ["=>", "<-", "~>", "|>", ">>", "--", "-"] {
            if let Some(at) = (0..tokens.len()).find(|&at| rest(at).is_at(0, wrong)) {
                let len = wrong.len();
                // A sign before a number.
                if wrong == "-" && matches!(tokens.get(at + 1), Some(TokenTree::Literal(_))) {
                    continue;
                }
                let place = Place::of(&tokens[at..at + len], self.name.span());
                self.report(place, format!("{MESSAGE}, not `{wrong}`"), "");
                return Some((at, len));
            }
        }
        // Two shapes with another word or nothing between them.
        let groups: Vec<usize> = (0..tokens.len()).filter(|&at| is_shape(&tokens[at])).collect();
        let &[first, second] = groups.as_slice() else { return None };
        let (between, rest) = (&tokens[first + 1..second], &tokens[second + 1..]);
        let is_word =
            |one: &TokenTree| matches!(one, TokenTree::Ident(_)) || is_sign(one, ">,:;|~");
        if first > 0 || !rest.is_empty() || between.len() > 1 || !between.iter().all(is_word) {
            return None;
        }
        let help = "write `->` between them";
        match between {
            [word] => self.report(word.span(), format!("{MESSAGE}, not `{word}`"), help),
            _ => {
                let place = Place { start: tokens[first].span(), end: tokens[second].span() };
                self.report(place, "the arrow between input and output shape is missing", help);
            }
        }
        Some((first + 1, between.len()))
    }

    fn side(&mut self, tokens: &[TokenTree], side: Side) -> HeaderShape {
        let Some(last) = tokens.last() else { return HeaderShape::Missing(self.after) };
        self.after = match tokens {
            [one] => one.span().into(),
            _ => Place { start: last.span(), end: last.span() },
        };
        match tokens {
            [TokenTree::Group(group)]
                if group.delimiter() != Delimiter::Parenthesis
                    && names_without_parentheses(&flat(group.stream())).is_some() =>
            {
                self.names_elsewhere(tokens, &flat(group.stream()), side)
            }
            [TokenTree::Group(group)] if group.delimiter() == Delimiter::Bracket => {
                match self.dimensions(group, side, side.word()) {
                    Some(dimensions) => HeaderShape::Written(dimensions),
                    None => HeaderShape::Wrong,
                }
            }
            [TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => {
                self.parenthesized(group, side)
            }
            tokens => self.other(tokens, side),
        }
    }

    /// What stands in parentheses: names with shapes, or else a shape.
    fn parenthesized(&mut self, group: &Group, side: Side) -> HeaderShape {
        let inner = flat(group.stream());
        let has_names = inner.iter().enumerate().any(|(at, token)| {
            let path = inner.get(at + 1).is_some_and(|next| is_sign(next, ":"))
                || at > 0 && is_sign(&inner[at - 1], ":");
            (is_sign(token, ":") && !path) || is_shape(token)
        });
        let mut all = pieces(&inner).into_iter();
        // `(image, pose)`, but not `(CHANNELS, 8, 8)`.
        let of_words = all.all(|piece| matches!(piece, [TokenTree::Ident(word)] if is_lower(word)));
        let found = notation::read(&[group.clone().into()]);
        // `(c: 1, h: 28, w: 28)`
        let of_dimensions = found.as_ref().is_some_and(|found| found.is_named);
        if inner.is_empty() || (has_names && !of_dimensions) || of_words {
            return self.named(group, &inner, side);
        }
        let rule = "stands in brackets, not parentheses";
        self.in_other_notation(group.span().into(), side.word(), rule, found, side);
        HeaderShape::Wrong
    }

    /// What stands neither in brackets nor in parentheses, or not alone.
    fn other(&mut self, tokens: &[TokenTree], side: Side) -> HeaderShape {
        let what = side.word();
        let all = pieces(tokens);
        if all.len() > 1 && all.iter().all(|piece| matches!(piece, [one] if is_shape(one))) {
            return self.several_without_names(tokens, side);
        }
        // A shape with something behind it.
        if let [shape, behind, ..] = tokens
            && is_shape(shape)
        {
            let place = Place::of(&tokens[1..], behind.span());
            if Tokens::new(&tokens[1..]).is_at(0, "->") {
                let help = "the shapes between are those of the layers, which the compiler knows";
                let message = "a header has one arrow, from the input shape to the output shape";
                self.report(place, message, help);
                return HeaderShape::Wrong;
            }
            let found = shown(behind);
            let (message, help) = match side {
                Side::Input => (
                    format!("expected an arrow `->` after the input shape, found `{found}`"),
                    "write `[1, 28, 28] -> [10]`",
                ),
                Side::Output => (format!("expected the layers in braces, found `{found}`"), FORM),
            };
            self.report(place, message, help);
            return self.side(&tokens[..1], side);
        }
        if names_without_parentheses(tokens).is_some() {
            return self.names_elsewhere(tokens, tokens, side);
        }
        let Some(found) = notation::read(tokens) else {
            let help = format!("write {}", side.form());
            let place = Place::of(tokens, self.name.span());
            let text = text_of(tokens);
            self.report(place, format!("the {what} shape stands in brackets, not `{text}`"), &help);
            return HeaderShape::Wrong;
        };
        let place = found.place.unwrap_or_else(|| Place::of(tokens, self.name.span()));
        let rule = found.rule(false);
        self.in_other_notation(place, what, rule, Some(found), side);
        HeaderShape::Wrong
    }

    /// `[3, 32, 32], [6]`: said once for both sides.
    fn several_without_names(&mut self, tokens: &[TokenTree], side: Side) -> HeaderShape {
        let [inputs, _] = self.open_names;
        if !(side == Side::Output && inputs) {
            let (message, help) = match side {
                Side::Input => (
                    "several inputs have names and stand in parentheses",
                    "write `(image: [3, 32, 32], pose: [6])`, say",
                ),
                Side::Output => (
                    "several heads have their layers' names and stand in parentheses",
                    "write `(class: [10], bbox: [4])`, say",
                ),
            };
            self.report(Place::of(tokens, self.name.span()), message, help);
        }
        self.open_names[side as usize] = true;
        HeaderShape::Wrong
    }

    /// Names with shapes that do not stand in parentheses.
    fn names_elsewhere(
        &mut self,
        tokens: &[TokenTree],
        inner: &[TokenTree],
        side: Side,
    ) -> HeaderShape {
        if let Some(all) = names_without_parentheses(inner) {
            let texts: Option<Vec<String>> =
                all.iter().map(|piece| name_and_shape(piece)).collect();
            let each = if side == Side::Input { "inputs" } else { "heads" };
            let mut help = match &texts {
                Some(texts) => format!("write `({})`", texts.join(", ")),
                None => "write `(name: [6])`, say".into(),
            };
            let one = all.len() == 1;
            if let ([_], Some([text])) = (all.as_slice(), texts.as_deref())
                && let Some((_, shape)) = text.split_once(": ")
            {
                help = format!("leave the name out: `{shape}`; or {help}");
            }
            let names = all.iter().filter_map(|piece| ident(piece.first()).cloned());
            let named = names.map(|name| NamedShape { name, shape: None }).collect();
            let place = Place::of(tokens, self.name.span());
            self.report(place, format!("{each} with names stand in parentheses"), &help);
            // One may be no name for the program.
            if !one {
                return HeaderShape::Named(named);
            }
        }
        self.open_names[side as usize] = true;
        HeaderShape::Wrong
    }

    /// Several inputs, or several heads: each a name, a colon and a shape.
    fn named(&mut self, group: &Group, inner: &[TokenTree], side: Side) -> HeaderShape {
        let what = side.word();
        let (a, each, help) = match side {
            Side::Input => ("an", "input", "name each input: `(image: [3, 32, 32], pose: [6])`"),
            Side::Output => {
                ("a", "head", "name each head like its layer: `(class: [10], bbox: [4])`")
            }
        };
        let as_written = |all: Vec<String>| format!("write `({})`", all.join(", "));
        let corrected: Option<Vec<String>> =
            pieces(inner).into_iter().map(name_and_shape).collect();
        let corrected = corrected.filter(|all| !all.is_empty()).map(as_written);
        let help = corrected.as_deref().unwrap_or(help);
        let mut all = Vec::new();
        // What is wrong with one of them is often wrong with all.
        let mut said: Vec<&str> = Vec::new();
        for piece in pieces(inner) {
            let mut tokens = Tokens::new(piece);
            let place = Place::of(piece, group.span());
            let (kind, mistake) = match tokens.next() {
                None => {
                    let message = format!("{a} {each} is missing between two commas");
                    ("missing", Mistake::new(place, message))
                }
                Some(TokenTree::Ident(name)) => {
                    let colon = tokens.punct(':').is_some() || tokens.punct('=').is_some();
                    let shape = tokens.group(Delimiter::Bracket);
                    let shape_name = format!("`{name}` {what}");
                    let found = shape.and_then(|shape| self.dimensions(shape, side, &shape_name));
                    all.push(NamedShape { name: name.clone(), shape: found });
                    match (shape, tokens.peek()) {
                        (Some(_), None) if piece.len() == 3 && is_sign(&piece[1], ":") => continue,
                        (Some(_), None) => {
                            let message = format!("a colon stands after the name of the {each}");
                            ("colon", Mistake::new(place, message))
                        }
                        (Some(_), Some(token)) => {
                            let message = format!("expected a comma, found `{}`", shown(token));
                            ("comma", Mistake::new(token.span(), message))
                        }
                        (None, Some(_)) if colon => {
                            let tokens = tokens.rest;
                            let message =
                                format!("the shape of the {each} `{name}` stands in brackets");
                            let place = Place::of(tokens, group.span());
                            ("brackets", Mistake::new(place, message))
                        }
                        (None, _) => {
                            let message = format!("the shape of the {each} `{name}` is missing");
                            ("shape", Mistake::new(place, message))
                        }
                    }
                }
                Some(_) => {
                    self.open_names[side as usize] = true;
                    ("name", Mistake::new(place, format!("this {each} has no name")))
                }
            };
            if said.contains(&kind) {
                continue;
            }
            said.push(kind);
            self.mistakes.push(mistake.help(help));
        }
        if inner.is_empty() {
            let message = format!("between these parentheses no {each} is named");
            self.report(group.span(), message, help);
        }
        let names_are_known = said.iter().all(|kind| ["colon", "brackets", "shape"].contains(kind));
        self.open_names[side as usize] |= !names_are_known || all.is_empty();
        if all.is_empty() { HeaderShape::Wrong } else { HeaderShape::Named(all) }
    }

    fn dimensions(&mut self, group: &Group, side: Side, what: &str) -> Option<Dimensions> {
        let inner = flat(group.stream());
        if let Some(found) = notation::strange(&inner) {
            let place = found.place.unwrap_or_else(|| group.span().into());
            let rule = found.rule(true);
            // What is wrong with one of several is often wrong with all.
            if what != side.word() && self.rules.contains(&(side, rule)) {
                return None;
            }
            self.rules.push((side, rule));
            return self.in_other_notation(place, what, rule, Some(found), side);
        }
        let mut dimensions = Vec::new();
        let mut wrong = false;
        for piece in pieces(&inner) {
            if piece.is_empty() {
                wrong = true;
                let message =
                    format!("the {what} shape: a dimension is missing between two commas");
                self.report(group.span(), message, "");
                break;
            }
            let value = expression::whole(piece, group.span(), self.mistakes);
            wrong |= matches!(value.form, Form::Wrong);
            dimensions.push(value);
        }
        (!wrong).then(|| Dimensions { span: group.span(), dimensions })
    }
}

/// `image: [3, 32, 32]` for an input or a head that has another sign behind its name, or no brackets.
fn name_and_shape(piece: &[TokenTree]) -> Option<String> {
    let (TokenTree::Ident(name), rest) = piece.split_first()? else { return None };
    let rest = match rest {
        [sign, rest @ ..] if is_sign(sign, ":=") => rest,
        rest => rest,
    };
    let (shape, _) = notation::read(rest).and_then(written)?;
    Some(format!("{name}: {shape}"))
}

/// A shape in another notation as it is written here, without the number of images in a batch, which
/// comes by itself.
fn written(found: Notation) -> Option<(String, Option<String>)> {
    let mut sizes = found.sizes;
    let batch = (sizes.len() == 4).then(|| sizes.remove(0));
    matches!(sizes.len(), 1 | 3).then(|| (format!("[{}]", sizes.join(", ")), batch))
}

/// Whether this is like `image: [3, 32, 32], pose: [6]`.
pub(super) fn are_named(tokens: &[TokenTree]) -> bool {
    names_without_parentheses(tokens).is_some()
}

/// The pieces of `image: [3, 32, 32], pose: [6]`.
fn names_without_parentheses(tokens: &[TokenTree]) -> Option<Vec<&[TokenTree]>> {
    let all = pieces(tokens);
    let is_named = |piece: &&[TokenTree]| match piece {
        [TokenTree::Ident(_), colon, shape] => is_sign(colon, ":=") && is_shape(shape),
        _ => false,
    };
    (!all.is_empty() && all.iter().all(is_named)).then_some(all)
}

/// Whether this may be a shape.
fn is_shape(token: &TokenTree) -> bool {
    let shape = [Delimiter::Bracket, Delimiter::Parenthesis];
    matches!(token, TokenTree::Group(group) if shape.contains(&group.delimiter()))
}

fn is_sign(token: &TokenTree, signs: &str) -> bool {
    signs.chars().any(|sign| punct(Some(token), sign).is_some())
}

fn is_lower(word: &Ident) -> bool {
    word.to_string().starts_with(char::is_lowercase)
}

fn text_of(tokens: &[TokenTree]) -> String {
    expression::text_of(&tokens.iter().cloned().collect())
}

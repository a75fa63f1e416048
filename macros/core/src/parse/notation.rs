//! Shapes in the notation of other places: `[f32; 64]`, `1 x 28 x 28`, `[h = 28, w = 28, c = 1]`,
//! `Tensor<1, 28, 28>`.

use proc_macro2::{Delimiter, Group, Ident, TokenTree};

use super::expression::text_of;
use super::{flat, ident, punct};
use crate::mistake::Place;

/// What differs from a shape as it is written here.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Kind {
    /// Nothing but what stands around it.
    Plain,
    /// A word or a sign stands before the brackets.
    Prefixed,
    /// It is a type of Rust.
    Type,
    /// Semicolons stand between its sizes.
    Semicolons,
    /// `x` or `*` stands between them.
    Times,
    /// Nothing stands between them.
    Gaps,
    /// Its sizes have names.
    Names,
    /// Brackets stand in brackets.
    Nested,
    /// Words stand behind its numbers.
    Words,
}

/// A shape in another notation.
#[derive(Clone, Debug)]
pub(super) struct Notation {
    pub(super) kind: Kind,
    /// What its sizes likely are, the channels first; none where that is not clear.
    pub(super) sizes: Vec<String>,
    /// Whether names say which are the channels, the height and the width.
    pub(super) is_named: bool,
    /// The tokens that are wrong, if not all of it.
    pub(super) place: Option<Place>,
}

impl Notation {
    /// What a shape is.
    pub(super) fn rule(&self, in_brackets: bool) -> &'static str {
        match (self.kind, in_brackets) {
            (Kind::Type, _) => "is its dimensions alone, not a type of Rust",
            (Kind::Prefixed, _) => "is its dimensions in brackets, with nothing before them",
            (Kind::Plain, _) => "stands in brackets",
            (Kind::Names, _) => {
                "has no names for its dimensions: they are channels, height and width, in this order"
            }
            (_, false) => "stands in brackets, with commas between its dimensions",
            (Kind::Semicolons, true) => "has commas between its dimensions, not semicolons",
            (Kind::Times, true) => "has commas between its dimensions",
            (Kind::Gaps, true) => "has commas between its dimensions, and here one is missing",
            (Kind::Words, _) => "is its dimensions in brackets, and nothing else",
            (Kind::Nested, true) => "has one pair of brackets around all its dimensions",
        }
    }
}

/// What stands in brackets, if it is not sizes with commas between them.
pub(super) fn strange(inner: &[TokenTree]) -> Option<Notation> {
    let mut reader = Reader::default();
    let clear = reader.read(inner, false);
    let place = reader.place;
    Some(reader.found(clear, reader.kind?, place))
}

/// What stands without brackets, or in other ones; `None` where it is no shape at all.
pub(super) fn read(tokens: &[TokenTree]) -> Option<Notation> {
    let mut reader = Reader::default();
    let clear = reader.read(tokens, true);
    let kind = reader.kind.unwrap_or(Kind::Plain);
    let place = reader.place.filter(|_| kind == Kind::Prefixed);
    (clear && !reader.sizes.is_empty() || kind == Kind::Type)
        .then(|| reader.found(clear, kind, place))
}

#[derive(Default)]
struct Reader {
    kind: Option<Kind>,
    sizes: Vec<String>,
    /// The names of the sizes that have one.
    names: Vec<String>,
    place: Option<Place>,
}

impl Reader {
    fn note(&mut self, kind: Kind, place: Option<Place>) {
        if self.kind.is_none() {
            (self.kind, self.place) = (Some(kind), place);
        }
    }

    /// What was read; the channels come first where names tell which they are.
    fn found(&self, clear: bool, kind: Kind, place: Option<Place>) -> Notation {
        let of = |letter: char| self.names.iter().position(|name| name.starts_with(letter));
        let order = match [of('c'), of('h'), of('w')] {
            [Some(channels), Some(height), Some(width)] if self.names.len() == 3 => {
                Some([channels, height, width])
            }
            _ => None,
        };
        let sizes = match order {
            _ if !clear => Vec::new(),
            Some(order) => order.iter().filter_map(|&at| self.sizes.get(at).cloned()).collect(),
            None => self.sizes.clone(),
        };
        Notation { kind, sizes, is_named: order.is_some(), place }
    }

    /// Reads sizes; returns whether it is clear what they are. Outside of brackets, `*` stands between
    /// sizes too.
    fn read(&mut self, tokens: &[TokenTree], outside: bool) -> bool {
        // `&[…]`, `Tensor[…]`, `Shape(…)`, `image: […]`.
        if outside
            && let Some((TokenTree::Group(group), before)) = tokens.split_last()
            && before.iter().all(|one| !matches!(one, TokenTree::Literal(_)))
        {
            if !before.is_empty() {
                self.note(Kind::Prefixed, Some(Place::of(before, group.span())));
            }
            return self.group(group, false);
        }
        // `Tensor<1, 28, 28>`
        if outside
            && let Some((last, first)) = tokens.split_last()
            && punct(Some(last), '>').is_some()
            && let Some(open) = first.iter().position(|one| punct(Some(one), '<').is_some())
        {
            return self.read(&first[open + 1..], true);
        }
        let parts: Vec<&[TokenTree]> =
            tokens.split(|token| punct(Some(token), ';').is_some()).collect();
        if let [first, lengths @ ..] = parts.as_slice()
            && !lengths.is_empty()
        {
            return self.array(tokens, first, lengths);
        }
        self.list(tokens, outside)
    }

    fn group(&mut self, group: &Group, nested: bool) -> bool {
        let inner = flat(group.stream());
        if nested && group.delimiter() == Delimiter::Bracket {
            self.note(Kind::Nested, Some(group.span().into()));
        }
        self.read(&inner, group.delimiter() != Delimiter::Bracket)
    }

    /// `[f32; 64]`, `[[f32; 28]; 28]`, `[1; 28; 28]`.
    fn array(&mut self, all: &[TokenTree], first: &[TokenTree], lengths: &[&[TokenTree]]) -> bool {
        let element = match first {
            [TokenTree::Group(group)] => Some(Err(group)),
            [.., TokenTree::Ident(word)] if is_type(word) => Some(Ok(())),
            _ => None,
        };
        let semicolon = || {
            let first = all.iter().find(|token| punct(Some(token), ';').is_some());
            first.map(|token| token.span().into())
        };
        match element {
            Some(_) => self.note(Kind::Type, None),
            None => self.note(Kind::Semicolons, semicolon()),
        }
        let mut clear = element.is_some() || self.list(first, true);
        for length in lengths {
            clear &= self.list(length, true);
        }
        if let Some(Err(group)) = element {
            clear &= self.group(group, false);
        }
        clear
    }

    /// Sizes with commas or something else between them.
    fn list(&mut self, tokens: &[TokenTree], outside: bool) -> bool {
        let mut rest = tokens;
        // Whether a size may come next without anything before it.
        let mut open = true;
        let mut clear = true;
        while let Some((token, after)) = rest.split_first() {
            let place = Some(token.span().into());
            if punct(Some(token), ',').is_some() {
                (rest, open) = (after, true);
                continue;
            }
            if is_times(token, outside) && !open {
                self.note(Kind::Times, place);
                (rest, open) = (after, true);
                continue;
            }
            if let Some((name, behind)) = name_of_size(rest).filter(|_| open) {
                self.note(
                    Kind::Names,
                    Some(Place::of(&rest[..rest.len() - behind.len()], token.span())),
                );
                self.names.push(name.to_lowercase());
                rest = behind;
                continue;
            }
            // `10 classes`
            if !open && is_unit(token) && punct(after.first(), ':').is_none() {
                self.note(Kind::Words, place);
                rest = after;
                continue;
            }
            let (count, texts) = size(rest, outside);
            let place = Some(Place::of(&rest[..count], token.span()));
            rest = &rest[count..];
            match texts.as_deref() {
                Some([]) => {
                    // `f32`
                    self.note(Kind::Type, place);
                    clear = false;
                }
                Some(texts) => {
                    if texts.len() > 1 {
                        self.note(Kind::Times, place);
                    } else if !open {
                        self.note(Kind::Gaps, place);
                    }
                    self.sizes.extend(texts.iter().cloned());
                }
                None => {
                    if let TokenTree::Group(group) = token
                        && group.delimiter() == Delimiter::Bracket
                    {
                        clear &= self.group(group, true);
                    } else {
                        // What it belongs to is not known.
                        (clear, open) = (false, true);
                        continue;
                    }
                }
            }
            open = false;
        }
        clear
    }
}

/// A size with how many tokens it takes, in our notation: several for `1x28x28`, none for a type. What
/// is arithmetic stays as it is.
fn size(tokens: &[TokenTree], outside: bool) -> (usize, Option<Vec<String>>) {
    let colon = |at: usize| punct(tokens.get(at), ':').is_some();
    let of_path =
        |one: &&TokenTree| matches!(one, TokenTree::Ident(_)) || punct(Some(one), ':').is_some();
    let operand = |at: usize| match tokens.get(at) {
        Some(TokenTree::Ident(_)) if !colon(at + 1) => 1,
        Some(TokenTree::Ident(_)) => tokens[at..].iter().take_while(of_path).count(),
        Some(TokenTree::Punct(_)) if colon(at) && colon(at + 1) => {
            tokens[at..].iter().take_while(of_path).count()
        }
        Some(TokenTree::Literal(_)) => 1,
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => 1,
        _ => 0,
    };
    let mut count = operand(0);
    let alone = count;
    let signs = if outside { "+-/%" } else { "+-*/%" };
    let joins = |at: usize| {
        let cast = ident(tokens.get(at)).is_some_and(|word| word == "as");
        cast || signs.chars().any(|sign| punct(tokens.get(at), sign).is_some())
    };
    while count > 0 && joins(count) && operand(count + 1) > 0 {
        count += 1 + operand(count + 1);
    }
    if count == 0 {
        return (1, None);
    }
    let text = text_of(&tokens[..count].iter().cloned().collect());
    let text = text.replace(" :: ", "::");
    if count > alone {
        return (count, Some(vec![text]));
    }
    match &tokens[0] {
        TokenTree::Literal(_) => (count, number(&text)),
        TokenTree::Ident(word) if count == 1 && is_type(word) => (count, Some(Vec::new())),
        TokenTree::Ident(word) if count == 1 => {
            // `x28` behind `1`.
            let text = word.to_string();
            let behind = text.strip_prefix(['x', 'X']).filter(|rest| is_digits(rest));
            (count, Some(vec![behind.map_or(text.clone(), str::to_string)]))
        }
        TokenTree::Ident(_) | TokenTree::Punct(_) => (count, Some(vec![text])),
        _ => (count, None),
    }
}

/// The whole numbers of a literal: `28`, `28.0`, `28usize`, `1x28x28`, `"28"`.
fn number(text: &str) -> Option<Vec<String>> {
    let text = text.trim_matches('"');
    let parts: Vec<String> = text
        .split(['x', 'X', '×', '*', ','])
        .map(|part| {
            let part = part.trim();
            let end = part.find(|letter: char| !letter.is_ascii_digit() && letter != '_');
            let (digits, rest) = part.split_at(end.unwrap_or(part.len()));
            let plain = rest.is_empty() || matches!(rest, "." | ".0") || is_suffix(rest);
            if is_digits(digits) && plain { Some(digits.to_string()) } else { None }
        })
        .collect::<Option<_>>()?;
    Some(parts)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_digit() || letter == '_')
}

fn is_suffix(text: &str) -> bool {
    ["usize", "u8", "u16", "u32", "u64", "i32", "i64", "f32", "f64"].contains(&text)
}

/// Whether a word is the type of a number.
fn is_type(word: &Ident) -> bool {
    let text = word.to_string();
    is_suffix(&text)
        || ["bool", "i8", "i16", "isize", "f16", "Vec", "Tensor"].contains(&text.as_str())
}

/// Whether this may be a word behind a number, as in `10 classes`.
fn is_unit(token: &TokenTree) -> bool {
    let Some(word) = ident(Some(token)) else { return false };
    let text = word.to_string();
    let times = text.strip_prefix('x').is_some_and(is_digits);
    text.starts_with(char::is_lowercase) && !is_type(word) && !times
}

/// What stands between sizes in `1 x 28 x 28`.
fn is_times(token: &TokenTree, outside: bool) -> bool {
    let word = ident(Some(token)).map(ToString::to_string);
    let sign = outside && punct(Some(token), '*').is_some();
    sign || word.is_some_and(|word| ["x", "X", "by", "times"].contains(&word.as_str()))
}

/// `h =` or `height:` before a size, and what comes behind it.
fn name_of_size(tokens: &[TokenTree]) -> Option<(String, &[TokenTree])> {
    let [TokenTree::Ident(word), sign, rest @ ..] = tokens else { return None };
    let is = |token: Option<&TokenTree>, sign| punct(token, sign).is_some();
    let path = is(Some(sign), ':') && is(rest.first(), ':');
    let named = is(Some(sign), ':') || is(Some(sign), '=');
    (named && !path).then(|| (word.to_string(), rest))
}

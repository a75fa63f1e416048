//! Calls as other languages write them: paths with dots, calls of calls, methods, assignments.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, TokenStream, TokenTree};

use super::arguments;
use super::{Argument, Expression, Form, Tokens, flat, ident, punct};
use crate::foreign::{self, JOINS_ELSEWHERE};

/// A value in a line of another language: `nn.Conv2d(1, 4, 3)`, `F.relu(x)`, `x.view(-1, 400)`.
pub(super) struct Value<'a> {
    /// The words of its path, without what only makes a value: `new`.
    pub(super) words: Vec<&'a Ident>,
    /// Whether dots stand between them.
    pub(super) dotted: bool,
    /// The word that only makes a value.
    pub(super) maker: Option<&'a Ident>,
    /// Whether an exclamation mark stands behind the path.
    pub(super) shouts: bool,
    /// What stands in angle brackets behind the path.
    pub(super) angles: &'a [TokenTree],
    /// The groups behind the path, one behind the other.
    pub(super) groups: Vec<&'a Group>,
    /// The methods behind those.
    pub(super) chain: Vec<(&'a Ident, Option<&'a Group>)>,
    /// How many tokens it takes.
    pub(super) length: usize,
}

impl Value<'_> {
    /// The words before the last one, as they are written.
    pub(super) fn before(&self) -> String {
        let sign = if self.dotted { "." } else { "::" };
        let words = match self.words.as_slice() {
            [words @ .., _] if !words.is_empty() => words,
            words => words,
        };
        let words: Vec<String> = words.iter().map(|word| format!("{word}{sign}")).collect();
        words.concat()
    }
}

const MAKERS: &[&str] = &["new", "default", "apply", "forward", "init", "build", "__call__"];

/// The value at the start.
pub(super) fn value(start: Tokens<'_>) -> Option<Value<'_>> {
    let mut at = start;
    while at.punct('&').is_some() || at.punct('*').is_some() {}
    let mut words = vec![at.peek_ident()?];
    at.next();
    let mut dotted = false;
    let mut angles: &[TokenTree] = &[];
    loop {
        let length = if at.is_at(0, "::") { 2 } else { usize::from(at.is_at(0, ".")) };
        let open = if length == 2 { 2 } else { 0 };
        if length != 1
            && punct(at.rest.get(open), '<').is_some()
            && let Some(close) = at.rest.iter().position(|token| punct(Some(token), '>').is_some())
        {
            angles = &at.rest[open + 1..close];
            at.rest = &at.rest[close + 1..];
            continue;
        }
        let Some(word) = ident(at.rest.get(length)).filter(|_| length > 0) else { break };
        dotted |= length == 1;
        words.push(word);
        at.rest = &at.rest[length + 1..];
    }
    // Half typed: `nn.`
    if words.len() == 1 && at.is_at(0, ".") {
        at.next();
        dotted = true;
    }
    let shouts =
        at.peek_punct('!').is_some() && matches!(at.rest.get(1), Some(TokenTree::Group(_)));
    if shouts {
        at.next();
    }
    let mut groups = Vec::new();
    while let Some(TokenTree::Group(group)) = at.peek() {
        if !groups.is_empty() && group.delimiter() != Delimiter::Parenthesis {
            break;
        }
        groups.push(group);
        at.next();
    }
    let mut chain = Vec::new();
    while !groups.is_empty() {
        while at.punct('?').is_some() {}
        let Some(word) = ident(at.rest.get(1)).filter(|_| at.is_at(0, ".")) else { break };
        at.rest = &at.rest[2..];
        chain.push((word, at.group(Delimiter::Parenthesis)));
    }
    let is_maker = |word: &&Ident| MAKERS.contains(&word.to_string().as_str());
    let maker = words.last().copied().filter(|word| words.len() > 1 && is_maker(word));
    if maker.is_some() {
        words.pop();
    }
    let length = start.rest.len() - at.rest.len();
    Some(Value { words, dotted, maker, shouts, angles, groups, chain, length })
}

/// The arguments that burn's `.with_stride([2, 2])` sets.
pub(super) fn settings(value: &Value<'_>) -> Vec<Argument> {
    let setting = |(word, group): &(&Ident, Option<&Group>)| {
        let name = word.to_string();
        let key = syn::parse_str::<Ident>(name.strip_prefix("with_")?).ok()?;
        let equals = TokenTree::Punct(Punct::new('=', Spacing::Alone));
        let inner = group.map(|group| flat(group.stream()))?;
        let all: Vec<TokenTree> =
            [TokenTree::Ident(Ident::new(&key.to_string(), word.span())), equals]
                .into_iter()
                .chain(inner)
                .collect();
        Some(argument(&all, word))
    };
    value.chain.iter().filter_map(setting).flatten().collect()
}

/// The tokens of the path of a value, without what comes before and behind it.
pub(super) fn path_tokens(value: &Value<'_>, at: Tokens<'_>) -> Vec<TokenTree> {
    let end =
        at.rest.iter().take(value.length).position(|token| matches!(token, TokenTree::Group(_)));
    at.rest[..end.unwrap_or(value.length)].to_vec()
}

/// What stands before the sign of an assignment: a name, or a field by its name; and what comes
/// after it.
pub(super) fn target(start: Tokens<'_>) -> Option<(&Ident, bool, Tokens<'_>)> {
    let mut at = start;
    let mut word = at.peek_ident()?;
    at.next();
    let mut is_field = false;
    while let Some(field) = ident(at.rest.get(1)).filter(|_| at.is_at(0, ".")) {
        word = field;
        is_field = true;
        at.rest = &at.rest[2..];
    }
    Some((word, is_field, at))
}

/// The sign of an assignment that comes next, and its length.
pub(super) fn assignment(at: Tokens<'_>) -> Option<(&'static str, usize)> {
    const SIGNS: [&str; 9] = [":=", "<-", "->", "=>", "+=", "*=", "==", "=", ":"];
    let sign = SIGNS.into_iter().find(|sign| at.is_at(0, sign))?;
    let is_path = sign == ":" && at.is_at(0, "::") && !at.is_at(0, ":::");
    let leads = !matches!(sign, "->" | "=>") || ident(at.rest.get(2)).is_some();
    (leads && !is_path).then_some((sign, sign.len()))
}

/// How many tokens a type and the equals sign behind it take, if they come next.
pub(super) fn annotation(at: Tokens<'_>) -> Option<usize> {
    let mut after_word = false;
    for (index, token) in at.rest.iter().enumerate() {
        match token {
            TokenTree::Ident(_) if after_word => return None,
            TokenTree::Ident(_) => after_word = true,
            TokenTree::Punct(sign) if sign.as_char() == '=' && index > 0 => return Some(index + 1),
            TokenTree::Punct(sign) if matches!(sign.as_char(), '.' | ':' | '<' | '>' | '&') => {
                after_word = false;
            }
            _ => return None,
        }
    }
    None
}

/// The word in a literal of text.
pub(super) fn word_of(literal: &Literal) -> Option<Ident> {
    let token = TokenTree::Literal(literal.clone());
    let text = match syn::parse2(TokenStream::from(token)) {
        Ok(syn::Lit::Str(text)) => text.value(),
        _ => return None,
    };
    let mut word = syn::parse_str::<Ident>(&text).ok()?;
    word.set_span(literal.span());
    Some(word)
}

/// An argument of a call in another language; nothing is said of what is wrong with it.
pub(super) fn argument(piece: &[TokenTree], keyword: &Ident) -> Vec<Argument> {
    let group = Group::new(Delimiter::Parenthesis, piece.iter().cloned().collect());
    arguments::arguments(&group, keyword, &mut Vec::new())
}

/// Whether an arrow stands among arguments: `linear(192 -> 10)`.
pub(super) fn has_arrow(tokens: &[TokenTree]) -> bool {
    tokens.windows(2).any(is_arrow)
}

fn is_arrow(pair: &[TokenTree]) -> bool {
    punct(pair.first(), '-').is_some() && punct(pair.get(1), '>').is_some()
}

/// The same arguments with commas in place of arrows.
pub(super) fn without_arrows(tokens: Vec<TokenTree>) -> Vec<TokenTree> {
    if !has_arrow(&tokens) {
        return tokens;
    }
    let mut all = Vec::new();
    let mut rest = tokens.as_slice();
    while let Some((first, after)) = rest.split_first() {
        if is_arrow(rest) {
            all.push(Punct::new(',', Spacing::Alone).into());
            rest = &after[1..];
        } else {
            all.push(first.clone());
            rest = after;
        }
    }
    all
}

/// Whether a word joins values, here or elsewhere.
pub(super) fn join(word: &str) -> Option<&'static str> {
    let plain = foreign::plain(word);
    JOINS_ELSEWHERE.iter().find(|(other, _)| *other == plain).map(|&(_, ours)| ours)
}

/// The values that a join reads by name beside the one before it: all but the first of a list.
pub(super) fn joined(arguments: Vec<Argument>) -> Vec<Argument> {
    let mut names = Vec::new();
    for argument in arguments {
        if argument.key.is_some() {
            continue;
        }
        match argument.value.form {
            Form::Name(_) => names.push(argument.value),
            Form::List(items) => names.extend(items),
            Form::Pair(sides) => names.extend(*sides),
            _ => {}
        }
    }
    let names = names.into_iter().filter(|value| matches!(value.form, Form::Name(_)));
    names.skip(1).map(|value| Argument { key: None, value }).collect()
}

/// A name as an argument.
pub(super) fn named(word: &Ident) -> Argument {
    let value = Expression { place: word.span().into(), form: Form::Name(word.clone()) };
    Argument { key: None, value }
}

/// Whether a word stands for a number, as far as its letters tell.
pub(super) fn is_number(word: &Ident) -> bool {
    const WORDS: &[&str] = &[
        "True", "False", "None", "null", "nullptr", "same", "valid", "nearest", "bilinear", "none",
        "tanh",
    ];
    let text = word.to_string();
    let text = text.as_str();
    !WORDS.contains(&text) && !foreign::DATA.contains(&text) && foreign::keyword(text).is_none()
}

//! Lines in the syntax of other languages and libraries: `self.conv1 = nn.Conv2d(1, 4, 3)`,
//! `let conv1 = conv2d(4, 3);`, `x = F.relu(self.conv1(x))`. Each is one mistake that shows the line as
//! it should be, and is read as that.

use proc_macro2::{Delimiter, Ident, Span, TokenTree};
use syn::ext::IdentExt;

use super::attributes::Before;
use super::calls::{self, Value, annotation, assignment, target, value, word_of};
use super::expression::pieces;
use super::foreign::arguments;
use super::reader::Reader;
use super::steps::{DEEPEST, Step, Word};
use super::{Argument, Entry, Layer, Tokens, flat, ident, punct, shown};
use crate::foreign::{self, Correction, DATA, Input};
use crate::layers::{self, FLOW, STRUCTURES};
use crate::mistake::Place;

/// A line in another syntax.
struct Line {
    /// What differs here, a clause for each.
    habits: Vec<String>,
    /// The name that it gives its layer.
    name: Option<Ident>,
    /// Its layers in the order in which they run; `None` where it has none that is known.
    layers: Option<Vec<Step>>,
    /// What to do about a layer in it that is not here.
    unknown: Option<&'static str>,
    /// How many tokens it takes; those before the word of a structure.
    length: usize,
    /// Whether a structure comes behind it.
    structure: bool,
    /// Whether its layer is another library's.
    library: bool,
}

impl Reader<'_, '_, '_> {
    /// Reads a line in another syntax, if one comes next.
    pub(super) fn habit(&mut self, before: &Before) -> Option<Vec<Entry>> {
        if self.returned().is_none()
            && let Some(entries) = self.statement()
        {
            return Some(entries);
        }
        if let Some(braces) = self.tokens.group(Delimiter::Brace) {
            let message = "braces stand behind a word that says what they are";
            let help = "write `residual { … }`, `repeat(2) { … }`, or leave the braces out";
            self.report_with(braces.span(), message, help);
            let entries = self.inside(braces);
            self.end_of_line();
            return Some(entries);
        }
        let line = self.list().or_else(|| self.returned()).or_else(|| self.line())?;
        let tokens = &self.tokens.rest[..line.length];
        let place = Place::of(tokens, Span::call_site());
        self.tokens.rest = &self.tokens.rest[line.length..];
        if line.structure {
            return Some(self.structure_of(line, before, place));
        }
        let entries = self.entries_of(&line, before, place);
        self.end_of_line();
        Some(entries)
    }

    /// The structure behind the start of a line.
    fn structure_of(&mut self, line: Line, before: &Before, place: Place) -> Vec<Entry> {
        let Some(keyword) = self.tokens.peek_ident().cloned() else { return vec![Entry::Gap] };
        let name = line.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        let help = format!("write `{name}{keyword} {{ … }}`");
        self.report_with(place, line.habits.join("\n"), help);
        self.tokens.next();
        let before = Before {
            docs: before.docs.clone(),
            attributes: before.attributes.clone(),
            last: before.last,
        };
        let word = self.structure_word(&keyword);
        let entry = word.and_then(|word| self.structure(before, line.name, &keyword, word));
        let entry = entry.unwrap_or(Entry::Gap);
        self.separator(&entry);
        vec![entry]
    }

    /// What ends a line in another syntax: a comma, a semicolon or nothing at all.
    fn end_of_line(&mut self) {
        let ends =
            |token: &TokenTree| [',', ';'].iter().any(|end| punct(Some(token), *end).is_some());
        match self.tokens.peek() {
            None => {}
            Some(token) if ends(token) => {
                self.tokens.next();
            }
            Some(TokenTree::Ident(_)) => {}
            Some(TokenTree::Punct(sign)) if sign.as_char() == '#' || sign.as_char() == ':' => {}
            Some(TokenTree::Punct(_)) if self.sign().is_some() => self.arrow(""),
            Some(_) => {
                self.skip();
                self.tokens.punct(',');
            }
        }
    }

    /// A layer in place of a line.
    fn layer(
        &self,
        before: &Before,
        name: Option<Ident>,
        keyword: Ident,
        arguments: Vec<Argument>,
    ) -> Layer {
        let Before { docs, attributes, .. } = before;
        let (docs, attributes) = (docs.clone(), attributes.clone());
        Layer { docs, attributes, name, keyword, path: None, arguments, corrected: true }
    }

    /// Reports a line, and gives the layers that it likely means.
    fn entries_of(&mut self, line: &Line, before: &Before, place: Place) -> Vec<Entry> {
        let mut notes = line.habits.clone();
        let mut texts = Vec::new();
        let mut entries = Vec::new();
        let mut advice = Vec::new();
        let mut complete = true;
        let mut name = line.name.clone();
        for step in line.layers.iter().flatten() {
            let word = match step {
                Step::Call(word) => word,
                Step::Path(path, word) => {
                    let name = name.take();
                    let mut layer =
                        self.layer(before, name, word.word.clone(), word.arguments.clone());
                    layer.path = Some(path.clone());
                    let called = layer.name.as_ref().map(|name| format!("{name}: "));
                    texts.push(format!("{}{layer}", called.unwrap_or_default()));
                    entries.push(Entry::Layer(layer));
                    continue;
                }
                Step::Reference => {
                    complete = false;
                    continue;
                }
            };
            let Some(correction) = self.corrected(word) else {
                complete = false;
                entries.push(Entry::Gap);
                continue;
            };
            notes.extend(correction.reasons.iter().cloned());
            advice.extend(correction.advice.iter().cloned());
            let own_name = word.name.as_ref().or(correction.name.as_ref());
            let own_name = own_name.and_then(|name| syn::parse_str::<Ident>(name).ok());
            let called = name.take().or(own_name);
            if correction.calls.is_empty() {
                complete = false;
                entries.push(Entry::Gap);
            }
            let before_it = called.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
            texts.push(format!("{before_it}{}", correction.line));
            for (index, (keyword, arguments)) in correction.calls.into_iter().enumerate() {
                let name = called.clone().filter(|_| index == 0);
                let mut layer = self.layer(before, name, keyword, arguments);
                layer.corrected = correction.sure || line.library;
                if !entries.is_empty() {
                    (layer.docs, layer.attributes) = (Vec::new(), Vec::new());
                }
                entries.push(Entry::Layer(layer));
            }
        }
        // The same in other words says no more.
        let mut said: Vec<String> = Vec::new();
        for note in notes {
            if !said.iter().any(|other| other.starts_with(&note)) {
                said.push(note);
            }
        }
        let mut message = said.join("\n");
        if message.is_empty() {
            message = "this is no layer as they are written here".into();
        }
        let mut parts = Vec::new();
        if complete && !texts.is_empty() {
            parts.push(format!("write `{}`", texts.join(", ")));
        }
        parts.append(&mut advice);
        parts.extend(line.unknown.map(String::from));
        if parts.is_empty() {
            parts.push(match &line.name {
                Some(name) => format!("for example `{name}: conv2d(16, kernel = 3)`"),
                None => "for example `conv1: conv2d(16, kernel = 3), relu`".into(),
            });
        }
        let help = parts.join("; ");
        self.report_with(place, message, help);
        if entries.is_empty() {
            entries.push(Entry::Gap);
        }
        entries
    }

    /// A word with its arguments in our words, if it is a layer.
    fn corrected(&self, word: &Word) -> Option<Shown> {
        let text = word.word.unraw().to_string();
        let span = word.word.span();
        let known: Option<Vec<foreign::Argument>> =
            word.arguments.iter().map(|argument| argument.elsewhere(&calls::is_number)).collect();
        let mut known = known.unwrap_or_default();
        let is_default = |value: &foreign::Value| matches!(value, foreign::Value::Other(text) if text.contains("default"));
        known.retain(|argument| !is_default(&argument.value));
        if let Some(correction) = foreign::correct_word(&text, &known, Input::default()) {
            let line = correction.line();
            let Correction { reasons, calls, name, advice, .. } = correction;
            let calls = calls
                .iter()
                .map(|call| Some((Ident::new(call.keyword, span), arguments(call, span)?)));
            let calls: Option<Vec<_>> = calls.collect();
            return Some(Shown { reasons, calls: calls?, name, line, advice, sure: true });
        }
        let keyword = match calls::join(&text) {
            Some(ours) => ours.to_string(),
            None if self.is_word(&word.word) => text,
            None => return None,
        };
        let is_ours = match layers::find(&keyword) {
            Some(layer) => foreign::is_ours(layer, &known),
            None => true,
        };
        let texts: Vec<String> = word.arguments.iter().map(Argument::to_string).collect();
        let line = match texts.is_empty() {
            _ if !is_ours => format!("{keyword}(…)"),
            true => keyword.clone(),
            false => format!("{keyword}({})", texts.join(", ")),
        };
        let calls = vec![(Ident::new(&keyword, span), word.arguments.clone())];
        let (reasons, advice) = (Vec::new(), Vec::new());
        Some(Shown { reasons, calls, name: None, line, advice, sure: is_ours })
    }

    /// A list of layers in brackets or parentheses.
    fn list(&self) -> Option<Line> {
        let Some(TokenTree::Group(group)) = self.tokens.peek() else { return None };
        let layers = self.listed(&self.tokens.rest[..1], DEEPEST)?;
        let what = if group.delimiter() == Delimiter::Bracket { "brackets" } else { "parentheses" };
        let habits = vec![format!("layers stand one behind the other, without {what} around them")];
        Some(Line {
            habits,
            name: None,
            layers: Some(layers),
            unknown: None,
            length: 1,
            structure: false,
            library: true,
        })
    }

    /// `return F.relu(x)`, with a layer in it.
    fn returned(&self) -> Option<Line> {
        self.tokens.peek_ident().filter(|word| *word == "return")?;
        let value = value(Tokens::new(&self.tokens.rest[1..]))?;
        // Layers that are declared elsewhere stand there.
        let mut layers = self.steps(&value, DEEPEST)?;
        layers.retain(|step| !matches!(step, Step::Reference));
        (!layers.is_empty()).then(|| Line {
            habits: vec!["the last layer's value is the output, without `return`".into()],
            name: None,
            layers: Some(layers),
            unknown: None,
            length: 1 + value.length,
            structure: false,
            library: true,
        })
    }

    /// The line in another syntax that comes next.
    fn line(&self) -> Option<Line> {
        let tokens = self.tokens;
        let mut at = Tokens::new(tokens.rest);
        let mut habits: Vec<String> = Vec::new();
        let mut name = None;
        let mut sign = false;
        let mut added = None;
        if let Some(word) = at.peek_ident()
            && matches!(
                word.to_string().as_str(),
                "pub" | "let" | "var" | "val" | "auto" | "mut" | "static"
            )
            && !at.is_at(1, ":")
        {
            let first = word.to_string();
            at.next();
            if first == "pub" {
                at.group(Delimiter::Parenthesis);
            }
            if at.peek_ident().is_some_and(|word| word == "mut") {
                at.next();
            }
            at.peek_ident()?;
            habits.push(format!("a layer is declared as `name: layer`, without `{first}`"));
        }
        if let Some(TokenTree::Literal(text)) = at.peek()
            && (at.is_at(1, ":") || at.is_at(1, "=") || at.is_at(1, ","))
            && let Some(word) = word_of(text)
        {
            at.next();
            at.next();
            habits.push("a layer's name stands without quotes".into());
            name = Some(word);
            sign = true;
        }
        // `self.conv1 = …`, `conv1 = …`, `conv1 := …`, `conv1 -> …`
        if !sign
            && let Some((target, is_field, after)) = target(at)
            && let Some((text, length)) = assignment(after)
        {
            let known = self.is_word(target);
            if !(known && matches!(text, "->" | "=>")) {
                if is_field {
                    let field = at.peek().map(shown).unwrap_or_default();
                    let colon = if text == ":" { "" } else { ", and a colon behind it" };
                    habits.push(format!("a layer's name stands without `{field}.`{colon}"));
                } else if text != ":"
                    && !habits.iter().any(|habit| habit.starts_with("a layer is declared"))
                {
                    habits.push(format!("a colon stands after a layer's name: `{target}: …`"));
                }
                name = Some(target.clone());
                added = match text {
                    "+=" => Some("add"),
                    "*=" => Some("mul"),
                    _ => None,
                };
                at = Tokens::new(&after.rest[length..]);
                // `conv1: nn.Conv2d = nn.Conv2d(…)` has a type before its value.
                if text == ":"
                    && let Some(equals) = annotation(at)
                {
                    habits.push(format!("a layer has no type: `{target}: …`"));
                    at = Tokens::new(&at.rest[equals..]);
                }
            }
        }
        if !habits.is_empty() && self.structure_at(at) {
            let length = tokens.rest.len() - at.rest.len();
            return Some(Line {
                habits,
                name,
                layers: None,
                unknown: None,
                length,
                structure: true,
                library: false,
            });
        }
        let value = value(at);
        let taken = value.as_ref().map_or(0, |value| value.length);
        let foreign = value.as_ref().and_then(|value| self.foreign_form(value));
        let library = foreign.is_some();
        habits.extend(foreign);
        if habits.is_empty() {
            return None;
        }
        let mut length = tokens.rest.len() - at.rest.len() + taken;
        let mut layers = value.as_ref().and_then(|value| {
            self.steps(value, DEEPEST).or_else(|| self.path_step(value, at).map(|step| vec![step]))
        });
        // Arithmetic with the value that runs through: `x + y`.
        let after = Tokens::new(&at.rest[taken..]);
        let signs = [('+', "add"), ('*', "mul")];
        let join = signs.into_iter().find(|(sign, _)| after.peek_punct(*sign).is_some());
        let is_one = value.as_ref().is_some_and(|value| value.groups.is_empty());
        let is_sum = join.is_some() && is_one && ident(after.rest.get(1)).is_some();
        let is_field = |word: Option<&Ident>| {
            word.is_some_and(|word| matches!(word.to_string().as_str(), "self" | "this"))
        };
        let summand = match added {
            Some(_) => value.as_ref().and_then(|value| value.words.first().copied()),
            None => ident(after.rest.get(1)).filter(|_| is_sum),
        };
        let other = match (added, is_sum) {
            _ if is_field(summand) => None,
            (Some(keyword), _) => {
                value.as_ref().and_then(|value| value.words.first().copied()).map(|w| (keyword, w))
            }
            (None, true) => {
                length += 2;
                join.map(|(_, keyword)| keyword).zip(ident(after.rest.get(1)))
            }
            _ => None,
        };
        if let Some((keyword, other)) = other {
            let word = Ident::new(keyword, other.span());
            let arguments = vec![calls::named(other)];
            layers = Some(vec![Step::Call(Word { word, arguments, name: None })]);
        }
        let mut unknown = value.as_ref().filter(|_| layers.is_none()).and_then(unknown_layer);
        if (added.is_some() || is_sum) && is_field(summand) {
            layers = Some(vec![Step::Reference]);
            unknown = Some((
                String::new(),
                "`residual { … } shortcut { … }` adds two ways through layers",
            ));
            length = tokens.rest.len() - after.rest.len();
            if is_sum {
                let rest = super::calls::value(Tokens::new(&after.rest[1..]));
                length += 1 + rest.map_or(0, |rest| rest.length);
            }
        }
        if let Some(text) = &name
            && self.is_data(text, layers.is_some() || unknown.is_some())
        {
            habits.retain(|habit| !habit.starts_with("a colon stands"));
            habits.insert(
                0,
                "each layer reads the one before it, and gives its value to the next".into(),
            );
            name = None;
        }
        if layers
            .as_ref()
            .is_some_and(|steps| steps.iter().any(|step| matches!(step, Step::Reference)))
        {
            habits.retain(|habit| !habit.starts_with("a layer stands by its own"));
            habits.push("a layer is declared once, where it runs".into());
        }
        if let Some((message, _)) = unknown.as_ref().filter(|(message, _)| !message.is_empty()) {
            habits.retain(|habit| !habit.starts_with("a layer stands by its own"));
            habits.push(message.clone());
        }
        let unknown = unknown.map(|(_, help)| help);
        Some(Line { habits, name, layers, unknown, length, structure: false, library })
    }

    /// Whether a structure comes next.
    fn structure_at(&self, at: Tokens<'_>) -> bool {
        let is = |index: usize, delimiter: Delimiter| matches!(at.rest.get(index), Some(TokenTree::Group(group)) if group.delimiter() == delimiter);
        let braces =
            is(1, Delimiter::Brace) || is(1, Delimiter::Parenthesis) && is(2, Delimiter::Brace);
        braces
            && at.peek_ident().is_some_and(|word| STRUCTURES.contains(&word.to_string().as_str()))
    }

    /// Whether a name is that of the value that runs through the net.
    fn is_data(&self, name: &Ident, has_layers: bool) -> bool {
        let text = name.to_string();
        let data = DATA.contains(&text.as_str()) || matches!(text.as_str(), "out" | "output");
        data && has_layers
    }

    /// What is another language's in a layer, if anything is.
    fn foreign_form(&self, value: &Value<'_>) -> Option<String> {
        let last = value.words.last()?;
        let text = last.to_string();
        let layer = foreign::keyword(&text).is_some() || self.is_word(last);
        if value.dotted {
            return Some(format!("a layer stands by its own word, without `{}`", value.before()));
        }
        if let Some(maker) = value.maker {
            let first = value.words.first()?.to_string();
            let known = value.words.len() == 1 || foreign::is_library(&first);
            let sign = if value.dotted { "." } else { "::" };
            return (layer && known)
                .then(|| format!("a layer stands by its own word, without `{sign}{maker}`"));
        }
        if value.words.len() > 1 {
            let first = value.words.first()?.to_string();
            let known = foreign::keyword(&text).is_some() && foreign::is_library(&first);
            return known
                .then(|| format!("a layer stands by its own word, without `{}`", value.before()));
        }
        if value.shouts && layer {
            return Some(format!("`{text}!`: a layer has no exclamation mark"));
        }
        let numbers = value.angles.iter().any(|token| matches!(token, TokenTree::Literal(_)));
        if numbers && layer {
            return Some(format!("the arguments of `{text}` stand in parentheses"));
        }
        let [first, others @ ..] = value.groups.as_slice() else { return None };
        if !others.is_empty() && layer {
            return Some("each layer reads the one before it".into());
        }
        if !value.chain.is_empty() && layer {
            return Some("a comma stands between layers, not a dot".into());
        }
        if first.delimiter() == Delimiter::Brace && layer && !self.is_word(last)
            || first.delimiter() == Delimiter::Brace && layers::find(&text).is_some()
        {
            return Some(format!("the arguments of `{text}` stand in parentheses"));
        }
        if matches!(foreign::plain(&text).as_str(), "sequential")
            && first.delimiter() == Delimiter::Parenthesis
        {
            return Some("layers stand one behind the other, with commas between them".into());
        }
        if first.delimiter() != Delimiter::Parenthesis {
            return None;
        }
        let inner = flat(first.stream());
        if layer && calls::has_arrow(&inner) {
            return Some("a comma stands between arguments, not `->`".into());
        }
        let colons = pieces(&inner).into_iter().filter(|piece| {
            matches!(piece, [TokenTree::Ident(_), colon, rest @ ..]
                if punct(Some(colon), ':').is_some() && punct(rest.first(), ':').is_none() && !rest.is_empty())
        });
        if layer && colons.count() > 1 {
            return Some("an equals sign stands after an argument's name: `kernel = …`".into());
        }
        // `relu(conv1(x))`: a call where a value is expected.
        let calls = pieces(&inner).first().is_some_and(|piece| {
            matches!(piece, [TokenTree::Ident(word), TokenTree::Group(group), ..]
                if group.delimiter() == Delimiter::Parenthesis && (self.is_word(word) || foreign::keyword(&word.to_string()).is_some()))
        });
        (layer && calls && !FLOW.contains(&text.as_str()))
            .then(|| "each layer reads the one before it".into())
    }
}

/// What to say of another library's layer that is not here.
fn unknown_layer(value: &Value<'_>) -> Option<(String, &'static str)> {
    let [first, .., last] = value.words.as_slice() else { return None };
    let text = last.to_string();
    let is_layer = foreign::is_library(&first.to_string()) && !value.groups.is_empty();
    let help = foreign::not_here(&text).unwrap_or("the layers are those of `typenet::layers`");
    is_layer.then(|| (format!("there is no layer `{text}`"), help))
}

/// Calls in our words.
struct Shown {
    reasons: Vec<String>,
    calls: Vec<(Ident, Vec<Argument>)>,
    name: Option<String>,
    /// All of them as text.
    line: String,
    /// What the calls leave out.
    advice: Vec<String>,
    /// Whether the arguments are right.
    sure: bool,
}

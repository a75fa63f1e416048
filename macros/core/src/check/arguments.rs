//! Keywords and arguments against the table of layers.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use typenet_shape::{MAX_RANK, Shape};

use super::Checker;
use super::constants::Value;
use super::settings::Setting;
use crate::Mistake;
use crate::foreign;
use crate::layers::{
    self, ARGUMENTS_ELSEWHERE, Default, FLOW, Given, Kind, LAYERS, LAYERS_ELSEWHERE,
};
use crate::mistake::nearest;
use crate::parse::{Argument, Expression, Form, Layer};

/// The value that is written for an argument.
pub(super) fn written_value<'a>(
    layer: &layers::Layer,
    written: &'a Layer,
    name: &str,
) -> Option<&'a Expression> {
    let index = layer.position(name)?;
    let by_key = |argument: &&Argument| argument.key.as_ref().is_some_and(|key| key == name);
    let positional =
        || written.arguments.get(index).filter(|a| a.key.is_none() && index < layer.positional);
    let found = written.arguments.iter().find(by_key).or_else(positional);
    found.map(|argument| &argument.value)
}

/// What an unknown word most likely stands for.
pub(super) enum Meant {
    /// A layer.
    Layer(&'static layers::Layer),
    /// A block of this index.
    Block(usize),
    /// Nothing that is near.
    Nothing,
}

/// The layer, block or other word of the language that a word most likely stands for.
fn near_word<'w>(word: &str, blocks: &'w [String]) -> Option<&'w str> {
    let plain = word.to_lowercase().replace('_', "");
    let elsewhere = LAYERS_ELSEWHERE.iter().find(|(other, _)| *other == plain);
    elsewhere.map(|&(_, ours)| ours).or_else(|| {
        let known = LAYERS.iter().map(|layer| layer.keyword);
        let others = FLOW.iter().copied();
        nearest(word, known.chain(blocks.iter().map(String::as_str)).chain(others))
    })
}

impl Checker<'_> {
    /// Reports a word that is no layer; returns what it most likely stands for.
    pub(super) fn unknown_layer(&mut self, written: &Layer) -> Meant {
        let keyword = &written.keyword;
        let word = keyword.to_string();
        let blocks = self.block_names();
        let message = format!("there is no layer `{word}`");
        if let Some(what) = foreign::not_here(&word)
            && self.find_block(&word).is_none()
        {
            self.report(Mistake::new(keyword.span(), message).help(what));
            return Meant::Nothing;
        }
        if foreign::is_elsewhere(&word)
            && let Some(correction) = self.correction(written, &word)
        {
            let name = written.name.as_ref().map(ToString::to_string);
            let message = match correction.reasons.join("; ") {
                reasons if reasons.is_empty() => message,
                reasons => format!("{message}: {reasons}"),
            };
            let help = correction.help(name.as_deref());
            self.report(Mistake::new(keyword.span(), message).help(help));
            let meant = correction.calls.first().map(|call| call.keyword);
            let meant = meant.or_else(|| foreign::keyword(&word)).and_then(layers::find);
            return meant.map_or(Meant::Nothing, Meant::Layer);
        }
        let near = near_word(&word, &blocks);
        let help = match near {
            Some(ours) => match self.correction(written, ours) {
                Some(correction) if !correction.calls.is_empty() => {
                    format!("did you mean `{}`?", correction.line())
                }
                _ => format!("did you mean `{ours}`?"),
            },
            None => {
                let known = LAYERS.iter().map(|layer| layer.keyword);
                let all: Vec<&str> = known.chain(blocks.iter().map(String::as_str)).collect();
                format!("the layers are {}", all.join(", "))
            }
        };
        self.report(Mistake::new(keyword.span(), message).help(help));
        let Some(near) = near else { return Meant::Nothing };
        self.forgiven.insert(near.to_string());
        match (layers::find(near), self.find_block(near)) {
            (Some(layer), _) => Meant::Layer(layer),
            (None, Some(block)) => Meant::Block(block),
            (None, None) => Meant::Nothing,
        }
    }

    fn block_names(&self) -> Vec<String> {
        self.body.blocks.iter().map(|block| block.name.to_string()).collect()
    }

    /// Whether a word that is no layer is a type: it begins with a capital, and is near to no word of
    /// the language.
    pub(super) fn is_type(&self, word: &Ident) -> bool {
        let text = word.to_string();
        text.starts_with(char::is_uppercase)
            && foreign::keyword(&text).is_none()
            && near_word(&text, &self.block_names()).is_none()
    }

    /// What an unknown word reads may be names of values: that nothing else reads them is no news.
    pub(super) fn forgive_names(&mut self, written: &Layer) {
        for argument in &written.arguments {
            if let Form::Name(name) = &argument.value.form {
                self.forgiven.insert(name.unraw().to_string());
            }
        }
    }

    /// The values of all arguments. A value that is wrong or missing is reported, and its default
    /// stands in for it; without a default there is nothing to go on with.
    pub(super) fn arguments(
        &mut self,
        name: &str,
        layer: &'static layers::Layer,
        written: &Layer,
    ) -> Option<Vec<Setting>> {
        let mut given: Vec<Option<Setting>> = vec![None; layer.arguments.len()];
        let mut seen = vec![false; layer.arguments.len()];
        let mut named = false;
        let mut lost = false;
        // Whatever else follows from the order of arguments is one mistake with the first.
        let mut misplaced = false;
        for (position, argument) in written.arguments.iter().enumerate() {
            let index = match &argument.key {
                Some(key) => {
                    named = true;
                    let unknown = layer.position(&key.to_string()).is_none();
                    // A value that is missing is mistake enough.
                    let is_wrong = matches!(argument.value.form, Form::Wrong);
                    let muted = unknown && (misplaced || is_wrong);
                    self.muted += usize::from(muted);
                    let index = self.key(name, layer, key, &seen);
                    self.muted -= usize::from(muted);
                    misplaced |= foreign::is_argument(layer, &key.to_string());
                    index
                }
                None => {
                    self.muted += usize::from(misplaced);
                    let index = self.positional(name, layer, argument, position, named);
                    self.muted -= usize::from(misplaced);
                    misplaced |= index.is_none();
                    index
                }
            };
            let Some(index) = index else {
                lost = true;
                continue;
            };
            let expected = &layer.arguments[index];
            if seen[index] {
                let key = argument.key.as_ref();
                let place = key.map_or(argument.value.place, |key| key.span().into());
                let message = format!("`{}` is given twice", expected.name);
                self.muted += usize::from(misplaced);
                self.report(Mistake::about(name, place, message).help("leave one of them out"));
                self.muted -= usize::from(misplaced);
                continue;
            }
            seen[index] = true;
            self.muted += usize::from(misplaced);
            given[index] = self.value_of(name, expected, argument);
            self.muted -= usize::from(misplaced);
        }
        for (index, argument) in layer.arguments.iter().enumerate() {
            if given[index].is_some() {
                continue;
            }
            given[index] = match argument.default {
                Default::Value(value) => Some(value.into()),
                Default::SameAs(other) => {
                    layer.position(other).and_then(|other| given[other].clone())
                }
                Default::Required => {
                    // An argument that found no place may be the one that is missing.
                    if !seen[index] && !lost {
                        let message = format!("`{}` is missing", argument.name);
                        self.report(
                            Mistake::about(name, written.keyword.span(), message)
                                .help(format!("for example `{}`", layer.example())),
                        );
                    }
                    None
                }
            };
        }
        given.into_iter().collect()
    }

    /// The argument with this name; or, after saying that there is none, a near one that is free.
    fn key(
        &mut self,
        name: &str,
        layer: &'static layers::Layer,
        key: &Ident,
        seen: &[bool],
    ) -> Option<usize> {
        let word = key.to_string();
        if let Some(index) = layer.position(&word) {
            return Some(index);
        }
        let names = || layer.arguments.iter().map(|argument| argument.name);
        let elsewhere = ARGUMENTS_ELSEWHERE
            .iter()
            .find(|(other, ours)| *other == word && layer.position(ours).is_some());
        let near = elsewhere.map(|&(_, ours)| ours).or_else(|| nearest(&word, names()));
        let message = format!("`{}` has no argument `{word}`", layer.keyword);
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if layer.arguments.is_empty() => {
                format!("it has none: write `{}`", layer.keyword)
            }
            None => format!("it has {}", names().collect::<Vec<_>>().join(", ")),
        };
        self.report(Mistake::about(name, key.span(), message).help(help));
        near.and_then(|near| layer.position(near)).filter(|&index| !seen[index])
    }

    fn positional(
        &mut self,
        name: &str,
        layer: &'static layers::Layer,
        argument: &Argument,
        position: usize,
        named: bool,
    ) -> Option<usize> {
        if let Form::Name(text) = &argument.value.form
            && layer.position(&text.to_string()).is_some()
            && self.constant(text).is_none()
        {
            let message = format!("the value of `{text}` is missing");
            let mistake = Mistake::about(name, argument.value.place, message);
            self.report(mistake.help(format!("write `{text} = …`")));
            return None;
        }
        if !named && position < layer.positional {
            return Some(position);
        }
        let next = self.next_of(layer, argument, position).filter(|_| !named);
        let (message, help) = if layer.arguments.is_empty() {
            (
                format!("`{}` takes no arguments", layer.keyword),
                format!("write `{}`", layer.keyword),
            )
        } else if named {
            (
                "an argument without a name stands after one with a name".to_string(),
                "write `name = value`".into(),
            )
        } else if let Some((next, text)) = next {
            (
                format!(
                    "too many arguments without a name: `{}` takes {}",
                    layer.keyword, layer.positional
                ),
                format!("write `{next} = {text}`"),
            )
        } else {
            (
                match position < layer.arguments.len() {
                    true => format!(
                        "too many arguments without a name: `{}` takes {}",
                        layer.keyword, layer.positional
                    ),
                    false => format!(
                        "too many arguments: `{}` takes {}",
                        layer.keyword,
                        layer.arguments.len()
                    ),
                },
                format!("for example `{}`", layer.example()),
            )
        };
        self.report(Mistake::about(name, argument.value.place, message).help(help));
        None
    }

    /// The argument that a value without a name is likely for, from this place on, and its text there.
    fn next_of(
        &self,
        layer: &'static layers::Layer,
        argument: &Argument,
        position: usize,
    ) -> Option<(&'static str, String)> {
        let value = argument.elsewhere(&|word| self.constant(word).is_some())?.value;
        layer.arguments.get(position..)?.iter().find_map(|next| {
            let text = match (next.kind, value.name()) {
                (Kind::Padding, Some("same")) => "same".to_string(),
                _ => value.taken(next.kind)??,
            };
            Some((next.name, text))
        })
    }

    fn value_of(
        &mut self,
        name: &str,
        expected: &layers::Argument,
        argument: &Argument,
    ) -> Option<Setting> {
        let written = &argument.value;
        if let Form::Name(word) = &written.form
            && self.constant(word).is_none()
            && let Some(given) = self.word(name, expected, word)
        {
            return given.map(Setting::from);
        }
        self.takes_paths =
            matches!(expected.kind, Kind::Count | Kind::Pair | Kind::Padding | Kind::Shape);
        let value = self.evaluate(written);
        self.takes_paths = false;
        let number = value.number();
        let pair = |numbers: &[usize]| Given::Pair([numbers[0], numbers[1]]);
        match (expected.kind, number, &value) {
            (Kind::Count, Some(number), _) => {
                return Some(Setting::of(vec![number], |numbers| Given::Count(numbers[0])));
            }
            (Kind::Pair | Kind::Padding, Some(number), _) => {
                return Some(Setting::of(vec![number.clone(), number], pair));
            }
            (Kind::Pair | Kind::Padding, _, Value::Pair(sides)) => {
                return Some(Setting::of(sides.to_vec(), pair));
            }
            (Kind::Shape, _, Value::List(dims)) if dims.len() <= MAX_RANK => {
                return Some(Setting::of(dims.clone(), |dims| Given::Shape(Shape::new(dims))));
            }
            (Kind::Shape, Some(number), _) => {
                return Some(Setting::of(vec![number], |dims| Given::Shape(Shape::new(dims))));
            }
            (Kind::Flag, _, Value::Flag(flag)) => return Some(Given::Flag(*flag).into()),
            (Kind::Number, _, Value::Float(number)) => {
                return Some(Given::Number(*number as f32).into());
            }
            (Kind::Number, _, Value::Integer(n)) => return Some(Given::Number(*n as f32).into()),
            (Kind::Number, _, Value::Other(text)) => {
                if let Some(number) = negative(text) {
                    return Some(Given::Number(number).into());
                }
            }
            (_, _, Value::Wrong) => return None,
            _ => {}
        }
        if let Value::Symbolic(number) = &value {
            self.forgive_symbols(number);
        }
        let what = format!("`{}` is {}, not `{value}`", expected.name, expected.kind.expected());
        let mistake = self.about_value(name, written, &what);
        self.report(mistake.help(better(expected, &value)));
        None
    }
}

impl Checker<'_> {
    /// The value of a word that is no constant: `padding = same`. `None` where the argument takes no
    /// words; `Some(None)` after saying that it takes others.
    fn word(
        &mut self,
        name: &str,
        expected: &layers::Argument,
        word: &Ident,
    ) -> Option<Option<Given>> {
        let words = expected.kind.words();
        let text = word.to_string();
        if let Some(known) = words.iter().find(|known| **known == text) {
            return Some(Some(Given::Word(known)));
        }
        let is_flag = expected.kind == Kind::Flag;
        if words.is_empty() && text != "same" && !is_flag {
            return None;
        }
        let message = format!("`{}` is {}, not `{text}`", expected.name, expected.kind.expected());
        let help = match (text.to_lowercase().as_str(), nearest(&text, words.iter().copied())) {
            ("true" | "yes" | "on", _) if is_flag => format!("write `{} = true`", expected.name),
            ("false" | "no" | "off", _) if is_flag => format!("write `{} = false`", expected.name),
            (text, _) if is_flag => match nearest(text, ["true", "false"].into_iter()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => String::new(),
            },
            (_, Some(near)) => format!("did you mean `{near}`?"),
            (_, None) => String::new(),
        };
        self.report(Mistake::about(name, word.span(), message).help(help));
        Some(None)
    }
}

/// A whole number with a minus, which no other kind of argument takes.
fn negative(text: &str) -> Option<f32> {
    let number: u32 = text.strip_prefix('-')?.trim_start().parse().ok()?;
    Some(-(number as f32))
}

/// Height and width in `3x5`.
fn sides(text: &str) -> Option<[usize; 2]> {
    let (height, width) = text.split_once(['x', '×'])?;
    Some([height.trim().parse().ok()?, width.trim().parse().ok()?])
}

/// What was likely meant by a value of the wrong kind.
fn better(expected: &layers::Argument, value: &Value) -> String {
    let write = |text: &str| format!("write `{} = {text}`", expected.name);
    match (expected.kind, value) {
        (Kind::Count | Kind::Pair | Kind::Padding, Value::Float(number))
            if number.fract() == 0.0 && *number >= 0.0 && *number < 1e9 =>
        {
            write(&format!("{number}"))
        }
        (Kind::Flag | Kind::Number | Kind::Word(_), Value::Symbolic(number)) => {
            let what = if number.to_string().contains("::") { "path" } else { "generic" };
            format!("a {what} stands for a whole number, a `usize`")
        }
        // `3x3`
        (Kind::Pair | Kind::Padding, Value::Other(text)) if sides(text).is_some() => {
            match sides(text) {
                Some([height, width]) if height == width => write(&height.to_string()),
                Some([height, width]) => write(&format!("({height}, {width})")),
                None => String::new(),
            }
        }
        (Kind::Flag, Value::Integer(0)) => write("false"),
        (Kind::Flag, Value::Integer(1)) => write("true"),
        (Kind::Count, Value::Pair([height, width])) if height == width => {
            write(&height.to_string())
        }
        (kind, Value::Other(text))
            if kind.words().contains(&text.trim_matches('"').to_lowercase().as_str()) =>
        {
            write(&text.trim_matches('"').to_lowercase())
        }
        (Kind::Count | Kind::Pair | Kind::Padding | Kind::Number, Value::Other(text)) => {
            let inside = text.trim_matches('"');
            if inside != text && inside.parse::<f64>().is_ok() {
                write(inside)
            } else {
                String::new()
            }
        }
        _ => String::new(),
    }
}

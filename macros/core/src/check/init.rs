//! `#[init(…)]`: how the parameters of a layer start.

use proc_macro2::Ident;
use typenet_shape::{Init, Op, Scheme, TensorKind};

use super::Checker;
use super::constants::Value as Written;
use super::marks::{On, has, is_norm, shown};
use crate::Mistake;
use crate::mistake::{Place, nearest};
use crate::parse::{Argument, Attribute, Content, Form};
use crate::schemes::{self, ARGUMENTS_ELSEWHERE, Kind, Of, SCHEMES, SCHEMES_ELSEWHERE, Value};

/// Which tensor a scheme is for.
#[derive(Clone, Copy, PartialEq)]
enum For {
    Weight,
    Bias,
}

impl Checker<'_> {
    /// `#[init(scheme)]`, `#[init(scheme, bias = scheme)]`
    pub(super) fn init(&mut self, name: &str, attribute: &Attribute, on: On<'_>) -> Init {
        let mut init = Init::NONE;
        let items = attribute.items.as_deref().unwrap_or_default();
        if items.is_empty() {
            let mistake = Mistake::about(name, attribute.place, "`#[init]`: the scheme is missing");
            self.report(mistake.help("for example `#[init(kaiming_normal)]`"));
        }
        let mut seen = Vec::new();
        for item in items {
            let tensor = match item.key.as_ref().map(Ident::to_string).as_deref() {
                None | Some("weight") => For::Weight,
                Some("bias") => For::Bias,
                Some(other) => {
                    let what = format!("`#[init]` is of the `weight` or the `bias`, not `{other}`");
                    let help = match nearest(other, ["weight", "bias"].into_iter()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "for example `#[init(xavier, bias = constant(0.1))]`".into(),
                    };
                    self.report(Mistake::about(name, item.place, what).help(help));
                    continue;
                }
            };
            let Content::Word(word, arguments) = &item.content else {
                let what = format!("expected a scheme, found `{}`", shown(item));
                let mistake = Mistake::about(name, item.place, what);
                self.report(mistake.help("for example `kaiming_normal` or `constant(0.1)`"));
                continue;
            };
            if seen.contains(&tensor) {
                let what = match tensor {
                    For::Weight => "the weight has a scheme already",
                    For::Bias => "the bias has a scheme already",
                };
                let mistake = Mistake::about(name, item.place, what);
                self.report(mistake.help("leave one of them out; `bias = …` is for the bias"));
                continue;
            }
            seen.push(tensor);
            let Some(kind) = self.scheme(name, word) else { continue };
            if !self.suits(name, kind, tensor, item.place, on) {
                continue;
            }
            let Some((scheme, gain)) = self.scheme_of(name, kind, arguments, item.place) else {
                continue;
            };
            match tensor {
                For::Weight => (init.weight, init.gain) = (Some(scheme), gain),
                For::Bias => init.bias = Some(scheme),
            }
        }
        init
    }

    /// The scheme of this word; reports one that there is not.
    fn scheme(&mut self, name: &str, word: &Ident) -> Option<&'static Kind> {
        let text = word.to_string();
        // PyTorch's functions end in an underscore.
        let plain = text.trim_end_matches('_');
        if plain == text
            && let Some(kind) = schemes::find(&text)
        {
            return Some(kind);
        }
        let elsewhere = SCHEMES_ELSEWHERE.iter().find(|(other, _)| *other == plain.to_lowercase());
        let near = elsewhere
            .map(|&(_, ours)| ours)
            .or_else(|| nearest(plain, SCHEMES.iter().map(|kind| kind.word)));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let all: Vec<&str> = SCHEMES.iter().map(|kind| kind.word).collect();
                format!("the schemes are {}", all.join(", "))
            }
        };
        let what = format!("there is no scheme `{text}`");
        self.report(Mistake::about(name, word.span(), what).help(help));
        None
    }

    /// Whether a scheme can start this tensor; reports one that cannot.
    fn suits(
        &mut self,
        name: &str,
        kind: &'static Kind,
        tensor: For,
        place: Place,
        on: On<'_>,
    ) -> bool {
        let word = kind.word;
        let any =
            "`zeros`, `ones`, `constant`, `uniform`, `normal` and `trunc_normal` go everywhere";
        let (what, help) = match (on, tensor) {
            (_, For::Bias) if kind.of != Of::Any => {
                (format!("`{word}` is for weights, not for a bias"), any.to_string())
            }
            (On::Layer(node), For::Bias) if !has(node, TensorKind::Bias) => {
                ("it has no bias".to_string(), "leave it out".to_string())
            }
            (On::Braces { keyword, .. }, For::Weight) if kind.of == Of::FirstConvolution => (
                format!("`{word}` is for one convolution, not for all layers of a {keyword}"),
                "write it before the first convolution".into(),
            ),
            (On::Layer(node), For::Weight) => match node.op {
                Some(op) if is_norm(op) && kind.of != Of::Any => (
                    format!("`{word}` is for the weights of convolutions and linear layers"),
                    any.to_string(),
                ),
                Some(op)
                    if kind.of == Of::FirstConvolution && !self.reads_input(op, &node.inputs) =>
                {
                    (
                        format!(
                            "`{word}` is for a convolution of one group that reads the net's input"
                        ),
                        "write it before the first convolution".into(),
                    )
                }
                _ => return true,
            },
            _ => return true,
        };
        self.report(Mistake::about(name, place, what).help(help));
        false
    }

    fn reads_input(&self, op: Op, inputs: &[usize]) -> bool {
        let is_input = |&index: &usize| {
            self.nodes.get(index).is_some_and(|node| matches!(node.op, Some(Op::Input { .. })))
        };
        matches!(op, Op::Conv2d { groups: 1, .. }) && inputs.iter().all(is_input)
    }

    /// The scheme with its arguments, and its gain.
    fn scheme_of(
        &mut self,
        name: &str,
        kind: &'static Kind,
        arguments: &[Argument],
        place: Place,
    ) -> Option<(Scheme, f32)> {
        let before = self.found;
        let mut values: Vec<Option<f32>> = vec![None; kind.arguments.len()];
        for (position, argument) in arguments.iter().enumerate() {
            let index = match &argument.key {
                Some(key) => self.argument_of(name, kind, key),
                None if position < values.len() => Some(position),
                None => {
                    let what = match values.len() {
                        0 => format!("`{}` takes no arguments", kind.word),
                        most => format!("too many arguments: `{}` takes {most}", kind.word),
                    };
                    self.report(Mistake::about(name, argument.value.place, what));
                    None
                }
            };
            let Some(index) = index else {
                self.found += 1;
                continue;
            };
            if values[index].is_some() {
                let what = format!("`{}` is given twice", kind.arguments[index].0);
                self.report(Mistake::about(name, argument.value.place, what));
            }
            values[index] = self.number_of(name, kind.arguments[index], argument);
        }
        let missing = kind.arguments.iter().zip(&values).find_map(|((argument, value), given)| {
            (given.is_none() && *value == Value::Required).then_some(*argument)
        });
        if let Some(missing) = missing.filter(|_| self.found == before) {
            let what = format!("`{}`: `{missing}` is missing", kind.word);
            let mistake = Mistake::about(name, place, what);
            self.report(mistake.help(format!("for example `{}(0.1)`", kind.word)));
        }
        if self.found > before {
            return None;
        }
        let numbers: Vec<f32> = kind
            .arguments
            .iter()
            .zip(values)
            .map(|((_, value), given)| match value {
                Value::Number(default) => given.unwrap_or(*default),
                _ => given.unwrap_or(0.0),
            })
            .collect();
        let scheme = (kind.build)(&numbers);
        let gain = kind.arguments.iter().position(|(name, _)| *name == "gain");
        if let Some((argument, rule)) = schemes::wrong(scheme) {
            let what = format!("`{}`: `{argument}` {rule}", kind.word);
            self.report(Mistake::about(name, place, what));
            return None;
        }
        Some((scheme, gain.map_or(1.0, |index| numbers[index])))
    }

    fn argument_of(&mut self, name: &str, kind: &'static Kind, key: &Ident) -> Option<usize> {
        let word = key.to_string();
        let names = || kind.arguments.iter().map(|(name, _)| *name);
        if let Some(index) = names().position(|name| name == word) {
            return Some(index);
        }
        let elsewhere = ARGUMENTS_ELSEWHERE
            .iter()
            .find(|(other, ours)| *other == word && names().any(|name| name == *ours));
        let near = elsewhere.map(|&(_, ours)| ours).or_else(|| nearest(&word, names()));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if kind.arguments.is_empty() => format!("it has none: write `{}`", kind.word),
            None => format!("it has {}", names().collect::<Vec<_>>().join(", ")),
        };
        let what = format!("`{}` has no argument `{word}`", kind.word);
        self.report(Mistake::about(name, key.span(), what).help(help));
        None
    }

    fn number_of(
        &mut self,
        name: &str,
        (argument, value): (&'static str, Value),
        written: &Argument,
    ) -> Option<f32> {
        let place = written.value.place;
        if value == Value::Mode {
            const MODES: [&str; 2] = ["fan_in", "fan_out"];
            let word = written.value.to_string();
            let word = word.trim_matches('"');
            if let Some(index) = MODES.iter().position(|mode| *mode == word) {
                return Some(index as f32);
            }
            let what = format!("`{argument}` is `fan_in` or `fan_out`, not `{word}`");
            let help = match nearest(word, MODES.into_iter()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => String::new(),
            };
            self.report(Mistake::about(name, place, what).help(help));
            return None;
        }
        let number = match (&written.value.form, self.evaluate(&written.value)) {
            (Form::Wrong, _) | (_, Written::Wrong) => {
                self.found += 1;
                return None;
            }
            (_, Written::Integer(number)) => Some(number as f64),
            (_, Written::Float(number)) => Some(number),
            (_, Written::Symbolic(number)) => {
                self.forgive_symbols(&number);
                None
            }
            // A whole number below zero is no value of the language elsewhere.
            (_, Written::Other(text)) => text.replace(' ', "").parse().ok(),
            _ => None,
        };
        let number = number.map(|number| number as f32).filter(|number| number.is_finite());
        if number.is_none() {
            let what = format!("`{argument}` is a number, not `{}`", written.value);
            self.report(Mistake::about(name, place, what));
        }
        number
    }
}

//! Attributes of layers and structures: `#[init(…)]`, `#[frozen]`, `#[no_decay]` and `#[name("…")]`.
//! Those of a structure, a block's use or a repeat hold for all layers in it.

use std::collections::HashMap;

use typenet_shape::{Init, Op, TensorKind};

use super::{Checker, Node};
use crate::Mistake;
use crate::mistake::{Place, nearest};
use crate::parse::{Attribute, Content, Item};

/// What attributes say of a layer.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Marks {
    /// How its parameters start.
    pub init: Init,
    /// Whether it stays as it is.
    pub frozen: bool,
    /// Whether weight decay leaves out its weight and its bias.
    pub no_decay: [bool; 2],
}

impl Marks {
    pub(super) const NONE: Marks =
        Marks { init: Init::NONE, frozen: false, no_decay: [false, false] };
}

/// What `#[name("…")]` says.
#[derive(Clone, Debug)]
pub(super) struct FileName {
    pub(super) text: String,
    pub(super) place: Place,
}

/// What attributes stand on.
#[derive(Clone, Copy)]
pub(super) enum On<'a> {
    /// A layer that does this, with this input.
    Layer(&'a Node),
    /// Something with layers in it, and whether it is a segment of their names.
    Braces { keyword: &'a str, named: bool },
}

/// The attributes that there are.
const ATTRIBUTES: &[&str] = &["init", "frozen", "no_decay", "name"];

/// What others call them.
const ATTRIBUTES_ELSEWHERE: &[(&str, &str)] = &[
    ("freeze", "frozen"),
    ("untrainable", "frozen"),
    ("trainable", "frozen"),
    ("requires_grad", "frozen"),
    ("initializer", "init"),
    ("kernel_initializer", "init"),
    ("weight_decay", "no_decay"),
    ("decay", "no_decay"),
    ("no_weight_decay", "no_decay"),
    ("rename", "name"),
    ("file_name", "name"),
];

/// Attributes of Rust that users may try.
const OF_RUST: &[&str] =
    &["cfg", "cfg_attr", "allow", "warn", "deny", "expect", "derive", "inline"];

const ALL: &str =
    "a layer takes documentation, `#[init(…)]`, `#[frozen]`, `#[no_decay]` and `#[name(\"…\")]`";

/// What attributes say by themselves.
pub(super) struct Read {
    pub(super) marks: Marks,
    pub(super) file: Option<FileName>,
}

impl<'a> Checker<'a> {
    /// The attributes that hold here, from the braces around.
    pub(super) fn inherited(&self) -> Marks {
        self.marks.last().copied().unwrap_or(Marks::NONE)
    }

    /// The attributes of a layer or of braces, on top of those around; `name` is what messages call
    /// it.
    pub(super) fn read_attributes(
        &mut self,
        name: &str,
        attributes: &'a [Attribute],
        on: On<'_>,
    ) -> Read {
        let mut read = Read { marks: self.inherited(), file: None };
        if let On::Layer(node) = on
            && !node.op.is_some_and(|op| op.takes_factors())
        {
            // What braces say of weights is meant for those with a fan.
            read.marks.init = Init::NONE;
        }
        for (index, attribute) in attributes.iter().enumerate() {
            let word = attribute.word.to_string();
            let Some(word) = self.known(name, attribute, &word) else { continue };
            if attributes[..index].iter().any(|other| other.word == attribute.word) {
                let what = format!("`#[{word}]` is given twice");
                let mistake = Mistake::about(name, attribute.place, what);
                self.report(mistake.help("leave one of them out"));
                continue;
            }
            match word {
                "frozen" => {
                    read.marks.frozen = true;
                    if let Some(item) = attribute.items.iter().flatten().next() {
                        let what = "`#[frozen]` takes no values";
                        let mistake = Mistake::about(name, item.place, what);
                        self.report(mistake.help(
                            "write `#[frozen]`, or leave it out; `set_trainable` changes it at run time",
                        ));
                    }
                }
                "no_decay" => {
                    let own = self.no_decay(name, attribute, on);
                    for (all, own) in read.marks.no_decay.iter_mut().zip(own) {
                        *all |= own;
                    }
                }
                "init" => {
                    let own = self.init(name, attribute, on);
                    let outer = read.marks.init;
                    read.marks.init = Init {
                        weight: own.weight.or(outer.weight),
                        gain: if own.weight.is_some() { own.gain } else { outer.gain },
                        bias: own.bias.or(outer.bias),
                    };
                }
                _ => read.file = self.file_name(name, attribute, on),
            }
        }
        read
    }

    /// The attribute of this word; reports one that there is not.
    fn known(&mut self, name: &str, attribute: &Attribute, word: &str) -> Option<&'static str> {
        if let Some(known) = ATTRIBUTES.iter().find(|known| **known == word) {
            return Some(known);
        }
        if OF_RUST.contains(&word) {
            let message = format!("`#[{word}]` cannot stand on a layer");
            let mistake = Mistake::about(name, attribute.word.span(), message);
            self.report(mistake.help("lint levels and `cfg` stand on the net itself"));
            return None;
        }
        let elsewhere = ATTRIBUTES_ELSEWHERE.iter().find(|(other, _)| *other == word);
        let near =
            elsewhere.map(|&(_, ours)| ours).or_else(|| nearest(word, ATTRIBUTES.iter().copied()));
        let help = match near {
            Some("init") => "did you mean `#[init(…)]`?".to_string(),
            Some("name") => "did you mean `#[name(\"…\")]`?".to_string(),
            Some(near) => format!("did you mean `#[{near}]`?"),
            None => ALL.to_string(),
        };
        let message = format!("there is no attribute `{word}`");
        self.report(Mistake::about(name, attribute.word.span(), message).help(help));
        None
    }

    /// Reports attributes of braces in which no layer has parameters; their nodes start at `first`.
    pub(super) fn any_parameters(&mut self, name: &str, attributes: &'a [Attribute], first: usize) {
        // After a mistake a node may be anything.
        let may_have = |node: &Node| node.op.is_none() || node.field.is_some();
        if !self.nodes[first..].iter().any(may_have) {
            self.no_parameters(name, attributes);
        }
    }

    /// Reports attributes of something that has no parameters.
    pub(super) fn no_parameters(&mut self, name: &str, attributes: &'a [Attribute]) {
        for attribute in attributes {
            let word = attribute.word.to_string();
            if let Some(word) = self.known(name, attribute, &word) {
                let what = format!("it has no parameters, and `#[{word}]` is about those");
                let mistake = Mistake::about(name, attribute.place, what);
                self.report(mistake.help("leave the attribute out"));
            }
        }
    }

    fn no_decay(&mut self, name: &str, attribute: &Attribute, on: On<'_>) -> [bool; 2] {
        const TENSORS: [&str; 2] = ["weight", "bias"];
        let Some(items) = &attribute.items else { return [true, true] };
        let mut own = [false, false];
        for item in items {
            let word = match (&item.key, &item.content) {
                (None, Content::Word(word, arguments)) if arguments.is_empty() => word.to_string(),
                _ => String::new(),
            };
            let Some(index) = TENSORS.iter().position(|tensor| *tensor == word) else {
                let what = format!(
                    "`#[no_decay]` is of the `weight` or the `bias`, not of `{}`",
                    shown(item)
                );
                let help = match nearest(&word, TENSORS.into_iter()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "without parentheses it is of both".to_string(),
                };
                self.report(Mistake::about(name, item.place, what).help(help));
                continue;
            };
            own[index] = true;
            if let On::Layer(node) = on
                && let kind = [TensorKind::Weight, TensorKind::Bias][index]
                && !has(node, kind)
            {
                let what = format!("it has no {word}");
                let mistake = Mistake::about(name, item.place, what);
                self.report(mistake.help("leave the attribute out"));
            }
        }
        own
    }

    fn file_name(&mut self, name: &str, attribute: &Attribute, on: On<'_>) -> Option<FileName> {
        let example = "for example `#[name(\"features.0\")]`";
        let (text, place) = match attribute.items.as_deref().unwrap_or_default() {
            [Item { key: None, content: Content::Text(text), place }] => (text.clone(), *place),
            [Item { key: None, content: Content::Word(word, _), place }] => {
                let what = "the name in weight files stands in quotation marks";
                let mistake = Mistake::about(name, *place, what);
                self.report(mistake.help(format!("write `#[name(\"{word}\")]`")));
                (word.to_string(), *place)
            }
            items => {
                let place = items.first().map_or(attribute.place, |item| item.place);
                let what = "the name that weight files have is one text";
                self.report(Mistake::about(name, place, what).help(example));
                return None;
            }
        };
        let (keyword, named) = match on {
            On::Layer(_) => ("", true),
            On::Braces { keyword, named } => (keyword, named),
        };
        let whole = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
        let round = round_of(&text).is_some();
        let (what, help) = if !named {
            (
                format!("a {keyword} without a name is no part of the names in weight files"),
                format!("give it a name: `name: {keyword} {{ … }}`"),
            )
        } else if text.is_empty() && matches!(on, On::Layer(_)) {
            ("a layer needs a name in weight files".into(), example.into())
        } else if !text.is_empty() && !text.split('.').all(whole) {
            (
                format!("`{text}` is no name of weight files: words with a dot between them"),
                example.into(),
            )
        } else if round && keyword != "repeat" {
            ("only a repeat has rounds to number".into(), "write the number itself".into())
        } else if !round && text.contains(['{', '}']) {
            (
                format!("`{text}`: braces hold the number of the first round"),
                "for example `#[name(\"features.{0}\")]` on a repeat".into(),
            )
        } else {
            return Some(FileName { text, place });
        };
        self.report(Mistake::about(name, place, what).help(help));
        None
    }

    /// Reports layers whose tensors would have the same names in weight files.
    pub(super) fn same_file_names(&mut self) {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let mut mistakes = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            if node.field.is_none() || node.tensors.is_empty() {
                continue;
            }
            let text = node.file_name.as_deref().unwrap_or(&node.name);
            let Some(&other) = seen.get(text) else {
                seen.insert(text, index);
                continue;
            };
            let other = &self.nodes[other];
            let Some(place) = node.file_place.or(other.file_place) else { continue };
            let what =
                format!("weight files would call it `{text}`, as they call `{}`", other.name);
            let help = "each layer needs its own name in weight files";
            mistakes.push(Mistake::about(&node.name, place, what).help(help));
        }
        mistakes.into_iter().for_each(|mistake| self.report(mistake));
    }
}

/// Whether a layer has a tensor of this kind, or may have one.
pub(super) fn has(node: &Node, kind: TensorKind) -> bool {
    node.op.is_none_or(|op| op.tensors().contains(&kind))
}

/// Whether a norm's parameters, and not its factors, are what a scheme would start.
pub(super) fn is_norm(op: Op) -> bool {
    !op.takes_factors()
}

/// `features.` and 3, with nothing behind, for `features.{3}`: where the rounds of a repeat are
/// numbered in its name, and from which number.
pub(super) fn round_of(text: &str) -> Option<(&str, usize, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (number, after) = rest.split_once('}')?;
    if after.contains(['{', '}']) {
        return None;
    }
    Some((before, number.parse().ok()?, after))
}

/// An item as a message shows it.
pub(super) fn shown(item: &Item) -> String {
    let value = match &item.content {
        Content::Word(word, arguments) if arguments.is_empty() => word.to_string(),
        Content::Word(word, _) => format!("{word}(…)"),
        Content::Text(text) => format!("\"{text}\""),
        Content::Other(text) => text.clone(),
    };
    match &item.key {
        Some(key) => format!("{key} = {value}"),
        None => value,
    }
}

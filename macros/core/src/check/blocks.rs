//! Blocks: their heads, and their uses, each written out with its own parameters.

use proc_macro2::Ident;
use syn::ext::IdentExt;

use super::constants::Value;
use super::marks::On;
use super::names::{line_of, name_mistake};
use super::scope::Bounds;
use super::{Checker, Known};
use crate::Mistake;
use crate::layers;
use crate::mistake::{Place, nearest};
use crate::parse::{Block, Entry, Layer, Structure, StructureKind};

/// A use of a block that is being written out.
pub(super) struct Use<'a> {
    pub(super) block: &'a Block,
    /// The word that uses it.
    pub(super) place: Place,
    /// What messages call the use.
    pub(super) name: String,
    /// The values of its parameters so far.
    pub(super) values: Vec<(&'a Ident, Value)>,
}

impl<'a> Checker<'a> {
    pub(super) fn find_block(&self, name: &str) -> Option<usize> {
        self.body.blocks.iter().position(|block| block.name == name)
    }

    /// What is wrong with blocks whatever their uses are.
    pub(super) fn block_heads(&mut self) {
        let body = self.body;
        for (index, block) in body.blocks.iter().enumerate() {
            let name = &block.name;
            let before = self.found;
            if let Some(mistake) = name_mistake(name, "a block") {
                self.report(mistake);
            } else if layers::find(&name.to_string()).is_some() {
                let message = format!("`{name}` is a layer and cannot name a block");
                self.report(Mistake::new(name.span(), message).help("give the block another name"));
            } else if let Some(other) =
                self.find_block(&name.to_string()).filter(|&other| other != index)
            {
                let line = line_of(body.blocks[other].name.span());
                let message = format!("`{name}` is already the name of a block above{line}");
                self.report(Mistake::new(name.span(), message));
            } else if let Some(mistake) = self.generic_taken(name) {
                self.report(mistake);
            }
            for (position, parameter) in block.parameters.iter().enumerate() {
                let is_same = |other: &crate::parse::Parameter| other.name == parameter.name;
                if let Some(mistake) = name_mistake(&parameter.name, "a parameter") {
                    self.report(mistake);
                } else if block.parameters[..position].iter().any(is_same) {
                    let what = format!("`{}` is a parameter twice", parameter.name);
                    let mistake = Mistake::about(&name.to_string(), parameter.name.span(), what);
                    self.report(mistake);
                }
            }
            if self.found > before {
                self.forgive_block(block);
            }
            self.recursion(index);
        }
    }

    /// That a block with a mistake in its head is unused is no news.
    fn forgive_block(&mut self, block: &Block) {
        let names = block.parameters.iter().map(|one| &one.name).chain([&block.name]);
        self.forgiven.extend(names.map(|name| name.unraw().to_string()));
    }

    /// Reports the shortest way from a block back to it, at the word that closes it; only for the
    /// first of the blocks on that way.
    fn recursion(&mut self, start: usize) {
        let body = self.body;
        // The blocks reached so far, each with the place in this list from where it was.
        let mut reached = vec![(start, 0)];
        let mut at = 0;
        while let Some(&(block, _)) = reached.get(at) {
            let mut words = Vec::new();
            keywords(&body.blocks[block].entries, &mut words);
            for word in words {
                let Some(next) = self.find_block(&word.to_string()) else { continue };
                if next != start {
                    if reached.iter().all(|&(other, _)| other != next) {
                        reached.push((next, at));
                    }
                    continue;
                }
                let mut way = vec![start];
                let mut back = at;
                while back > 0 {
                    way.insert(1, reached[back].0);
                    back = reached[back].1;
                }
                if way.iter().any(|&other| other < start) {
                    return;
                }
                let names = way.iter().chain([&start]).map(|&index| &body.blocks[index].name);
                let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
                let mut message = format!("block {} uses itself", names[0]);
                if way.len() > 1 {
                    message += &format!(": {}", names.join(" → "));
                }
                let help = "a block holds layers and other blocks; `repeat(n)` repeats";
                self.report(Mistake::new(word.span(), message).help(help));
                return;
            }
            at += 1;
        }
    }

    /// Writes out a block in place of its use; `exact` unless the word only comes near its name.
    pub(super) fn block_use(&mut self, written: &'a Layer, index: usize, exact: bool) {
        let Some(block) = self.body.blocks.get(index) else { return };
        let kind = block.name.to_string();
        let name = self.name(written.name.as_ref(), Some(&kind), &written.keyword, true);
        if self.uses.iter().any(|one| std::ptr::eq(one.block, block)) {
            self.found += 1;
            return self.gap(written.keyword.span());
        }
        self.muted += usize::from(!exact);
        let start = self.value();
        let before = self.found;
        let values = self.given(&name.text, block, written);
        if self.found > before {
            // With arguments other than those that were meant, no rule says anything.
            self.doubt();
        }
        let source = self.current;
        let what = written_use(block, &values);
        let use_name = self.full_name(&name.text);
        self.uses.push(Use {
            block,
            place: written.keyword.span().into(),
            name: use_name,
            values: Vec::new(),
        });
        for (parameter, value) in block.parameters.iter().zip(values) {
            let value = match (value, &parameter.default) {
                (Some(value), _) => value,
                (None, Some(default)) => self.evaluate(default),
                (None, None) => Value::Wrong,
            };
            if let Some(one) = self.uses.last_mut() {
                one.values.push((&parameter.name, value));
            }
        }
        let docs = if written.docs.is_empty() { &block.docs } else { &written.docs };
        let (attributes, first) = (&written.attributes, self.nodes.len());
        let group = self.groups.len();
        let on = On::Braces { keyword: "block", named: true };
        let read = self.read_attributes(&name.text, attributes, on);
        self.open_scope(&name, what, docs, read.file.as_ref());
        self.marks.push(read.marks);
        let again = self.again;
        self.again |= !self.seen_blocks.insert(index);
        self.framed(Bounds::Block, &block.entries);
        self.again = again;
        self.marks.pop();
        self.close_scope();
        self.arrive(group, source);
        self.uses.pop();
        self.any_parameters(&name.text, attributes, first);
        self.nodes[source].value = start;
        self.muted -= usize::from(!exact);
        if let Some(name) = &written.name {
            self.define(name);
        }
    }

    /// The values that a use gives, in the order of the parameters. A required one that is missing
    /// is reported and counts as wrong.
    fn given(&mut self, name: &str, block: &'a Block, written: &'a Layer) -> Vec<Option<Value>> {
        let parameters = &block.parameters;
        let mut values: Vec<Option<Value>> = vec![None; parameters.len()];
        let (mut named, mut lost) = (false, false);
        for (position, argument) in written.arguments.iter().enumerate() {
            // Also where it finds no place: what it names is used.
            let value = self.evaluate(&argument.value);
            let index = match &argument.key {
                Some(key) => {
                    named = true;
                    self.parameter(name, block, key).filter(|&index| {
                        values[index].is_none() || block.parameters[index].name == *key
                    })
                }
                None if named => {
                    let what = "an argument without a name stands after one with a name";
                    let mistake = Mistake::about(name, argument.value.place, what);
                    self.report(mistake.help("write `name = value`"));
                    None
                }
                None if position < parameters.len() => Some(position),
                None => {
                    let (what, help) = match parameters.len() {
                        0 => (
                            format!("block `{}` takes no arguments", block.name),
                            format!("write `{}`", block.name),
                        ),
                        most => (
                            format!("too many arguments: block `{}` takes {most}", block.name),
                            format!("it has {}", list(block)),
                        ),
                    };
                    let mistake = Mistake::about(name, argument.value.place, what);
                    self.report(mistake.help(help));
                    None
                }
            };
            let Some(index) = index else {
                lost = true;
                continue;
            };
            if values[index].is_some() {
                let key = argument.key.as_ref();
                let place = key.map_or(argument.value.place, |key| key.span().into());
                let what = format!("`{}` is given twice", parameters[index].name);
                self.report(Mistake::about(name, place, what).help("leave one of them out"));
                continue;
            }
            values[index] = Some(match value {
                Value::Other(text) => {
                    let what = format!(
                        "`{}` is a number, `true` or `false`, not `{text}`",
                        parameters[index].name
                    );
                    let mistake = self.about_value(name, &argument.value, &what);
                    self.report(mistake);
                    Value::Wrong
                }
                value => value,
            });
        }
        for (parameter, value) in parameters.iter().zip(&mut values) {
            if value.is_none() && parameter.default.is_none() {
                if !lost {
                    let what = format!("`{}` is missing", parameter.name);
                    let mistake = Mistake::about(name, written.keyword.span(), what);
                    self.report(mistake.help(format!("for example `{}`", example(block))));
                }
                *value = Some(Value::Wrong);
            }
        }
        values
    }

    /// The parameter of this name; or, after saying that there is none, a near one.
    fn parameter(&mut self, name: &str, block: &Block, key: &Ident) -> Option<usize> {
        if let Some(index) = block.parameters.iter().position(|one| one.name == *key) {
            return Some(index);
        }
        let word = key.to_string();
        let names: Vec<String> = block.parameters.iter().map(|one| one.name.to_string()).collect();
        let near = nearest(&word, names.iter().map(String::as_str));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => format!("it has none: write `{}`", block.name),
            None => format!("it has {}", list(block)),
        };
        let what = format!("block `{}` has no parameter `{word}`", block.name);
        self.report(Mistake::about(name, key.span(), what).help(help));
        near.and_then(|near| names.iter().position(|name| name == near))
    }

    /// After a mistake in what a block was given, its value is only likely.
    pub(super) fn doubt(&mut self) {
        if let Some(node) = self.nodes.get_mut(self.current)
            && let Known::Shape(shape) = node.value
        {
            node.value = Known::Assumed(shape);
        }
    }
}

/// The words in these entries that may use a block.
pub(super) fn keywords<'a>(entries: &'a [Entry], words: &mut Vec<&'a Ident>) {
    for entry in entries {
        match entry {
            Entry::Layer(layer) if layer.path.is_some() => {}
            Entry::Layer(layer) => words.push(&layer.keyword),
            Entry::Structure(Structure { kind, .. }) => {
                for inner in kind.parts() {
                    keywords(inner, words);
                }
            }
            Entry::Gap => {}
        }
    }
}

impl StructureKind {
    /// The layers in all of its braces.
    pub(super) fn parts(&self) -> Vec<&[Entry]> {
        match self {
            StructureKind::Residual { body, shortcut } => {
                let mut parts = vec![body.as_slice()];
                parts.extend(shortcut.iter().map(|shortcut| shortcut.entries.as_slice()));
                parts
            }
            StructureKind::Concat { branches } => {
                branches.iter().map(|branch| branch.entries.as_slice()).collect()
            }
            StructureKind::Repeat { body, .. } => vec![body],
        }
    }
}

fn list(block: &Block) -> String {
    let names: Vec<String> = block.parameters.iter().map(|one| one.name.to_string()).collect();
    names.join(", ")
}

/// How the block is used with what it needs: `basic(16)`.
fn example(block: &Block) -> String {
    let needed = block.parameters.iter().filter(|one| one.default.is_none());
    let needed: Vec<&str> = needed.map(|_| "16").collect();
    format!("{}({})", block.name, needed.join(", "))
}

/// The use with the values of its arguments: `basic(64, stride = 2)`.
fn written_use(block: &Block, values: &[Option<Value>]) -> String {
    let mut texts = Vec::new();
    let mut positional = true;
    for (parameter, value) in block.parameters.iter().zip(values) {
        match value {
            Some(value) if positional && parameter.default.is_none() => {
                texts.push(value.to_string());
            }
            Some(value) => texts.push(format!("{} = {value}", parameter.name)),
            None => positional = false,
        }
    }
    match texts.as_slice() {
        [] => block.name.to_string(),
        texts => format!("{}({})", block.name, texts.join(", ")),
    }
}

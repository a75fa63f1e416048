//! `residual`, `concat` with branches, and `repeat`.

use proc_macro2::Ident;
use typenet_shape::{MAX_INPUTS, Op, ShapeError, Shortcut as Behind};

use super::constants::Value;
use super::marks::On;
use super::scope::{Bounds, Segment};
use super::symbols::Words;
use super::{Checker, Known, Node};
use crate::Mistake;
use crate::layers::{self, STRUCTURES};
use crate::mistake::Place;
use crate::parse::{Branch, Entry, Expression, Shortcut, Structure, StructureKind};

impl<'a> Checker<'a> {
    pub(super) fn structure(&mut self, written: &'a Structure) {
        self.structure_word(&written.keyword);
        match &written.kind {
            StructureKind::Repeat { count, body } => self.repeat(written, count, body),
            StructureKind::Residual { body, shortcut } => {
                let first = self.nodes.len();
                let name = self.open_named(written);
                let before = self.current;
                self.framed(Bounds::None, body);
                let inputs = [self.current, before];
                self.current = before;
                if let Some(shortcut) = shortcut {
                    self.shortcut(shortcut);
                }
                let inputs = [inputs[0], self.current];
                self.close_named(written, &name, first);
                self.residual(written, &name, before, inputs, shortcut.as_ref());
            }
            StructureKind::Concat { branches } => {
                let first = self.nodes.len();
                let name = self.open_named(written);
                let before = self.current;
                let mut inputs = Vec::new();
                for branch in branches {
                    self.current = before;
                    self.branch(branch);
                    inputs.push(self.current);
                }
                self.close_named(written, &name, first);
                self.concat(written, &name, branches, inputs);
            }
        }
        if let Some(name) = &written.name {
            self.define(name);
        }
    }

    /// The name of the structure for messages; a written one opens a scope.
    fn open_named(&mut self, written: &'a Structure) -> String {
        let keyword = written.keyword.to_string();
        let name = written.name.as_ref();
        let name = name.map(|name| self.name(Some(name), None, &written.keyword, true));
        let text = name.as_ref().map_or(&keyword, |name| &name.text);
        let full = self.full_name(text);
        let on = On::Braces { keyword: &keyword, named: name.is_some() };
        let read = self.read_attributes(text, &written.attributes, on);
        self.marks.push(read.marks);
        if let Some(name) = &name {
            self.open_scope(name, keyword.clone(), &written.docs, read.file.as_ref());
        }
        full
    }

    fn close_named(&mut self, written: &'a Structure, name: &str, first: usize) {
        self.marks.pop();
        if written.name.is_some() {
            self.close_scope();
        }
        self.any_parameters(name, &written.attributes, first);
    }

    fn shortcut(&mut self, shortcut: &'a Shortcut) {
        self.structure_word(&shortcut.keyword);
        let first = self.nodes.len();
        let on = On::Braces { keyword: "shortcut", named: false };
        let read = self.read_attributes("shortcut", &shortcut.attributes, on);
        self.marks.push(read.marks);
        self.framed(Bounds::None, &shortcut.entries);
        self.marks.pop();
        self.any_parameters("shortcut", &shortcut.attributes, first);
    }

    /// Notes the word, unless it is misspelt.
    fn structure_word(&mut self, word: &Ident) {
        if STRUCTURES.contains(&word.to_string().as_str()) {
            self.note(word);
        }
    }

    fn branch(&mut self, branch: &'a Branch) {
        self.structure_word(&branch.keyword);
        let first = self.nodes.len();
        let name = branch.name.as_ref();
        let name = name.map(|name| self.name(Some(name), None, &branch.keyword, true));
        let text = name.as_ref().map_or("branch", |name| &name.text).to_string();
        let on = On::Braces { keyword: "branch", named: name.is_some() };
        let read = self.read_attributes(&text, &branch.attributes, on);
        self.marks.push(read.marks);
        if let Some(name) = &name {
            self.open_scope(name, "branch".into(), &branch.docs, read.file.as_ref());
        }
        self.framed(Bounds::None, &branch.entries);
        self.marks.pop();
        if let Some(name) = &branch.name {
            self.close_scope();
            self.define(name);
        }
        self.any_parameters(&text, &branch.attributes, first);
    }

    fn residual(
        &mut self,
        written: &Structure,
        name: &str,
        before: usize,
        inputs: [usize; 2],
        shortcut: Option<&Shortcut>,
    ) {
        let value = self.joined(Op::Add, &inputs, true);
        let behind = match shortcut {
            None => Behind::Missing,
            Some(shortcut) if shortcut.entries.is_empty() => Behind::Empty,
            Some(_) => Behind::Layers,
        };
        let words = Words::Residual(before, behind);
        // The mistake is the shortcut's.
        let word = shortcut.map_or(written.keyword.span(), |one| one.keyword.span());
        let places = [written.keyword.span().into(), word.into()];
        if let Err(error) = value {
            self.misjoin(name, Op::Add, error, &inputs, &words, &places);
        }
        let value = value.or_else(|_| self.joined(Op::Add, &inputs[..1], false));
        self.push_join(written, name, Op::Add, inputs.to_vec(), value, words, &places);
    }

    fn concat(&mut self, written: &Structure, name: &str, branches: &[Branch], inputs: Vec<usize>) {
        if inputs.is_empty() {
            // There are no branches, which is reported already.
            return self.gap(written.keyword.span());
        }
        if inputs.len() > MAX_INPUTS {
            let what = format!("has {} branches, and at most {MAX_INPUTS} go", inputs.len());
            let mistake = Mistake::about(name, written.keyword.span(), what);
            self.report(mistake.help("put some of them into a concat of their own"));
        }
        let mut value = self.joined(Op::Concat, &inputs, inputs.len() <= MAX_INPUTS);
        let names = branches.iter().map(|branch| match &branch.name {
            Some(name) => name.to_string(),
            None => String::new(),
        });
        let words = Words::Branches(names.collect());
        // The first branch is never the one that differs.
        let places: Vec<Place> = [&written.keyword]
            .into_iter()
            .chain(branches.iter().skip(1).map(|branch| &branch.keyword))
            .map(|word| word.span().into())
            .collect();
        if let Err(error) = value {
            self.misjoin(name, Op::Concat, error, &inputs, &words, &places);
            value = self.joined(Op::Concat, &inputs, false);
        }
        self.push_join(written, name, Op::Concat, inputs, value, words, &places);
    }

    fn push_join(
        &mut self,
        written: &Structure,
        name: &str,
        op: Op,
        inputs: Vec<usize>,
        value: Result<Known, ShapeError>,
        words: Words,
        places: &[Place],
    ) {
        let mut node = Node {
            name: name.to_string(),
            written_name: written.name.clone(),
            docs: written.docs.clone(),
            keyword: Some(written.keyword.clone()),
            layer: layers::find_join(op.kind()),
            op: Some(op),
            value: value.unwrap_or(Known::NOTHING),
            inputs,
            again: self.again,
            ..Node::unknown(written.keyword.span())
        };
        self.symbolic_join(&mut node, op, words, places);
        self.push(node);
    }

    fn repeat(&mut self, written: &'a Structure, count: &Expression, body: &'a [Entry]) {
        let name = self.name(written.name.as_ref(), Some("repeat"), &written.keyword, true);
        let rounds = match self.evaluate(count) {
            Value::Integer(0) => {
                let what = "repeats its layers 0 times";
                let mistake = self.about_value(&name.text, count, what);
                self.report(mistake.help("the number is 1 or more"));
                None
            }
            Value::Integer(rounds) => Some(rounds),
            Value::Wrong => None,
            Value::Symbolic(number) => {
                let what = format!("how often must be known here, which `{number}` is not");
                let mistake = self.about_value(&name.text, count, &what);
                let help = if self.is_generic(&number) {
                    "write a number: a net has the same layers whatever its generics are"
                } else {
                    "write a number, or declare `const ROUNDS: usize = …;`"
                };
                self.report(mistake.help(help));
                None
            }
            value => {
                let what = format!("how often is a whole number, not `{value}`");
                let mistake = self.about_value(&name.text, count, &what);
                self.report(mistake.help("for example `repeat(2) { … }`"));
                None
            }
        };
        let what = rounds.map_or("repeat".into(), |rounds| format!("repeat({rounds})"));
        let first = self.nodes.len();
        let on = On::Braces { keyword: "repeat", named: true };
        let read = self.read_attributes(&name.text, &written.attributes, on);
        self.marks.push(read.marks);
        self.open_scope(&name, what, &written.docs, read.file.as_ref());
        let again = self.again;
        for round in 0..rounds.unwrap_or(1) {
            let what = format!("Round {round}.");
            self.open_segment(Segment::Index(round), false, what, &[], None);
            self.framed(Bounds::Repeat, body);
            self.close_scope();
            self.again = true;
            if self.entries_read > super::MOST_ENTRIES {
                break;
            }
        }
        self.again = again;
        self.close_scope();
        self.marks.pop();
        self.any_parameters(&name.text, &written.attributes, first);
        if rounds.is_none() {
            self.doubt();
        }
    }
}

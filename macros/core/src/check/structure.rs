//! `residual`, `concat` with branches, and `repeat`.

use proc_macro2::Ident;
use typenet_shape::{MAX_INPUTS, Op, Shape, ShapeError};

use super::constants::Value;
use super::scope::{Bounds, Segment};
use super::{Checker, Known, Node};
use crate::Mistake;
use crate::layers::{self, STRUCTURES};
use crate::mistake::Place;
use crate::parse::{Branch, Entry, Expression, Structure, StructureKind};

impl<'a> Checker<'a> {
    pub(super) fn structure(&mut self, written: &'a Structure) {
        self.structure_word(&written.keyword);
        match &written.kind {
            StructureKind::Repeat { count, body } => self.repeat(written, count, body),
            StructureKind::Residual { body, shortcut } => {
                let name = self.open_named(written);
                let before = self.current;
                self.framed(Bounds::None, body);
                let inputs = [self.current, before];
                self.current = before;
                if let Some((word, entries)) = shortcut {
                    self.structure_word(word);
                    self.framed(Bounds::None, entries);
                }
                let inputs = [inputs[0], self.current];
                self.close_named(written);
                self.residual(written, &name, before, inputs, shortcut.as_ref());
            }
            StructureKind::Concat { branches } => {
                let name = self.open_named(written);
                let before = self.current;
                let mut inputs = Vec::new();
                for branch in branches {
                    self.current = before;
                    self.branch(branch);
                    inputs.push(self.current);
                }
                self.close_named(written);
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
        match &written.name {
            Some(name) => {
                let name = self.name(Some(name), None, &written.keyword, true);
                let full = self.full_name(&name.text);
                self.open_scope(&name, keyword, &written.docs);
                full
            }
            None => self.full_name(&keyword),
        }
    }

    fn close_named(&mut self, written: &Structure) {
        if written.name.is_some() {
            self.close_scope();
        }
    }

    /// Notes the word, unless it is misspelt.
    fn structure_word(&mut self, word: &Ident) {
        if STRUCTURES.contains(&word.to_string().as_str()) {
            self.note(word);
        }
    }

    fn branch(&mut self, branch: &'a Branch) {
        self.structure_word(&branch.keyword);
        if let Some(name) = &branch.name {
            let name = self.name(Some(name), None, &branch.keyword, true);
            self.open_scope(&name, "branch".into(), &branch.docs);
        }
        self.framed(Bounds::None, &branch.entries);
        if let Some(name) = &branch.name {
            self.close_scope();
            self.define(name);
        }
    }

    fn residual(
        &mut self,
        written: &Structure,
        name: &str,
        before: usize,
        inputs: [usize; 2],
        shortcut: Option<&(Ident, Vec<Entry>)>,
    ) {
        let value = self.joined(Op::Add, &inputs, true);
        if let (Err(_), [Some(body), Some(other), start]) = (
            &value,
            [inputs[0], inputs[1], before].map(|index| self.nodes.get(index)?.value.shape()),
        ) {
            let word = shortcut.map_or(written.keyword.span(), |(word, _)| word.span());
            let what = match shortcut {
                Some((_, entries)) if !entries.is_empty() => {
                    format!("its body arrives at {body}, its shortcut at {other}")
                }
                _ => format!("its body arrives at {body}, but starts from {other}"),
            };
            let what = format!("{what}: the two are added and must be alike");
            let verb = if shortcut.is_some() { "use" } else { "add" };
            let fix = start.and_then(|start| shortcut_from(start, body));
            let help = match fix {
                Some(layers) => format!("{verb} `shortcut {{ {layers} }}`"),
                None => "keep height and width in the body: a convolution of kernel 3 does with `padding = 1`".into(),
            };
            let mistake = self.blame(name, word.into(), &what);
            let mistake = mistake.shapes(&self.shapes_to(inputs[0]));
            self.report(mistake.help(help));
        }
        let value = value.or_else(|_| self.joined(Op::Add, &inputs[..1], false));
        self.push_join(written, name, Op::Add, inputs.to_vec(), value);
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
        if let Err(error) = value {
            let other = self.first_unlike(Op::Concat, &inputs);
            let shape = |index: usize| {
                let node = inputs.get(index).and_then(|&node| self.nodes.get(node));
                let shape = node.and_then(|node| node.value.shape());
                shape.map(|shape| shape.to_string()).unwrap_or_default()
            };
            let branch_name = |index: usize| match branches.get(index).map(|one| &one.name) {
                Some(Some(name)) => format!("branch `{name}`"),
                _ => format!("branch {}", index + 1),
            };
            let what = match error {
                ShapeError::UnlikeSizes { .. } => format!(
                    "{} arrives at {}, {} at {}: all but their channels must be alike",
                    branch_name(0),
                    shape(0),
                    branch_name(other),
                    shape(other)
                ),
                _ => error.message().to_string(),
            };
            let word = match error {
                ShapeError::UnlikeSizes { .. } => branches.get(other).map(|one| one.keyword.span()),
                _ => None,
            };
            let place = Place::from(word.unwrap_or(written.keyword.span()));
            let mistake = self.blame(name, place, &what);
            let to = inputs.get(other).copied().unwrap_or(self.current);
            let mistake = mistake.shapes(&self.shapes_to(to));
            self.report(mistake.help(match error {
                ShapeError::UnlikeSizes { .. } => {
                    "give the branches the same strides, and paddings that keep height and width"
                }
                _ => "",
            }));
            value = self.joined(Op::Concat, &inputs, false);
        }
        self.push_join(written, name, Op::Concat, inputs, value);
    }

    fn push_join(
        &mut self,
        written: &Structure,
        name: &str,
        op: Op,
        inputs: Vec<usize>,
        value: Result<Known, ShapeError>,
    ) {
        self.push(Node {
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
        });
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
            value => {
                let what = format!("how often is a whole number, not `{value}`");
                let mistake = self.about_value(&name.text, count, &what);
                self.report(mistake.help("for example `repeat(2) { … }`"));
                None
            }
        };
        let what = rounds.map_or("repeat".into(), |rounds| format!("repeat({rounds})"));
        self.open_scope(&name, what, &written.docs);
        let again = self.again;
        for round in 0..rounds.unwrap_or(1) {
            self.open_segment(Segment::Index(round), false, format!("Round {round}."), &[]);
            self.framed(Bounds::Repeat, body);
            self.close_scope();
            self.again = true;
            if self.entries_read > super::MOST_ENTRIES {
                break;
            }
        }
        self.again = again;
        self.close_scope();
        if rounds.is_none() {
            self.doubt();
        }
    }
}

/// The layers of a shortcut between these shapes, where few do.
pub(super) fn shortcut_from(start: Shape, end: Shape) -> Option<String> {
    match (start.dims(), end.dims()) {
        (_, &[features]) if start.rank() == 1 => Some(format!("linear({features})")),
        (_, &[features]) => Some(format!("flatten, linear({features})")),
        (&[_, from_height, from_width], &[channels, height, width]) => {
            let stride = [stride(from_height, height)?, stride(from_width, width)?];
            let stride = match stride {
                [1, 1] => String::new(),
                [one, other] if one == other => format!(", stride = {one}"),
                [one, other] => format!(", stride = ({one}, {other})"),
            };
            Some(format!("conv2d({channels}, kernel = 1{stride})"))
        }
        _ => None,
    }
}

/// The stride that takes `from` positions to `to` with a kernel of one.
fn stride(from: usize, to: usize) -> Option<usize> {
    let last = from.checked_sub(1)?;
    let steps = to.checked_sub(1)?;
    // The smallest stride whose last step does not reach beyond `to`.
    let stride = last / (steps + 1) + 1;
    (last / stride == steps).then_some(stride)
}

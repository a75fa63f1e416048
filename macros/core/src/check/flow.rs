//! Layers that read values by name: `add(a)`, `mul(a)`, `concat(a)`, and `from(a)`, which goes on
//! from one.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use typenet_shape::{Join, MAX_INPUTS, Message, Op, Outline, Shape, ShapeError};

use super::scope::Bounds;
use super::symbols::Words;
use super::{Checker, Known, Node};
use crate::Mistake;
use crate::layers;
use crate::mistake::{Place, nearest};
use crate::number::shape_text;
use crate::parse::{Form, Layer};

impl<'a> Checker<'a> {
    /// `add(a, …)`, `mul(a, …)`, `concat(a, …)` or `from(a)`.
    pub(super) fn flow(&mut self, written: &'a Layer) {
        self.no_parameters(&written.keyword.to_string(), &written.attributes);
        self.note(&written.keyword);
        match layers::find_join(&written.keyword.to_string()) {
            Some(join) => self.named_join(written, join),
            None => self.go_on_from(written),
        }
    }

    /// The words in parentheses; anything else is reported, and `None`.
    fn words(&mut self, written: &'a Layer) -> Option<Vec<&'a Ident>> {
        let keyword = written.keyword.to_string();
        let before = self.found;
        let mut words = Vec::new();
        for argument in &written.arguments {
            match (&argument.key, &argument.value.form) {
                (None, Form::Name(word)) => words.push(word),
                (None, Form::Wrong) => self.found += 1,
                (Some(key), _) => {
                    let what = format!("`{key} = …`: it reads values, and has no other arguments");
                    let mistake = Mistake::about(&keyword, key.span(), what);
                    self.report(mistake.help(format!("write `{keyword}(name)`")));
                }
                (None, _) => {
                    let what = format!("expected the name of a value, found `{}`", argument.value);
                    let mistake = Mistake::about(&keyword, argument.value.place, what);
                    let help = "give the layer a name above, as in `skip: relu`, and write that";
                    self.report(mistake.help(help));
                    self.forgive_names(written);
                }
            }
        }
        if written.arguments.is_empty() {
            let what = match keyword.as_str() {
                "from" => "the name of the value to go on from is missing",
                _ => "the name of a value to join with the current one is missing",
            };
            let mistake = Mistake::about(&keyword, written.keyword.span(), what);
            let help = format!("for example `{keyword}(skip)`, below a layer named `skip: relu`");
            self.report(mistake.help(help));
        }
        (self.found == before).then_some(words)
    }

    fn go_on_from(&mut self, written: &'a Layer) {
        if let Some(name) = &written.name {
            let message = format!("`{name}`: `from` makes no value of its own to name");
            self.report(
                Mistake::new(name.span(), message).help("name the layer that it goes on from"),
            );
        }
        let words = self.words(written);
        let source = match words.as_deref() {
            Some([word]) => self.find(word),
            Some([_, second, ..]) => {
                let mistake = Mistake::about("from", second.span(), "goes on from one value");
                self.report(mistake.help("`add`, `mul` and `concat` join several"));
                self.forgive_names(written);
                None
            }
            _ => None,
        };
        match source {
            Some(source) => {
                self.current = source;
                // From here the name is that of the value it goes on from.
                if let Some(name) = &written.name {
                    self.define(name);
                }
            }
            None => self.gap(written.keyword.span()),
        }
    }

    fn named_join(&mut self, written: &'a Layer, layer: &'static layers::Layer) {
        let name = match &written.name {
            Some(name) => self.name(Some(name), None, &written.keyword, false).text,
            None => layer.keyword.to_string(),
        };
        let words = self.words(written);
        let mut inputs = vec![self.current];
        let mut complete = words.is_some();
        let words = words.unwrap_or_default();
        for word in words.iter().copied() {
            match self.find(word) {
                Some(index) => inputs.push(index),
                None => complete = false,
            }
        }
        let op = (layer.build)(&[]);
        let current = self.nodes.get(self.current).map_or("", |node| &node.name);
        let texts = words.iter().map(|word| word.unraw().to_string());
        let names = Words::Named([current.to_string()].into_iter().chain(texts).collect());
        let places: Vec<Place> = [&written.keyword]
            .into_iter()
            .chain(words.iter().copied())
            .map(|word| word.span().into())
            .collect();
        let mut value = self.joined(op, &inputs, complete);
        if inputs.len() > MAX_INPUTS {
            let what = format!("joins {} values, and at most {MAX_INPUTS} go", inputs.len());
            let help = format!("join some of them first: `{}`", layer.keyword);
            let mistake = Mistake::about(&name, written.keyword.span(), what);
            self.report(mistake.help(help));
        } else if let Err(error) = value {
            self.misjoin(&self.full_name(&name), op, error, &inputs, &names, &places);
        }
        if value.is_err() {
            value = self.joined(op, &inputs, false);
        }
        let texts: Vec<String> = written.arguments.iter().map(ToString::to_string).collect();
        let mut node = Node {
            name: self.full_name(&name),
            written_name: written.name.clone(),
            docs: written.docs.clone(),
            keyword: Some(written.keyword.clone()),
            layer: Some(layer),
            arguments: texts.join(", "),
            op: Some(op),
            value: value.unwrap_or(Known::NOTHING),
            inputs,
            again: self.again,
            ..Node::unknown(written.keyword.span())
        };
        if complete {
            self.symbolic_join(&mut node, op, names, &places);
        }
        self.push(node);
        if let Some(name) = &written.name {
            self.define(name);
        }
    }

    /// Reports that values do not go together, at the place of the one that differs; that of the
    /// layer stands first.
    pub(super) fn misjoin(
        &mut self,
        name: &str,
        op: Op,
        error: ShapeError,
        inputs: &[usize],
        words: &Words,
        places: &[Place],
    ) {
        let shapes: Vec<Shape> = self.shapes_of(inputs).into_iter().flatten().collect();
        if shapes.len() < inputs.len() {
            return;
        }
        let other = Join::unlike(&op, &shapes);
        let (start, to) = match words {
            Words::Residual(start, _) => (self.shapes_of(&[*start]).pop().flatten(), inputs[0]),
            Words::Branches(_) => (None, inputs[other]),
            Words::Named(_) => (None, inputs[0]),
        };
        let (mut what, mut help) = (Message::new(), Message::new());
        words.borrowed(|join| {
            join.explain(&mut what, &op, &error, &shapes, other);
            join.help(&mut help, &op, &error, &shapes, other, start.unwrap_or(shapes[0]));
        });
        let place = places.get(other).or(places.first()).copied();
        let place = place.unwrap_or_else(|| Span::call_site().into());
        let mistake = self.blame(name, place, what.as_str()).shapes(&self.shapes_to(to));
        self.report(mistake.help(help.as_str()));
    }

    fn shapes_of(&self, inputs: &[usize]) -> Vec<Option<Shape>> {
        inputs
            .iter()
            .map(|&index| match self.nodes.get(index).map(|node| node.value) {
                Some(Known::Shape(shape) | Known::Assumed(shape)) => Some(shape),
                _ => None,
            })
            .collect()
    }

    /// What is known of several values together, or the rule that they break; `complete` unless some
    /// of them are missing.
    pub(super) fn joined(
        &self,
        op: Op,
        inputs: &[usize],
        complete: bool,
    ) -> Result<Known, ShapeError> {
        let values: Vec<Known> =
            inputs.iter().filter_map(|&index| Some(self.nodes.get(index)?.value)).collect();
        let sure = complete && values.iter().all(|value| matches!(value, Known::Shape(_)));
        let shapes: Option<Vec<Shape>> = self.shapes_of(inputs).into_iter().collect();
        let known = shapes.filter(|_| complete || op != Op::Concat);
        match known.map(|shapes| op.output_of(&shapes)) {
            Some(Ok(shape)) if sure => return Ok(Known::Shape(shape)),
            Some(Ok(shape)) => return Ok(Known::Assumed(shape)),
            Some(Err(error)) if sure => return Err(error),
            _ => {}
        }
        if op == Op::Concat {
            let rank = values.iter().find_map(|value| value.outline().rank);
            return Ok(Known::Outline(Outline { rank, channels: None }));
        }
        let shape = values.iter().find_map(|value| match value {
            Known::Shape(shape) | Known::Assumed(shape) => Some(*shape),
            Known::Symbolic(_) | Known::Outline(_) => None,
        });
        let outline = values.first().map_or(Outline::UNKNOWN, |value| value.outline());
        Ok(shape.map_or(Known::Outline(outline), Known::Assumed))
    }

    /// The node that a name stands for; reports one that stands for none here.
    fn find(&mut self, word: &Ident) -> Option<usize> {
        let text = word.unraw().to_string();
        let mut outside = None;
        for frame in self.frames.iter().rev() {
            if let Some(&(_, node)) = frame.names.iter().rev().find(|(name, _)| *name == text) {
                match outside {
                    None => {
                        self.mention_value(word, node);
                        return Some(node);
                    }
                    Some(bounds) => {
                        let mistake = self.outside(word, bounds);
                        self.forgiven.insert(text);
                        self.report(mistake);
                        return None;
                    }
                }
            }
            if outside.is_none() && frame.bounds != Bounds::None {
                outside = Some(frame.bounds);
            }
        }
        let (message, help) = self.unknown(&text);
        // It may be an input of a header that could not be read.
        if (self.lost_input || self.open_names[0]) && !help.starts_with("did you mean") {
            self.found += 1;
            return None;
        }
        // Or one that the header does not have.
        self.missed_names[0] = true;
        if self.inputs.is_empty() && self.nodes.len() == 1 {
            self.lost_input = true;
            let shape = match self.nodes[0].dims() {
                Some(dims) => shape_text(&dims),
                None => "[3, 32, 32]".into(),
            };
            let help = format!("an input has its name in the header: `({text}: {shape})`");
            self.report(Mistake::new(word.span(), message).help(help));
            return None;
        }
        self.report(Mistake::new(word.span(), message).help(help));
        None
    }

    fn outside(&self, word: &Ident, bounds: Bounds) -> Mistake {
        let (place, text) = (word.span(), word.unraw());
        match bounds {
            Bounds::Block => {
                let block = self.uses.last().map(|one| one.block.name.to_string());
                let message = format!(
                    "`{text}` stands outside of block `{}`, and a block reads only its own names",
                    block.unwrap_or_default()
                );
                Mistake::new(place, message)
                    .help("a block starts from the current value: name that in its own braces")
            }
            _ => {
                let message = format!(
                    "`{text}` stands outside of this repeat, and a repeat reads only its own names"
                );
                Mistake::new(place, message).help(
                    "each round starts from the current value; what reads an outer name stands before or after the repeat",
                )
            }
        }
    }

    /// What to say of a name that stands for no value here.
    fn unknown(&mut self, text: &str) -> (String, String) {
        let inner = self.frames.iter().rposition(|frame| frame.bounds != Bounds::None).unwrap_or(0);
        let visible = &self.frames[inner..];
        if visible.iter().any(|frame| frame.writes(text)) {
            self.forgiven.insert(text.to_string());
            return (
                format!("`{text}` is used before its line"),
                "a name stands above its use".into(),
            );
        }
        if self.closed.iter().any(|name| name == text) {
            self.forgiven.insert(text.to_string());
            return (
                format!("`{text}` stands inside braces above, and names inside braces are local"),
                "a name before the braces stands for the value behind them: `name: residual { … }`"
                    .into(),
            );
        }
        let mut names: Vec<String> = Vec::new();
        for frame in visible {
            names.extend(frame.names.iter().map(|(name, _)| name.clone()));
        }
        if let Some(near) = nearest(text, names.iter().map(String::as_str)) {
            self.forgiven.insert(near.to_string());
            return (format!("there is no value `{text}`"), format!("did you mean `{near}`?"));
        }
        if self.body.constants.iter().any(|constant| constant.name == text) {
            return (
                format!("`{text}` is a constant, and a value's name is expected here"),
                String::new(),
            );
        }
        if self.generics.iter().any(|(generic, _)| generic.name == text) {
            return (
                format!("`{text}` is a generic, and a value's name is expected here"),
                String::new(),
            );
        }
        if names.is_empty() || names == ["input"] {
            let help = "give a layer above a name, as in `skip: relu`, and write that";
            return (format!("there is no value `{text}`"), help.into());
        }
        (
            format!("there is no value `{text}`"),
            format!("the names so far are {}", names.join(", ")),
        )
    }
}

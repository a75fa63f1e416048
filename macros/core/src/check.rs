//! What the user wrote to a graph: names, arguments and shapes. Finds every mistake that is not one
//! of spelling, and leaves unknown what a mistake makes unknown.

use proc_macro2::{Ident, Span};
use quote::format_ident;
use syn::ext::IdentExt;
use typenet_shape::{Op, Shape, ShapeError};

use crate::layers::{self, ALSO_KNOWN, Default, Given, Kind, LAYERS};
use crate::mistake::nearest;
use crate::parse::{Argument, Declaration, Dimensions, Layer, Value};
use crate::Mistake;

/// A declaration whose rules have been checked: a graph of nodes, the first of which is the input.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Documentation and other attributes for the struct, without the derives.
    pub attributes: Vec<syn::Attribute>,
    /// Who may use the struct.
    pub visibility: syn::Visibility,
    /// The struct's name.
    pub name: Ident,
    /// The input's shape, if it is known.
    pub input: Option<Shape>,
    /// The declared output's shape, if it is known.
    pub output: Option<Shape>,
    /// The layers in order, the input first.
    pub nodes: Vec<Node>,
}

/// One layer of a [`Checked`] declaration.
#[derive(Clone, Debug)]
pub struct Node {
    /// What messages and weight files call it.
    pub name: String,
    /// Its field in the parameter struct, if it has parameters.
    pub field: Option<Ident>,
    /// The keyword as written; `None` for the input.
    pub keyword: Option<Ident>,
    /// The kind of layer; `None` for the input and for unknown ones.
    pub layer: Option<&'static layers::Layer>,
    /// The arguments that differ from the defaults, as text.
    pub arguments: String,
    /// What it does, if its arguments are right.
    pub op: Option<Op>,
    /// The nodes it reads.
    pub inputs: Vec<usize>,
    /// The shape of its value, if it is known.
    pub shape: Option<Shape>,
    /// The shapes of its weight and bias, as far as they are known.
    pub parameters: (Option<Shape>, Option<Shape>),
}

/// Checks a declaration.
pub fn check(declaration: &Declaration) -> (Checked, Vec<Mistake>) {
    let mut checker = Checker { mistakes: Vec::new(), nodes: Vec::new(), names: Vec::new() };
    let attributes = checker.attributes(&declaration.attributes);
    let input = declaration.input.as_ref().and_then(|shape| checker.header(shape, "input"));
    let output = declaration.output.as_ref().and_then(|shape| checker.header(shape, "output"));
    checker.nodes.push(Node {
        name: "input".into(),
        field: None,
        keyword: None,
        layer: None,
        arguments: String::new(),
        op: input.map(|shape| Op::Input { shape }),
        inputs: Vec::new(),
        shape: input,
        parameters: (None, None),
    });
    for layer in &declaration.layers {
        checker.layer(layer);
    }
    if declaration.complete
        && let (Some(output), Some(written)) = (output, &declaration.output)
    {
        checker.arrival(output, written.span);
    }
    let checked = Checked {
        attributes,
        visibility: declaration.visibility.clone(),
        name: declaration.name.clone(),
        input,
        output,
        nodes: checker.nodes,
    };
    (checked, checker.mistakes)
}

struct Checker {
    mistakes: Vec<Mistake>,
    nodes: Vec<Node>,
    names: Vec<(String, Span)>,
}

impl Checker {
    fn report(&mut self, mistake: Mistake) {
        self.mistakes.push(mistake);
    }

    fn attributes(&mut self, attributes: &[syn::Attribute]) -> Vec<syn::Attribute> {
        let mut kept = Vec::new();
        for attribute in attributes {
            let path = attribute.path();
            if path.is_ident("derive") {
                let derived = attribute.parse_nested_meta(|meta| {
                    let known = ["Clone", "Debug", "PartialEq"];
                    if known.iter().any(|name| meta.path.is_ident(name)) {
                        return Ok(());
                    }
                    let last = meta.path.segments.last();
                    let name = last.map(|last| last.ident.to_string()).unwrap_or_default();
                    self.mistakes.push(
                        Mistake::new(
                            last.map_or_else(Span::call_site, |last| last.ident.span()),
                            format!("a net cannot derive `{name}`"),
                        )
                        .help("nets are `Clone`, `Debug` and `PartialEq`; `save` and `load` store them"),
                    );
                    Ok(())
                });
                if let Err(error) = derived {
                    self.report(Mistake::new(error.span(), error.to_string()));
                }
            } else if ["doc", "allow", "must_use"].iter().any(|name| path.is_ident(name)) {
                kept.push(attribute.clone());
            } else {
                let span = path.segments.first().map_or_else(Span::call_site, |s| s.ident.span());
                let name = path.segments.iter().map(|s| s.ident.to_string()).collect::<Vec<_>>();
                let message = format!("`{}` is no attribute of a net", name.join("::"));
                self.report(
                    Mistake::new(span, message)
                        .help("documentation, `allow`, `must_use` and `derive` can stand here"),
                );
            }
        }
        kept
    }

    fn header(&mut self, written: &Dimensions, what: &str) -> Option<Shape> {
        if let Some((_, span)) = written.dimensions.iter().find(|(size, _)| *size == 0) {
            let message = format!("a dimension of the {what} shape is zero");
            self.report(Mistake::new(*span, message).help("every dimension is at least 1"));
            return None;
        }
        let sizes: Vec<usize> = written.dimensions.iter().map(|(size, _)| *size).collect();
        match Shape::new(&sizes).checked() {
            Ok(shape) => Some(shape),
            Err(error) => {
                self.report(Mistake::new(written.span, error.message().as_str()));
                None
            }
        }
    }

    fn layer(&mut self, written: &Layer) {
        let keyword = written.keyword.to_string();
        let input = self.nodes.len() - 1;
        let known = layers::find(&keyword);
        if known.is_none() {
            self.unknown_layer(&written.keyword);
        }
        let has_parameters = known.is_some_and(|layer| matches!(layer.keyword, "conv2d" | "linear"));
        let name = self.name(written, has_parameters);
        let field = has_parameters.then(|| match &written.name {
            Some(name) => name.clone(),
            None => format_ident!("{name}", span = Span::call_site()),
        });
        let mut node = Node {
            name,
            field,
            keyword: Some(written.keyword.clone()),
            layer: known,
            arguments: String::new(),
            op: None,
            inputs: vec![input],
            shape: None,
            parameters: (None, None),
        };
        if let Some(layer) = known
            && let Some(given) = self.arguments(&node.name, layer, &written.arguments, &written.keyword)
        {
            node.arguments = arguments_text(layer, &given);
            let op = (layer.build)(&given);
            node.op = Some(op);
            self.shapes(&mut node, op, written);
        }
        self.nodes.push(node);
    }

    /// The output's shape by the layer's rule, or the rule's message.
    fn shapes(&mut self, node: &mut Node, op: Op, written: &Layer) {
        node.parameters.1 = op.bias().filter(|bias| bias.elements() > 0);
        let Some(input) = self.nodes.last().and_then(|node| node.shape) else { return };
        match op.output(input) {
            Ok(shape) => {
                node.shape = Some(shape);
                node.parameters.0 = op.weight(input);
            }
            Err(error) => {
                let argument = error.argument().map(|argument| argument.name());
                let span = argument
                    .and_then(|argument| place_of(node.layer, &written.arguments, argument))
                    .unwrap_or_else(|| written.keyword.span());
                let mut message = format!("`{}`: {}", node.name, error.message());
                if is_about_shapes(&error) {
                    message += &format!("\nshapes so far: {}", self.shapes_so_far());
                }
                self.report(Mistake::new(span, message).help(error.help().as_str()));
                // The weight can be known where the window does not fit.
                if matches!(error, ShapeError::KernelTooLarge { .. }) {
                    node.parameters.0 = op.weight(input);
                }
            }
        }
    }

    /// The last layers that changed the shape, or have parameters, with their shapes.
    fn shapes_so_far(&self) -> String {
        const MOST: usize = 6;
        let mut before = None;
        let mut texts = Vec::new();
        for node in &self.nodes {
            if let Some(shape) = node.shape
                && (before != Some(shape) || node.field.is_some())
            {
                texts.push(format!("{} {shape}", node.name));
                before = Some(shape);
            }
        }
        if texts.len() > MOST {
            let last = texts.split_off(texts.len() - MOST + 2);
            texts.truncate(1);
            texts.push("…".into());
            texts.extend(last);
        }
        texts.join(" → ")
    }

    fn unknown_layer(&mut self, keyword: &Ident) {
        let word = keyword.to_string();
        let message = format!("there is no layer `{word}`");
        let lower = word.to_lowercase();
        let other = ALSO_KNOWN.iter().find(|(other, ours)| {
            *other == lower.trim_end_matches("2d").trim_end_matches('_') && layers::find(ours).is_some()
        });
        let near = nearest(&word, LAYERS.iter().map(|layer| layer.keyword));
        let not_yet = nearest(&word, layers::NOT_YET.iter().copied())
            .filter(|near| near.replace('_', "") == lower.replace('_', ""));
        let help = match (not_yet, other.map(|(_, ours)| *ours).or(near)) {
            (Some(not_yet), _) => format!("`{not_yet}` is not part of the language yet"),
            (None, Some(near)) => format!("did you mean `{near}`?"),
            (None, None) => {
                let all: Vec<_> = LAYERS.iter().map(|layer| layer.keyword).collect();
                format!("the layers are {}", all.join(", "))
            }
        };
        self.report(Mistake::new(keyword.span(), message).help(help));
    }

    /// The layer's name, given or made.
    fn name(&mut self, written: &Layer, has_parameters: bool) -> String {
        let keyword = written.keyword.to_string();
        let (name, span) = match &written.name {
            Some(name) => {
                let text = name.to_string();
                if syn::parse_str::<Ident>(&text).is_err() {
                    let message = format!("`{text}` is a word of Rust and cannot name a layer");
                    self.report(Mistake::new(name.span(), message).help(format!("for example `{text}_`")));
                } else if text.starts_with("__") || text == "_" {
                    let message = format!("`{text}` cannot name a layer");
                    self.report(Mistake::new(name.span(), message).help("start it with a letter"));
                }
                (name.unraw().to_string(), name.span())
            }
            None if has_parameters => {
                let same = |node: &&Node| node.keyword.as_ref().is_some_and(|k| *k == keyword);
                let unnamed = |node: &&Node| node.name.starts_with(&format!("{keyword}_"));
                let count = self.nodes.iter().filter(same).filter(unnamed).count();
                (format!("{keyword}_{}", count + 1), written.keyword.span())
            }
            // Without parameters a name is only for messages, and need not be unique.
            None => return keyword,
        };
        if name == "input" {
            self.report(Mistake::new(span, "`input` is the net's input and cannot name a layer"));
        } else if self.names.iter().any(|(other, _)| *other == name) {
            let message = match &written.name {
                Some(_) => format!("the name `{name}` is used twice"),
                None => format!("this unnamed layer is called `{name}`, and another one has that name"),
            };
            self.report(Mistake::new(span, message).help("each named layer has a name of its own"));
        }
        self.names.push((name.clone(), span));
        name
    }

    /// The values of all arguments, or `None` after a mistake.
    fn arguments(
        &mut self,
        name: &str,
        layer: &layers::Layer,
        written: &[Argument],
        keyword: &Ident,
    ) -> Option<Vec<Given>> {
        let before = self.mistakes.len();
        let mut given: Vec<Option<Given>> = vec![None; layer.arguments.len()];
        let mut seen = vec![false; layer.arguments.len()];
        let mut named = false;
        for (position, argument) in written.iter().enumerate() {
            let index = match &argument.key {
                Some(key) => {
                    named = true;
                    self.key(name, layer, key)
                }
                None if named => {
                    let message = format!(
                        "`{name}`: an argument without a name stands behind one with a name"
                    );
                    self.report(Mistake::new(argument.span, message).help("write `name = value`"));
                    None
                }
                None if position >= layer.positional => {
                    self.too_many(name, layer, argument, position);
                    None
                }
                None => Some(position),
            };
            let Some(index) = index else { continue };
            let expected = &layer.arguments[index];
            if seen[index] {
                let span = argument.key.as_ref().map_or(argument.span, Ident::span);
                let message = format!("`{name}`: `{}` is given twice", expected.name);
                self.report(Mistake::new(span, message));
                continue;
            }
            seen[index] = true;
            given[index] = self.value(name, expected, argument);
        }
        for (index, argument) in layer.arguments.iter().enumerate() {
            if given[index].is_none() && !seen[index] {
                given[index] = match argument.default {
                    Default::Value(value) => Some(value),
                    Default::SameAs(other) => {
                        let other = layer.arguments.iter().position(|a| a.name == other);
                        other.and_then(|other| given[other])
                    }
                    Default::Required if self.mistakes.len() == before => {
                        let message = format!("`{name}`: `{}` is missing", argument.name);
                        self.report(Mistake::new(keyword.span(), message).help(example(layer)));
                        None
                    }
                    Default::Required => None,
                };
            }
        }
        if self.mistakes.len() > before { None } else { given.into_iter().collect() }
    }

    fn key(&mut self, name: &str, layer: &layers::Layer, key: &Ident) -> Option<usize> {
        let word = key.to_string();
        let found = layer.arguments.iter().position(|argument| argument.name == word);
        if found.is_none() {
            let names = || layer.arguments.iter().map(|argument| argument.name);
            let message = format!("`{name}`: {} has no argument `{word}`", layer.keyword);
            let other = ALSO_KNOWN
                .iter()
                .find(|(other, ours)| *other == word && names().any(|name| name == *ours));
            let near = other.map(|(_, ours)| *ours).or_else(|| nearest(&word, names()));
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None if layer.arguments.is_empty() => format!("write `{}`", layer.keyword),
                None => format!("it has {}", names().collect::<Vec<_>>().join(", ")),
            };
            self.report(Mistake::new(key.span(), message).help(help));
        }
        found
    }

    fn too_many(&mut self, name: &str, layer: &layers::Layer, argument: &Argument, position: usize) {
        let mistake = if position < layer.arguments.len() {
            let next = layer.arguments[position].name;
            let message = format!("`{name}`: this argument is written with its name");
            Mistake::new(argument.span, message).help(format!("`{next} = …`"))
        } else if layer.arguments.is_empty() {
            let message = format!("`{name}`: {} takes no arguments", layer.keyword);
            Mistake::new(argument.span, message)
        } else {
            let message = format!("`{name}`: {} has no argument in this place", layer.keyword);
            Mistake::new(argument.span, message).help(example(layer))
        };
        self.report(mistake);
    }

    fn value(&mut self, name: &str, expected: &layers::Argument, argument: &Argument) -> Option<Given> {
        let found = match (expected.kind, &argument.value) {
            (Kind::Count, Value::Integer(n)) => return Some(Given::Count(*n)),
            (Kind::Pair, Value::Integer(n)) => return Some(Given::Pair([*n, *n])),
            (Kind::Pair, Value::Pair(height, width)) => return Some(Given::Pair([*height, *width])),
            (Kind::Flag, Value::Flag(flag)) => return Some(Given::Flag(*flag)),
            (Kind::Number, Value::Float(number)) => return Some(Given::Number(*number)),
            (Kind::Number, Value::Integer(n)) => return Some(Given::Number(*n as f32)),
            (_, Value::Wrong) => return None,
            (_, Value::Integer(n)) => n.to_string(),
            (_, Value::Float(number)) => format!("{number:?}"),
            (_, Value::Flag(flag)) => flag.to_string(),
            (_, Value::Pair(height, width)) => format!("({height}, {width})"),
            (_, Value::Other(text)) if text == "same" => {
                let message = "`same` is not part of the language yet";
                self.report(Mistake::new(argument.span, message));
                return None;
            }
            (_, Value::Other(text)) => text.clone(),
        };
        let message = format!(
            "`{name}`: `{}` is {}, not `{found}`",
            expected.name,
            expected.kind.expected()
        );
        self.report(Mistake::new(argument.span, message));
        None
    }

    /// Compares what the layers arrive at with what the header declares.
    fn arrival(&mut self, declared: Shape, span: Span) {
        let Some(last) = self.nodes.last() else { return };
        let Some(found) = last.shape else { return };
        if found == declared {
            return;
        }
        let message = format!(
            "the layers arrive at {found}, but the declaration says {declared}\nshapes so far: {}",
            self.shapes_so_far()
        );
        let with_parameters = self.nodes.iter().rev().find(|node| node.op.is_some_and(|op| op.has_parameters()));
        let help = match (with_parameters, found.rank(), declared.rank()) {
            (Some(node), 1, 1) if matches!(node.op, Some(Op::Linear { .. })) => {
                format!("use `linear({})` in `{}`, or declare `-> {found}`", declared.dim(0), node.name)
            }
            (_, 3, 1) => format!("end with `flatten, linear({})`, or declare `-> {found}`", declared.dim(0)),
            _ => format!("declare `-> {found}`"),
        };
        self.report(Mistake::new(span, message).help(help));
    }
}

fn is_about_shapes(error: &ShapeError) -> bool {
    matches!(
        error,
        ShapeError::KernelTooLarge { .. }
            | ShapeError::NeedsImage { .. }
            | ShapeError::NeedsFeatures { .. }
            | ShapeError::Groups { .. }
            | ShapeError::Overflow { .. }
    )
}

/// The place where an argument is written; for one that takes its value from another, that one's.
fn place_of(layer: Option<&layers::Layer>, written: &[Argument], name: &str) -> Option<Span> {
    let index = layer?.arguments.iter().position(|argument| argument.name == name)?;
    let by_key = |argument: &&Argument| argument.key.as_ref().is_some_and(|key| *key == name);
    let positional = || written.get(index).filter(|argument| argument.key.is_none());
    let found = written.iter().find(by_key).or_else(positional);
    match (found, layer?.arguments[index].default) {
        (Some(argument), _) => Some(argument.span),
        (None, Default::SameAs(other)) => place_of(layer, written, other),
        (None, _) => None,
    }
}

/// How a layer is written with what it needs.
fn example(layer: &layers::Layer) -> String {
    let needed: Vec<_> = layer
        .arguments
        .iter()
        .filter(|argument| argument.default == Default::Required)
        .enumerate()
        .map(|(i, argument)| match i {
            0 if argument.kind == Kind::Pair => "2".to_string(),
            0 => "16".to_string(),
            _ => format!("{} = 3", argument.name),
        })
        .collect();
    format!("for example `{}({})`", layer.keyword, needed.join(", "))
}

/// The arguments that differ from their defaults, as a user would write them.
fn arguments_text(layer: &layers::Layer, given: &[Given]) -> String {
    let mut texts = Vec::new();
    for (index, (argument, value)) in layer.arguments.iter().zip(given).enumerate() {
        let usual = match argument.default {
            Default::Required => None,
            Default::Value(value) => Some(value),
            Default::SameAs(other) => {
                layer.arguments.iter().position(|a| a.name == other).map(|other| given[other])
            }
        };
        if usual != Some(*value) {
            texts.push(match index {
                0 => value.to_string(),
                _ => format!("{} = {value}", argument.name),
            });
        }
    }
    texts.join(", ")
}

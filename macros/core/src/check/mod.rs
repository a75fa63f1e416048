//! What the user wrote to a graph: names, arguments and shapes. Finds every mistake that is not one
//! of spelling. After a mistake it goes on with what is still known, so that independent mistakes
//! are found and no other message follows from the first.

mod arguments;
mod attributes;
mod names;

use proc_macro2::{Ident, Span};
use typenet_shape::{Argument, Op, Outline, Shape, ShapeError};

pub use attributes::Attributes;

use crate::Mistake;
use crate::layers;
use crate::mistake::Place;
use crate::parse::{Declaration, Dimensions, Entry, HeaderShape, Layer};

/// A declaration whose rules have been checked: a graph of nodes, the first of which is the input.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Documentation and other attributes, without the derives.
    pub attributes: Attributes,
    /// Who may use the struct.
    pub visibility: Visibility,
    /// The struct's name.
    pub name: Ident,
    /// The input's shape, if it is known.
    pub input: Option<Shape>,
    /// The output's shape as declared, or else as the layers give it, if it is known.
    pub output: Option<Shape>,
    /// The input and the layers in order.
    pub nodes: Vec<Node>,
}

/// A visibility as it was written.
#[derive(Clone)]
pub struct Visibility(pub syn::Visibility);

impl std::fmt::Debug for Visibility {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use quote::ToTokens;
        write!(f, "{}", self.0.to_token_stream())
    }
}

/// One layer of a [`Checked`] declaration.
#[derive(Clone, Debug)]
pub struct Node {
    /// What messages and weight files call it.
    pub name: String,
    /// Its name as written, if it was written.
    pub written_name: Option<Ident>,
    /// Its documentation.
    pub docs: Vec<String>,
    /// Its field in the parameter struct, if it has parameters.
    pub field: Option<Ident>,
    /// The keyword as written, if it is one.
    pub keyword: Option<Ident>,
    /// The kind of layer; `None` for the input and for unknown ones.
    pub layer: Option<&'static layers::Layer>,
    /// The arguments that differ from the defaults, as text.
    pub arguments: String,
    /// What it does, if its arguments are right.
    pub op: Option<Op>,
    /// The nodes it reads.
    pub inputs: Vec<usize>,
    /// What is known of its value.
    pub value: Known,
    /// The shape of its weight, if it has one and it is known.
    pub weight: Option<Shape>,
    /// The shape of its bias, if it has one and it is known.
    pub bias: Option<Shape>,
}

/// What is known of a value's shape.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Known {
    /// All of it.
    Shape(Shape),
    /// Likely all of it, but a layer before has a mistake: no rule is applied to it.
    Assumed(Shape),
    /// As much as a layer says that does not fit its input.
    Outline(Outline),
}

impl Known {
    const NOTHING: Known = Known::Outline(Outline::UNKNOWN);

    /// The shape, even if it is only assumed.
    pub fn shape(self) -> Option<Shape> {
        match self {
            Known::Shape(shape) | Known::Assumed(shape) => Some(shape),
            Known::Outline(outline) => outline.shape(),
        }
    }

    fn outline(self) -> Outline {
        match self {
            Known::Shape(shape) | Known::Assumed(shape) => Outline::of(shape),
            Known::Outline(outline) => outline,
        }
    }
}

/// The net in one line a node, with shapes.
impl std::fmt::Display for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for node in &self.nodes {
            write!(f, "{}: ", node.name)?;
            match node.layer {
                Some(layer) if node.arguments.is_empty() => write!(f, "{}", layer.keyword)?,
                Some(layer) => write!(f, "{}({})", layer.keyword, node.arguments)?,
                None if node.op.is_some() => f.write_str("the input")?,
                None => f.write_str("?")?,
            }
            match node.value {
                Known::Shape(shape) => writeln!(f, " → {shape}")?,
                Known::Assumed(shape) => writeln!(f, " → {shape}?")?,
                Known::Outline(Outline { channels: Some(channels), .. }) => {
                    writeln!(f, " → [{channels}, ?]")?;
                }
                Known::Outline(_) => writeln!(f, " → ?")?,
            }
        }
        Ok(())
    }
}

/// Checks a declaration.
pub fn check(declaration: &Declaration) -> (Checked, Vec<Mistake>) {
    let mut checker = Checker { mistakes: Vec::new(), nodes: Vec::new(), names: Vec::new() };
    names::struct_name(&declaration.name, &mut checker.mistakes);
    let attributes = attributes::check(&declaration.attributes, &mut checker.mistakes);
    let input = checker.input(&declaration.input, &declaration.name);
    for entry in &declaration.entries {
        match entry {
            Entry::Layer(layer) => checker.layer(layer),
            Entry::Gap => checker.gap(),
        }
    }
    let output = checker.output(&declaration.output, &declaration.name);
    checker.stand_ins();
    let checked = Checked {
        attributes,
        visibility: Visibility(declaration.visibility.clone()),
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
    /// The names that are taken, and whether each was written.
    names: Vec<(String, bool)>,
}

impl Checker {
    fn report(&mut self, mistake: Mistake) {
        self.mistakes.push(mistake);
    }

    /// The value that the next layer reads.
    fn value(&self) -> Known {
        self.nodes.last().map_or(Known::NOTHING, |node| node.value)
    }

    /// Adds the input. Returns its shape for the input's type, also where rules forbid it.
    fn input(&mut self, written: &HeaderShape, net: &Ident) -> Option<Shape> {
        let mut shape = None;
        let mut value = Known::NOTHING;
        match written {
            HeaderShape::Written(dimensions) => {
                shape = self.header(dimensions, "input");
                if let Some(shape) = shape
                    && shape.checked().is_ok()
                {
                    value = Known::Shape(shape);
                }
            }
            HeaderShape::Missing(place) => self.report(
                Mistake::new(*place, format!("`{net}`: the input shape is missing"))
                    .help("write it after the name: `: [1, 28, 28]`"),
            ),
            HeaderShape::Wrong => {}
        }
        self.nodes.push(Node {
            name: "input".into(),
            written_name: None,
            docs: Vec::new(),
            field: None,
            keyword: None,
            layer: None,
            arguments: String::new(),
            op: shape.map(|shape| Op::Input { shape }),
            inputs: Vec::new(),
            value,
            weight: None,
            bias: None,
        });
        shape
    }

    /// The shape of the header, unless it is none that a type could have.
    fn header(&mut self, written: &Dimensions, what: &str) -> Option<Shape> {
        let sizes: Vec<usize> = written.dimensions.iter().map(|&(size, _)| size).collect();
        let rank = sizes.len();
        let error = if rank > typenet_shape::MAX_RANK {
            ShapeError::Rank { rank }
        } else {
            let shape = Shape::new(&sizes);
            match (Op::Input { shape }).output(shape) {
                Ok(shape) => return Some(shape),
                Err(error) => error,
            }
        };
        match error {
            ShapeError::ZeroDimension { shape } => {
                let zero = written.dimensions.iter().find(|&&(size, _)| size == 0);
                let place = zero.map_or(written.span, |&(_, span)| span);
                let message = format!("the {what} shape: {}", error.message());
                self.report(Mistake::new(place, message).help("every dimension is at least 1"));
                Some(shape)
            }
            ShapeError::Rank { .. } => {
                let message = format!("the {what} shape {}", error.message());
                self.report(Mistake::new(written.span, message));
                None
            }
            _ => {
                let message = format!("the {what} shape: {}", error.message());
                self.report(Mistake::new(written.span, message));
                None
            }
        }
    }

    /// An entry of which nothing is known.
    fn gap(&mut self) {
        let inputs = vec![self.nodes.len() - 1];
        self.nodes.push(Node {
            name: "?".into(),
            written_name: None,
            docs: Vec::new(),
            field: None,
            keyword: None,
            layer: None,
            arguments: String::new(),
            op: None,
            inputs,
            value: Known::NOTHING,
            weight: None,
            bias: None,
        });
    }

    fn layer(&mut self, written: &Layer) {
        let text = written.keyword.to_string();
        let exact = layers::find(&text);
        // An unknown word that is near a known one is taken for that one: its fields and shapes are
        // likely, and nothing more is said about them.
        let layer = exact.or_else(|| self.unknown_layer(&written.keyword));
        let name = self.layer_name(written, layer);
        // A word that means nothing here may stand for a layer with parameters.
        let may_have_parameters = layer.map_or(written.name.is_some(), |l| l.has_parameters());
        let field = name.field.filter(|_| may_have_parameters);
        self.gap();
        let Some(mut node) = self.nodes.pop() else { return };
        node.docs.clone_from(&written.docs);
        node.name = name.text;
        node.written_name.clone_from(&written.name);
        node.field = field;
        node.keyword = exact.map(|_| written.keyword.clone());
        node.layer = layer;
        if let Some(layer) = layer {
            let before = self.mistakes.len();
            let given = self.arguments(&node.name, layer, written);
            if let Some(given) = given {
                node.arguments = layer.write(&given);
                let op = (layer.build)(&given);
                node.op = Some(op);
                self.argument_rules(&node.name, layer, op, written);
                if exact.is_none() {
                    self.mistakes.truncate(before);
                }
                let clean = exact.is_some() && self.mistakes.len() == before;
                self.shapes(&mut node, op, written, clean);
            } else if exact.is_none() {
                self.mistakes.truncate(before);
            }
        }
        self.nodes.push(node);
    }

    /// Reports each written argument that is out of its range by itself.
    fn argument_rules(
        &mut self,
        name: &str,
        layer: &'static layers::Layer,
        op: Op,
        written: &Layer,
    ) {
        for argument in Argument::ALL {
            let Some(place) = arguments::place_of(layer, written, argument.name()) else {
                continue;
            };
            if let Err(error) = op.check(argument) {
                let message = format!("`{name}`: {}", error.message());
                self.report(Mistake::new(place, message).help(error.help().as_str()));
            }
        }
    }

    /// The value by the layer's rule, or the rule's message and what is known nevertheless.
    fn shapes(&mut self, node: &mut Node, op: Op, written: &Layer, clean: bool) {
        let sound = |shape: &Shape| shape.checked().is_ok();
        let input = self.value();
        node.weight = op.weight_of_outline(input.outline()).filter(sound);
        node.bias = op.bias().filter(sound);
        let outline = op.outline(input.outline());
        node.value = match input {
            Known::Shape(shape) => match op.output(shape) {
                Ok(shape) if clean => Known::Shape(shape),
                Ok(shape) => Known::Assumed(shape),
                Err(error) => {
                    if clean {
                        self.misfit(node, op, error, written);
                    }
                    Known::Outline(outline)
                }
            },
            Known::Assumed(shape) => {
                op.output(shape).map_or(Known::Outline(outline), Known::Assumed)
            }
            Known::Outline(_) => Known::Outline(outline),
        };
        // A linear layer's output does not depend on what went wrong before it.
        if clean && let Some(shape) = op.outline(Outline::UNKNOWN).shape().filter(sound) {
            node.value = Known::Shape(shape);
        }
        if node.value.outline().channels == Some(0) {
            node.value = Known::NOTHING;
        }
    }

    fn misfit(&mut self, node: &Node, op: Op, error: ShapeError, written: &Layer) {
        let argument = error.argument().or(match (error, op) {
            (ShapeError::Overflow { .. }, Op::Conv2d { .. }) => Some(Argument::OutChannels),
            (ShapeError::Overflow { .. }, Op::Linear { .. }) => Some(Argument::OutFeatures),
            _ => None,
        });
        let place = argument
            .and_then(|argument| arguments::place_of(node.layer?, written, argument.name()))
            .unwrap_or_else(|| written.keyword.span().into());
        let mut mistake = Mistake::new(place, format!("`{}`: {}", node.name, error.message()));
        if error.concerns_input() {
            mistake = mistake.shapes(&self.shapes_so_far());
        }
        let flattener = self.nodes.iter().rev().find(|node| {
            matches!(node.op, Some(Op::Flatten | Op::GlobalAvgPool | Op::Linear { .. }))
        });
        let help = match (&error, flattener) {
            (ShapeError::NeedsImage { .. }, Some(flattener)) => {
                format!("put it before `{}`, where the value is still an image", flattener.name)
            }
            (ShapeError::NeedsImage { .. }, None) => {
                "declare the input as `[channels, height, width]`".into()
            }
            _ => error.help().to_string(),
        };
        self.report(mistake.help(help));
    }

    /// The last layers that changed the shape, with their shapes.
    fn shapes_so_far(&self) -> String {
        const MOST: usize = 6;
        let mut before = None;
        let mut texts = Vec::new();
        for node in &self.nodes {
            match node.value {
                Known::Shape(shape) => {
                    if before != Some(shape) {
                        texts.push(format!("{} {shape}", node.name));
                        before = Some(shape);
                    }
                }
                _ => {
                    before = None;
                    texts = vec!["…".into()];
                }
            }
        }
        if texts.len() > MOST {
            let last = texts.split_off(texts.len() - (MOST - 1));
            texts = vec!["…".into()];
            texts.extend(last);
        }
        texts.join(" → ")
    }

    /// Compares what the layers arrive at with what the header declares; returns the shape of the
    /// output's type.
    fn output(&mut self, written: &HeaderShape, net: &Ident) -> Option<Shape> {
        let arrived = match self.value() {
            Known::Shape(shape) => Some(shape),
            _ => None,
        };
        let dimensions = match written {
            HeaderShape::Written(dimensions) => dimensions,
            HeaderShape::Missing(place) => {
                let shape = arrived.map_or("[10]".to_string(), |shape| shape.to_string());
                let message = format!("`{net}`: the output shape is missing");
                self.report(
                    Mistake::new(*place, message)
                        .help(format!("write it after the input shape: `-> {shape}`")),
                );
                return self.value().shape();
            }
            HeaderShape::Wrong => return self.value().shape(),
        };
        let before = self.mistakes.len();
        let Some(declared) = self.header(dimensions, "output") else {
            return self.value().shape();
        };
        if let Some(arrived) = arrived
            && arrived != declared
            && self.mistakes.len() == before
        {
            let message =
                format!("`{net}`: the layers arrive at {arrived}, but {declared} is declared");
            let mistake = Mistake::new(dimensions.span, message).shapes(&self.shapes_so_far());
            let help = self.way_to(declared, arrived);
            self.report(mistake.help(help));
        }
        Some(declared)
    }

    /// Gives parameters whose shapes are unknown after a mistake some shape, so that the program
    /// around the declaration still finds their fields.
    fn stand_ins(&mut self) {
        for node in self.nodes.iter_mut().filter(|node| node.field.is_some()) {
            if node.weight.is_none() {
                let rank = match node.layer.map(|layer| layer.keyword) {
                    Some("conv2d") => 4,
                    Some("linear") => 2,
                    _ => 1,
                };
                let first = node.bias.map_or(1, |bias| bias.dim(0));
                node.weight = Some(Shape::new(&[first, 1, 1, 1][..rank]));
                if node.op.is_none() {
                    node.bias = Some(Shape::new(&[1]));
                }
            }
        }
    }

    /// How the layers could arrive at the declared shape, or the other way round.
    fn way_to(&self, declared: Shape, arrived: Shape) -> String {
        let declare = format!("declare `-> {arrived}`");
        // The layer that gave the value its first dimension.
        let last = self.nodes.iter().rev().find(|node| {
            matches!(
                node.op,
                Some(Op::Linear { .. } | Op::Conv2d { .. } | Op::Flatten | Op::GlobalAvgPool)
            )
        });
        let written = |node: &Node| match &node.written_name {
            Some(name) => format!("{name}: "),
            None => String::new(),
        };
        match (last, declared.dims(), arrived.dims()) {
            (Some(node), &[features], &[_]) if matches!(node.op, Some(Op::Linear { .. })) => {
                format!("use `{}linear({features})`, or {declare}", written(node))
            }
            (Some(node), &[channels, h, w], &[_, height, width])
                if matches!(node.op, Some(Op::Conv2d { .. })) && (h, w) == (height, width) =>
            {
                format!("use `{}conv2d({channels}, …)`, or {declare}", written(node))
            }
            (_, &[features], &[_]) => format!("add `linear({features})` at the end, or {declare}"),
            (_, &[features], &[_, _, _]) => {
                format!("add `flatten, linear({features})` at the end, or {declare}")
            }
            _ => declare,
        }
    }
}

/// The span of a name, or of the macro call where there is none.
fn span_of(path: &syn::Path) -> Span {
    path.segments.first().map_or_else(Span::call_site, |segment| segment.ident.span())
}

/// The tokens of a path.
fn place_of_path(path: &syn::Path) -> Place {
    let last = path.segments.last().map_or_else(Span::call_site, |segment| segment.ident.span());
    Place { start: span_of(path), end: last }
}

#[cfg(test)]
mod tests;

//! The input, and the output that the header asserts.

use proc_macro2::Ident;
use typenet_shape::{Op, Shape, ShapeError};

use super::constants::Value;
use super::report::Spot;
use super::symbolic::{numbers, ones, shape};
use super::symbols::Rule;
use super::{Checker, Known, Node};
use crate::Mistake;
use crate::mistake::Place;
use crate::number::{Number, shape_text};
use crate::parse::{Declaration, Dimensions, Expression, Form, HeaderShape};

impl Checker<'_> {
    /// Adds the input, or the inputs.
    pub(super) fn input(&mut self, declaration: &Declaration) {
        let (written, net) = (&declaration.input, &declaration.name);
        self.open_names = declaration.open_names;
        self.lost_input = matches!(written, HeaderShape::Missing(_) | HeaderShape::Wrong);
        let shapes = [written, &declaration.output].into_iter().flat_map(HeaderShape::written);
        let shapes = shapes.filter(|shape| batch(shape).is_none());
        let all: Vec<&Expression> = shapes.flat_map(|shape| &shape.dimensions).collect();
        self.unknown_constants(&all);
        self.batches(declaration);
        let mut node = Node { name: "input".into(), ..Node::unknown(net.span()) };
        match written {
            HeaderShape::Written(dimensions) => self.input_shape(&mut node, dimensions, "input"),
            HeaderShape::Named(inputs) => {
                return self.named_inputs(inputs);
            }
            HeaderShape::Missing(place) => {
                let help = match declaration.output {
                    HeaderShape::Wrong => {
                        "write it after the name, and the output shape behind it: `: [1, 28, 28] -> [10]`"
                    }
                    _ => "write it after the name: `: [1, 28, 28]`",
                };
                let message = format!("`{net}`: the input shape is missing");
                self.report(Mistake::new(*place, message).help(help));
            }
            HeaderShape::Wrong => {}
        }
        self.nodes.push(node);
        self.define_text("input", 0);
    }

    /// Gives an input its shape.
    pub(super) fn input_shape(&mut self, node: &mut Node, dimensions: &Dimensions, what: &str) {
        if let Some(dims) = self.header(dimensions, what) {
            node.op = Some(Op::Input { shape: ones(dims.len()) });
            node.set_dims(dims);
        }
        if let Some(shape) = node.value.shape() {
            node.op = Some(Op::Input { shape });
        }
        if node.symbolic_dims.iter().any(|dim| dim.known() == Some(0)) {
            node.value = Known::NOTHING;
        }
    }

    /// The shape of the header, unless it is none that a type could have.
    fn header(&mut self, written: &Dimensions, what: &str) -> Option<Vec<Number>> {
        if batch(written).is_some_and(|first| self.is_unknown(first)) {
            self.found += 1;
            return None;
        }
        self.takes_paths = true;
        let values: Vec<Value> = written.dimensions.iter().map(|one| self.evaluate(one)).collect();
        self.takes_paths = false;
        let mut dims = Vec::new();
        for (value, dimension) in values.iter().zip(&written.dimensions) {
            let Some(number) = value.number() else { continue };
            self.header_length(what, &number, dimension);
            dims.push(number);
        }
        if dims.len() < written.dimensions.len() {
            self.no_numbers(written, &values, what);
            return None;
        }
        let rank = dims.len();
        // What the compiler alone knows is at least 1, or it says so.
        let sizes: Vec<usize> = dims.iter().map(|dim| dim.known().unwrap_or(1)).collect();
        let error = if rank > typenet_shape::MAX_RANK {
            ShapeError::Rank { rank }
        } else {
            let shape = Shape::new(&sizes);
            match (Op::Input { shape }).output(shape) {
                Ok(_) => {
                    self.leave_header(written, what, &dims);
                    return Some(dims);
                }
                Err(error) => error,
            }
        };
        let text = error.message().to_string();
        match error {
            ShapeError::ZeroDimension { shape } => {
                let zero = sizes.iter().position(|&size| size == 0);
                let zero = zero.and_then(|index| written.dimensions.get(index));
                let place = zero.map_or(written.span.into(), |dimension| dimension.place);
                let text = text.replace(&shape.to_string(), &shape_text(&dims));
                let message = format!("the {what} shape: {text}");
                self.report(Mistake::new(place, message).help("every dimension is at least 1"));
                Some(dims)
            }
            ShapeError::Rank { .. } => {
                let message = format!("the {what} shape {text}");
                let help = rank_help(&dims, what);
                self.report(Mistake::new(written.span, message).help(help));
                None
            }
            _ => {
                let shape = Shape::new(&sizes).to_string();
                let message =
                    format!("the {what} shape: {}", text.replace(&shape, &shape_text(&dims)));
                self.report(Mistake::new(written.span, message));
                None
            }
        }
    }

    /// Whether a name is that of no constant.
    fn is_unknown(&self, value: &Expression) -> bool {
        !matches!(&value.form, Form::Name(name) if self.constant(name).is_some())
    }

    /// Reports first dimensions that stand for the number of images.
    fn batches(&mut self, declaration: &Declaration) {
        let shapes = [&declaration.input, &declaration.output].into_iter();
        let all: Vec<(&Dimensions, &Expression)> = shapes
            .flat_map(HeaderShape::written)
            .filter_map(|shape| Some((shape, batch(shape)?)))
            .filter(|(_, first)| self.is_unknown(first))
            .collect();
        let Some((_, first)) = all.first() else { return };
        let rest = |(shape, _): &(&Dimensions, &Expression)| {
            let rest = shape.dimensions.iter().skip(1).map(Expression::to_string);
            format!("`[{}]`", rest.collect::<Vec<_>>().join(", "))
        };
        let rests: Vec<String> = all.iter().map(rest).collect();
        let message = "a shape is that of one image, without the number of images";
        let help = format!("write {}: a net takes as many as it is given", rests.join(" and "));
        self.report(Mistake::new(first.place, message).help(help));
    }

    /// Says which dimensions are no whole numbers, unless that is said.
    fn no_numbers(&mut self, written: &Dimensions, values: &[Value], what: &str) {
        let all = values.iter().zip(&written.dimensions);
        let wrong: Vec<(&Value, &Expression)> =
            all.filter(|(value, _)| value.number().is_none() && **value != Value::Wrong).collect();
        let (Some((_, first)), Some((_, last))) = (wrong.first(), wrong.last()) else { return };
        let found: Vec<String> = wrong.iter().map(|(_, one)| format!("`{one}`")).collect();
        let message =
            format!("the {what} shape: a dimension is a whole number, found {}", found.join(", "));
        let whole = |value: &Value| match value {
            Value::Float(float) if *float >= 1.0 && float.fract() == 0.0 => {
                Some(format!("{float}"))
            }
            Value::Other(text) => {
                let text = text.trim_matches('"');
                let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
                let (digits, suffix) = text.split_at(end);
                let is_number = !digits.is_empty() && suffix.len() <= 4 && !suffix.contains(' ');
                is_number.then(|| digits.to_string())
            }
            value => value.number().map(|number| number.to_string()),
        };
        let help = match values.iter().map(whole).collect::<Option<Vec<String>>>() {
            Some(sizes) => format!("write `[{}]`", sizes.join(", ")),
            None => "it is a number, a `usize` constant before the layers, or the path of one: `crate::SIDE`".into(),
        };
        let place = Place { start: first.place.start, end: last.place.end };
        self.report(Mistake::new(place, message).help(help));
    }

    /// Leaves it to the compiler whether the sizes that it alone knows make a shape.
    fn leave_header(&mut self, written: &Dimensions, what: &str, dims: &[Number]) {
        for (axis, (dim, dimension)) in dims.iter().zip(&written.dimensions).enumerate() {
            if dim.known().is_none() {
                let rule = Rule::Dimension(what.to_string(), dims.to_vec(), axis);
                self.leave(Spot::at(dimension.place), rule);
            }
        }
        if dims.iter().any(|dim| dim.known().is_none()) {
            let rule = Rule::Header(what.to_string(), dims.to_vec());
            self.leave(Spot::at(written.span.into()), rule);
        }
    }

    /// Compares what the layers arrive at with what the header declares; returns the shape of the
    /// output's type, unless a mistake leaves it open.
    pub(super) fn output(&mut self, written: &HeaderShape, net: &Ident) -> Option<Vec<Number>> {
        let dimensions = match written {
            HeaderShape::Written(dimensions) => dimensions,
            HeaderShape::Named(heads) => {
                self.named_heads(heads, net);
                return None;
            }
            HeaderShape::Missing(place) => {
                let shape = match self.nodes.get(self.current).map(|node| (node.value, node.dims()))
                {
                    Some((Known::Shape(_) | Known::Symbolic(_), Some(dims))) => shape_text(&dims),
                    _ => "[10]".to_string(),
                };
                let message = format!("`{net}`: the output shape is missing");
                self.report(
                    Mistake::new(*place, message)
                        .help(format!("write it after the input shape: `-> {shape}`")),
                );
                return None;
            }
            HeaderShape::Wrong => return None,
        };
        self.arrives(dimensions, "output", self.current, net, None)
    }

    /// Compares a value with the shape that the header declares of the net, or of one of its heads;
    /// returns that shape, unless there is a mistake in either: the program may then go by the one or
    /// the other.
    pub(super) fn arrives(
        &mut self,
        dimensions: &Dimensions,
        what: &str,
        node: usize,
        net: &Ident,
        head: Option<&Ident>,
    ) -> Option<Vec<Number>> {
        let before = self.found;
        let declared = self.header(dimensions, what)?;
        if self.found > before {
            return None;
        }
        let (value, arrived) = match self.nodes.get(node) {
            Some(found) => (found.value, found.dims()),
            None => return Some(declared),
        };
        let (sure, arrived) = match (value, arrived) {
            (Known::Shape(shape), _) => (true, numbers(shape)),
            (Known::Symbolic(_), Some(arrived)) => (true, arrived),
            (Known::Symbolic(_), None) => {
                // Not even how many there are is known here.
                let rule = Rule::Output(node, declared.clone());
                self.leave(Spot::at(dimensions.span.into()), rule);
                return Some(declared);
            }
            _ => (false, Vec::new()),
        };
        if !sure {
            return Some(declared);
        }
        let differ =
            |(a, b): (&Number, &Number)| a.known().zip(b.known()).is_some_and(|(a, b)| a != b);
        if arrived.len() != declared.len() || arrived.iter().zip(&declared).any(differ) {
            let (arrived_text, declared_text) = (shape_text(&arrived), shape_text(&declared));
            let message = format!(
                "`{}`: the layers arrive at {arrived_text}, but {declared_text} is declared",
                head.unwrap_or(net)
            );
            let mistake = Mistake::new(dimensions.span, message).shapes(&self.shapes_to(node));
            let help = match self.other_output(&declared, node).filter(|_| head.is_none()) {
                Some(help) => {
                    self.missed_names[1] = true;
                    help
                }
                None => self.way_to(&declared, &arrived, node, head),
            };
            self.report(mistake.help(help));
            return None;
        } else if shape(&arrived).is_none() || shape(&declared).is_none() {
            let rule = Rule::Output(node, declared.clone());
            self.leave(Spot::at(dimensions.span.into()), rule);
        }
        Some(declared)
    }

    /// What to do where another layer arrives at the declared shape, and no layer reads it.
    fn other_output(&self, declared: &[Number], last: usize) -> Option<String> {
        let names = &self.frames.first()?.names;
        let is_read = |node| self.nodes.iter().any(|other| other.inputs.contains(&node));
        let (name, _) = names.iter().find(|(_, node)| {
            *node != last
                && !is_read(*node)
                && self.nodes.get(*node).and_then(Node::dims).as_deref() == Some(declared)
        })?;
        let of_last = names.iter().find(|(_, node)| *node == last);
        let of_last = of_last.map_or("other", |(name, _)| name.as_str());
        let dims = self.nodes.get(last).and_then(Node::dims)?;
        Some(format!(
            "several outputs have their layers' names: `-> ({name}: {}, {of_last}: {})`",
            shape_text(declared),
            shape_text(&dims)
        ))
    }

    /// How the layers could arrive at the declared shape, or the other way round.
    fn way_to(
        &self,
        declared: &[Number],
        arrived: &[Number],
        node: usize,
        head: Option<&Ident>,
    ) -> String {
        let declare = match head {
            Some(head) => format!("declare `{head}: {}`", shape_text(arrived)),
            None => format!("declare `-> {}`", shape_text(arrived)),
        };
        // The layer that gave the value its first dimension.
        let last = self.path(node).into_iter().rev().map(|index| &self.nodes[index]).find(|node| {
            matches!(
                node.op,
                Some(Op::Linear { .. } | Op::Conv2d { .. } | Op::Flatten | Op::GlobalAvgPool)
            )
        });
        let written = |node: &Node| match &node.written_name {
            Some(name) => format!("{name}: "),
            None => String::new(),
        };
        match (last, declared, arrived) {
            (Some(node), [features], [_]) if matches!(node.op, Some(Op::Linear { .. })) => {
                format!("use `{}linear({features})`, or {declare}", written(node))
            }
            (Some(node), [channels, sizes @ ..], [_, others @ ..])
                if matches!(node.op, Some(Op::Conv2d { .. }))
                    && declared.len() == 3
                    && sizes == others =>
            {
                format!("use `{}conv2d({channels}, …)`, or {declare}", written(node))
            }
            (_, [features], [_]) => format!("add `linear({features})` at the end, or {declare}"),
            (_, [features], [_, _, _]) => {
                format!("add `flatten, linear({features})` at the end, or {declare}")
            }
            _ => declare,
        }
    }
}

/// The first dimension of a shape, if it is written like the number of images in a batch.
fn batch(shape: &Dimensions) -> Option<&Expression> {
    const WORDS: [&str; 8] = ["_", "none", "n", "b", "bs", "batch", "batch_size", "batchsize"];
    let (first, others) = shape.dimensions.split_first()?;
    let is_batch = match &first.form {
        Form::Name(name) => WORDS.contains(&name.to_string().to_lowercase().as_str()),
        Form::Other(text) => ["?", "-1", "_", "..", "*"].contains(&text.as_str()),
        _ => false,
    };
    (is_batch && matches!(others.len(), 1 | 3)).then_some(first)
}

/// What to write in place of a shape that has another number of dimensions.
fn rank_help(dims: &[Number], what: &str) -> String {
    let is_output = what.ends_with("output");
    let one = dims.first().and_then(Number::known) == Some(1);
    match dims {
        [_, rest @ ..] if rest.len() == 3 => format!(
            "leave out the number of images: `{}`; a net takes as many as it is given",
            shape_text(rest)
        ),
        [_, size] if is_output => format!(
            "leave out the number of images: `[{size}]`; a net takes as many as it is given"
        ),
        [_, side] if one => format!(
            "write `[1, {side}, {side}]` for grey images of {side}×{side}, or `[{side}]` for {side} features"
        ),
        [height, width] => format!(
            "write `[1, {height}, {width}]` for grey images, or `[3, {height}, {width}]` for coloured ones"
        ),
        _ if is_output => "write `[10]` for ten classes, say".into(),
        _ => "write `[1, 28, 28]`, say".into(),
    }
}

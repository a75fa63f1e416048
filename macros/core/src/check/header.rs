//! The input, and the output that the header asserts.

use proc_macro2::Ident;
use typenet_shape::{Op, Shape, ShapeError};

use super::constants::Value;
use super::report::Spot;
use super::symbolic::{numbers, ones, shape};
use super::symbols::Rule;
use super::{Checker, Known, Node};
use crate::Mistake;
use crate::number::{Number, shape_text};
use crate::parse::{Dimensions, HeaderShape};

impl Checker<'_> {
    /// Adds the input, or the inputs. Returns its shape for the input's type, also where rules forbid
    /// it.
    pub(super) fn input(&mut self, written: &HeaderShape, net: &Ident) -> Option<Shape> {
        let mut node = Node { name: "input".into(), ..Node::unknown(net.span()) };
        match written {
            HeaderShape::Written(dimensions) => self.input_shape(&mut node, dimensions, "input"),
            HeaderShape::Named(inputs) => {
                self.named_inputs(inputs);
                return None;
            }
            HeaderShape::Missing(place) => self.report(
                Mistake::new(*place, format!("`{net}`: the input shape is missing"))
                    .help("write it after the name: `: [1, 28, 28]`"),
            ),
            HeaderShape::Wrong => {}
        }
        // Also of a shape with a zero, which is reported and has a type.
        let shape = shape(&node.symbolic_dims).filter(|_| node.op.is_some());
        self.nodes.push(node);
        self.define_text("input", 0);
        shape
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
        let mut dims = Vec::new();
        for dimension in &written.dimensions {
            self.takes_paths = true;
            let value = self.evaluate(dimension);
            self.takes_paths = false;
            match value {
                Value::Wrong => {}
                value => match value.number() {
                    Some(number) => {
                        self.header_length(what, &number, dimension);
                        dims.push(number);
                    }
                    None => {
                        let message = format!(
                            "the {what} shape: a dimension is a whole number, found `{dimension}`"
                        );
                        self.report(Mistake::new(dimension.place, message));
                    }
                },
            }
        }
        if dims.len() < written.dimensions.len() {
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
                self.report(Mistake::new(written.span, message));
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
    /// output's type.
    pub(super) fn output(&mut self, written: &HeaderShape, net: &Ident) -> Option<Shape> {
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
                return self.value().shape();
            }
            HeaderShape::Wrong => return self.value().shape(),
        };
        let Some(declared) = self.arrives(dimensions, "output", self.current, net, None) else {
            return self.value().shape();
        };
        let known = shape(&declared);
        if known.is_none() {
            self.symbolic_output = Some(declared);
        }
        known
    }

    /// Compares a value with the shape that the header declares of the net, or of one of its heads;
    /// returns that shape, unless it is none.
    pub(super) fn arrives(
        &mut self,
        dimensions: &Dimensions,
        what: &str,
        node: usize,
        net: &Ident,
        head: Option<&Ident>,
    ) -> Option<Vec<Number>> {
        let before = self.mistakes.len();
        let declared = self.header(dimensions, what)?;
        if self.mistakes.len() > before {
            return Some(declared);
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
            let help = self.way_to(&declared, &arrived, node, head);
            self.report(mistake.help(help));
        } else if shape(&arrived).is_none() || shape(&declared).is_none() {
            let rule = Rule::Output(node, declared.clone());
            self.leave(Spot::at(dimensions.span.into()), rule);
        }
        Some(declared)
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

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
    /// Adds the input. Returns its shape for the input's type, also where rules forbid it.
    pub(super) fn input(&mut self, written: &HeaderShape, net: &Ident) -> Option<Shape> {
        let mut shape = None;
        let mut node = Node { name: "input".into(), ..Node::unknown(net.span()) };
        match written {
            HeaderShape::Written(dimensions) => {
                if let Some(dims) = self.header(dimensions, "input") {
                    node.op = Some(Op::Input { shape: ones(dims.len()) });
                    node.set_dims(dims);
                }
                shape = node.value.shape();
                if let Some(shape) = shape {
                    node.op = Some(Op::Input { shape });
                }
                if node.symbolic_dims.iter().any(|dim| dim.known() == Some(0)) {
                    node.value = Known::NOTHING;
                }
            }
            HeaderShape::Missing(place) => self.report(
                Mistake::new(*place, format!("`{net}`: the input shape is missing"))
                    .help("write it after the name: `: [1, 28, 28]`"),
            ),
            HeaderShape::Wrong => {}
        }
        self.nodes.push(node);
        shape
    }

    /// The shape of the header, unless it is none that a type could have.
    fn header(&mut self, written: &Dimensions, what: &'static str) -> Option<Vec<Number>> {
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
    fn leave_header(&mut self, written: &Dimensions, what: &'static str, dims: &[Number]) {
        for (axis, (dim, dimension)) in dims.iter().zip(&written.dimensions).enumerate() {
            if dim.known().is_none() {
                let rule = Rule::Dimension(what, dims.to_vec(), axis);
                self.leave(Spot::at(dimension.place), rule);
            }
        }
        if dims.iter().any(|dim| dim.known().is_none()) {
            let rule = Rule::Header(what, dims.to_vec());
            self.leave(Spot::at(written.span.into()), rule);
        }
    }

    /// Compares what the layers arrive at with what the header declares; returns the shape of the
    /// output's type.
    pub(super) fn output(&mut self, written: &HeaderShape, net: &Ident) -> Option<Shape> {
        let arrived = match self.value() {
            Known::Shape(shape) => Some(shape),
            _ => None,
        };
        let dimensions = match written {
            HeaderShape::Written(dimensions) => dimensions,
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
        let before = self.mistakes.len();
        let Some(declared) = self.header(dimensions, "output") else {
            return self.value().shape();
        };
        let right = self.mistakes.len() == before;
        match (shape(&declared), arrived) {
            (Some(declared), Some(arrived)) if arrived != declared && right => {
                let message =
                    format!("`{net}`: the layers arrive at {arrived}, but {declared} is declared");
                let mistake = Mistake::new(dimensions.span, message).shapes(&self.shapes_so_far());
                let help = self.way_to(&numbers(declared), &numbers(arrived));
                self.report(mistake.help(help));
            }
            (Some(_), Some(_)) => {}
            _ if right => self.symbolic_output(dimensions, net, &declared),
            _ => {}
        }
        let known = shape(&declared);
        if known.is_none() {
            self.symbolic_output = Some(declared);
        }
        known
    }

    /// As above, where the compiler alone knows some of the numbers.
    fn symbolic_output(&mut self, dimensions: &Dimensions, net: &Ident, declared: &[Number]) {
        let sure = matches!(self.value(), Known::Shape(_) | Known::Symbolic(_));
        let arrived = self.nodes.get(self.current).and_then(Node::dims).filter(|_| sure);
        let Some(arrived) = arrived else {
            if sure {
                let rule = Rule::Output(self.current, declared.to_vec());
                self.leave(Spot::at(dimensions.span.into()), rule);
            }
            return;
        };
        let differ =
            |(a, b): (&Number, &Number)| a.known().zip(b.known()).is_some_and(|(a, b)| a != b);
        if arrived.len() == declared.len() && !arrived.iter().zip(declared).any(differ) {
            let rule = Rule::Output(self.current, declared.to_vec());
            return self.leave(Spot::at(dimensions.span.into()), rule);
        }
        let message = format!(
            "`{net}`: the layers arrive at {}, but {} is declared",
            shape_text(&arrived),
            shape_text(declared)
        );
        let mistake = Mistake::new(dimensions.span, message).shapes(&self.shapes_so_far());
        let help = self.way_to(declared, &arrived);
        self.report(mistake.help(help));
    }

    /// How the layers could arrive at the declared shape, or the other way round.
    fn way_to(&self, declared: &[Number], arrived: &[Number]) -> String {
        let declare = format!("declare `-> {}`", shape_text(arrived));
        // The layer that gave the value its first dimension.
        let last = self.path(self.current).into_iter().rev().map(|index| &self.nodes[index]).find(
            |node| {
                matches!(
                    node.op,
                    Some(Op::Linear { .. } | Op::Conv2d { .. } | Op::Flatten | Op::GlobalAvgPool)
                )
            },
        );
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

//! The input, and the output that the header asserts.

use proc_macro2::Ident;
use typenet_shape::{Op, Shape, ShapeError};

use super::constants::Value;
use super::{Checker, Known, Node};
use crate::Mistake;
use crate::parse::{Dimensions, HeaderShape};

impl Checker<'_> {
    /// Adds the input. Returns its shape for the input's type, also where rules forbid it.
    pub(super) fn input(&mut self, written: &HeaderShape, net: &Ident) -> Option<Shape> {
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
        let op = shape.map(|shape| Op::Input { shape });
        self.nodes.push(Node { name: "input".into(), op, value, ..Node::unknown(net.span()) });
        shape
    }

    /// The shape of the header, unless it is none that a type could have.
    fn header(&mut self, written: &Dimensions, what: &str) -> Option<Shape> {
        let mut sizes = Vec::new();
        for dimension in &written.dimensions {
            match self.evaluate(dimension) {
                Value::Integer(size) => sizes.push(size),
                Value::Wrong => {}
                _ => {
                    let message = format!(
                        "the {what} shape: a dimension is a whole number, found `{dimension}`"
                    );
                    self.report(Mistake::new(dimension.place, message));
                }
            }
        }
        if sizes.len() < written.dimensions.len() {
            return None;
        }
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
                let zero = sizes.iter().position(|&size| size == 0);
                let zero = zero.and_then(|index| written.dimensions.get(index));
                let place = zero.map_or(written.span.into(), |dimension| dimension.place);
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

    /// How the layers could arrive at the declared shape, or the other way round.
    fn way_to(&self, declared: Shape, arrived: Shape) -> String {
        let declare = format!("declare `-> {arrived}`");
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

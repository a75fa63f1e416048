use typenet_shape::Shape;

use super::Left;
use crate::symbolic::{Expression, Style, gradient, name};

/// An equation, written in two ways.
#[derive(Clone, PartialEq, Debug)]
pub struct Equation {
    /// As text: `∂L/∂fc.bias[o] = Σ_images ∂L/∂fc[o]`.
    pub text: String,
    /// As LaTeX.
    pub latex: String,
    /// The shape of its left side, where that is a gradient.
    pub shape: Option<Shape>,
}

/// `left = right`
pub(super) fn written(
    left: Left<'_>,
    shape: Option<Shape>,
    right: impl Fn(Style) -> String,
) -> Equation {
    let of = |style: Style| {
        let left = match left {
            Left::Value(value) => name(value, style),
            Left::Gradient(of) => gradient(of, style),
            Left::Symbol(symbol, names) => Expression::from(symbol).render(style, names),
        };
        format!("{left} = {}", right(style))
    };
    Equation { text: of(Style::Text), latex: of(Style::Latex), shape }
}

/// Writes the equations of a layer.
pub(super) struct Writer<'a> {
    /// The layer's name, which is its value's.
    pub(super) name: &'static str,
    /// What it reads first.
    pub(super) x: &'a str,
    /// For each value that it reads, whether others read it too.
    pub(super) shared: &'a [bool],
}

/// A name with indices: `conv1[o, i, j]`.
pub(super) fn at(of: &str, indices: &str, style: Style) -> String {
    format!("{}[{}]", name(of, style), in_style(indices, style))
}

/// The gradient of that.
pub(super) fn gradient_at(of: &str, indices: &str, style: Style) -> String {
    format!("{}[{}]", gradient(of, style), in_style(indices, style))
}

/// Text with the signs of a style.
pub(super) fn in_style(text: &str, style: Style) -> String {
    match style {
        Style::Text => text.to_owned(),
        Style::Latex => text
            .replace('·', "\\cdot ")
            .replace('−', "-")
            .replace('⌊', "\\lfloor ")
            .replace('⌋', "\\rfloor "),
    }
}

/// `Σ_{o, u, v}`; with a condition on them behind a colon.
pub(super) fn sum(over: &str, style: Style) -> String {
    match style {
        Style::Text if over.chars().count() == 1 => format!("Σ_{over} "),
        Style::Text => format!("Σ_{{{over}}} "),
        Style::Latex => format!("\\sum_{{{}}} ", in_style(over, style)),
    }
}

/// `Σ_images`, and over more.
pub(super) fn sum_of_images(over: &str, style: Style) -> String {
    let more = if over.is_empty() { String::new() } else { sum(over, style) };
    match style {
        Style::Text => format!("Σ_images {more}"),
        Style::Latex => format!("\\sum_{{\\text{{images}}}} {more}"),
    }
}

pub(super) fn dot(style: Style) -> &'static str {
    match style {
        Style::Text => " · ",
        Style::Latex => " \\cdot ",
    }
}

impl Writer<'_> {
    /// One of the layer's parameters.
    pub(super) fn parameter(&self, kind: &str) -> String {
        format!("{}.{kind}", self.name)
    }

    /// The gradient of a value that the layer reads, whole.
    pub(super) fn gradient(
        &self,
        input: usize,
        shape: Shape,
        right: impl Fn(Style) -> String,
    ) -> Equation {
        self.gradient_of(input, self.x, "", shape, right)
    }

    /// The same of this value at some indices.
    pub(super) fn gradient_of(
        &self,
        input: usize,
        value: &str,
        indices: &str,
        shape: Shape,
        right: impl Fn(Style) -> String,
    ) -> Equation {
        let shared = self.shared.get(input).copied().unwrap_or(false);
        let of = |style: Style| {
            let left = match indices {
                "" => gradient(value, style),
                indices => gradient_at(value, indices, style),
            };
            let sign = match (shared, style) {
                (false, _) => "=",
                (true, Style::Text) => "+=",
                (true, Style::Latex) => "\\mathrel{+}=",
            };
            format!("{left} {sign} {}", right(style))
        };
        Equation { text: of(Style::Text), latex: of(Style::Latex), shape: Some(shape) }
    }

    /// Any other equation.
    pub(super) fn equation(
        &self,
        shape: Option<Shape>,
        left: impl Fn(Style) -> String,
        right: impl Fn(Style) -> String,
    ) -> Equation {
        let of = |style| format!("{} = {}", left(style), right(style));
        Equation { text: of(Style::Text), latex: of(Style::Latex), shape }
    }
}

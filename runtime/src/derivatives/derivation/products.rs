//! Layers that multiply with a weight.

use typenet_shape::{Conv2d, Op, Shape};

use super::LayerDerivation;
use super::equation::{Writer, at, dot, gradient_at, sum, sum_of_images};
use crate::symbolic::Style;

const OUTSIDE: &str = "What lies outside counts as 0.";
const GROUPS: &str = "Each output channel o reads the channels c of its group only.";

/// `b[o] + `
fn bias(writer: &Writer<'_>, has_bias: bool, style: Style) -> String {
    if has_bias { at(&writer.parameter("bias"), "o", style) + " + " } else { String::new() }
}

fn bias_gradient(writer: &Writer<'_>, own: &mut LayerDerivation, places: &str) {
    let (bias, channels) = (writer.parameter("bias"), own.output.dim(0));
    let indices = if places.is_empty() { "o".to_owned() } else { format!("o, {places}") };
    own.gradients.push(writer.equation(
        Some(Shape::new(&[channels])),
        |style| gradient_at(&bias, "o", style),
        |style| sum_of_images(places, style) + &gradient_at(writer.name, &indices, style),
    ));
}

pub(super) fn linear(
    writer: &Writer<'_>,
    own: &mut LayerDerivation,
    has_bias: bool,
    input: Shape,
    frozen: bool,
) {
    let (name, x, weight) = (writer.name, writer.x, writer.parameter("weight"));
    own.value.push(writer.equation(
        None,
        |style| at(name, "o", style),
        |style| {
            let product = [at(&weight, "o, i", style), at(x, "i", style)].join(dot(style));
            format!("{}{}{product}", bias(writer, has_bias, style), sum("i", style))
        },
    ));
    if !frozen {
        own.gradients.push(writer.equation(
            Some(Shape::new(&[own.output.dim(0), input.dim(0)])),
            |style| gradient_at(&weight, "o, i", style),
            |style| {
                let product = [gradient_at(name, "o", style), at(x, "i", style)].join(dot(style));
                sum_of_images("", style) + &product
            },
        ));
        if has_bias {
            bias_gradient(writer, own, "");
        }
    }
    own.gradients.push(writer.gradient_of(0, x, "i", input, |style| {
        let product = [at(&weight, "o, i", style), gradient_at(name, "o", style)].join(dot(style));
        sum("o", style) + &product
    }));
}

/// `i·2 + u − 1`: the place that tap `tap` of the window at `window` reads.
fn place(window: &str, tap: &str, stride: usize, dilation: usize, padding: usize) -> String {
    let times = |what: &str, factor: usize| match factor {
        1 => what.to_owned(),
        factor => format!("{what}·{factor}"),
    };
    let border = if padding == 0 { String::new() } else { format!(" − {padding}") };
    format!("{} + {}{border}", times(window, stride), times(tap, dilation))
}

/// Both coordinates.
fn places(stride: [usize; 2], dilation: [usize; 2], padding: [usize; 2]) -> [String; 2] {
    [("i", "u", 0), ("j", "v", 1)]
        .map(|(window, tap, axis)| place(window, tap, stride[axis], dilation[axis], padding[axis]))
}

pub(super) fn conv2d(
    writer: &Writer<'_>,
    own: &mut LayerDerivation,
    g: &Conv2d,
    has_bias: bool,
    frozen: bool,
) {
    let (name, x, weight) = (writer.name, writer.x, writer.parameter("weight"));
    let [row, column] = places(g.stride, g.dilation, g.padding);
    let read = format!("c, {row}, {column}");
    own.value.push(writer.equation(
        None,
        |style| at(name, "o, i, j", style),
        |style| {
            let product = [at(&weight, "o, c, u, v", style), at(x, &read, style)].join(dot(style));
            format!("{}{}{product}", bias(writer, has_bias, style), sum("c, u, v", style))
        },
    ));
    if !frozen {
        own.gradients.push(writer.equation(
            Some(g.weight()),
            |style| gradient_at(&weight, "o, c, u, v", style),
            |style| {
                let dy = gradient_at(name, "o, i, j", style);
                sum_of_images("i, j", style) + &[dy, at(x, &read, style)].join(dot(style))
            },
        ));
        if has_bias {
            bias_gradient(writer, own, "i, j");
        }
    }
    // Back from the place that was read to the windows that read it.
    let simple = g.stride == [1, 1];
    let (over, from) = if simple {
        let back = |place: &str, tap: &str, axis: usize| {
            let plus = match g.padding[axis] {
                0 => String::new(),
                padding => format!(" + {padding}"),
            };
            let tap = match g.dilation[axis] {
                1 => tap.to_owned(),
                dilation => format!("{tap}·{dilation}"),
            };
            format!("{place}{plus} − {tap}")
        };
        ("o, u, v".to_owned(), format!("o, {}, {}", back("k", "u", 0), back("l", "v", 1)))
    } else {
        (format!("o, i, j, u, v: {row} = k, {column} = l"), "o, i, j".to_owned())
    };
    own.gradients.push(writer.gradient_of(0, x, "c, k, l", g.input, |style| {
        let product = [at(&weight, "o, c, u, v", style), gradient_at(name, &from, style)];
        sum(&over, style) + &product.join(dot(style))
    }));
    if g.padding != [0, 0] || g.kernel != [1, 1] {
        own.notes.push(OUTSIDE);
    }
    if g.groups > 1 {
        own.notes.push(GROUPS);
    }
}

pub(super) fn conv_transpose2d(
    writer: &Writer<'_>,
    own: &mut LayerDerivation,
    op: &Op,
    input: Shape,
    frozen: bool,
) {
    let Some(g) = op.conv_transpose2d(input) else { return };
    let has_bias = matches!(op, Op::ConvTranspose2d { bias: true, .. });
    let (name, x, weight) = (writer.name, writer.x, writer.parameter("weight"));
    let [row, column] = places(g.stride, g.dilation, g.padding);
    let written = format!("o, {row}, {column}");
    own.value.push(writer.equation(
        None,
        |style| at(name, "o, k, l", style),
        |style| {
            let over = format!("c, i, j, u, v: {row} = k, {column} = l");
            let product = [at(&weight, "c, o, u, v", style), at(x, "c, i, j", style)];
            let product = product.join(dot(style));
            format!("{}{}{product}", bias(writer, has_bias, style), sum(&over, style))
        },
    ));
    if !frozen {
        own.gradients.push(writer.equation(
            Some(g.weight()),
            |style| gradient_at(&weight, "c, o, u, v", style),
            |style| {
                let product = [at(x, "c, i, j", style), gradient_at(name, &written, style)];
                sum_of_images("i, j", style) + &product.join(dot(style))
            },
        ));
        if has_bias {
            bias_gradient(writer, own, "k, l");
        }
    }
    own.gradients.push(writer.gradient_of(0, x, "c, i, j", input, |style| {
        let product = [at(&weight, "c, o, u, v", style), gradient_at(name, &written, style)];
        sum("o, u, v", style) + &product.join(dot(style))
    }));
    own.notes.push(OUTSIDE);
    if g.groups > 1 {
        own.notes.push(GROUPS);
    }
}

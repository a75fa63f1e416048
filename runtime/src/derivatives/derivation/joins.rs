//! Layers without weights that have no formula of sets.

use typenet_shape::{Interpolation, Op};

use super::LayerDerivation;
use super::equation::{Writer, at, dot, gradient_at, sum};
use crate::symbolic::{Style, gradient, name};

pub(super) fn of_op(writer: &Writer<'_>, own: &mut LayerDerivation, op: &Op) {
    let reads = own.reads.clone();
    let y = writer.name;
    match *op {
        Op::Add => {
            own.value.push(writer.equation(
                None,
                |style| name(y, style),
                |style| {
                    reads.iter().map(|(read, _)| name(read, style)).collect::<Vec<_>>().join(" + ")
                },
            ));
            for (k, &(read, shape)) in reads.iter().enumerate() {
                own.gradients.push(writer.gradient_of(k, read, "", shape, |s| gradient(y, s)));
            }
        }
        Op::Mul => {
            own.value.push(writer.equation(
                None,
                |style| name(y, style),
                |style| {
                    reads
                        .iter()
                        .map(|(read, _)| name(read, style))
                        .collect::<Vec<_>>()
                        .join(dot(style))
                },
            ));
            for (k, &(read, shape)) in reads.iter().enumerate() {
                let a_channel = shape.elements() < own.output.elements();
                own.gradients.push(writer.gradient_of(k, read, "", shape, |style| {
                    let others = reads.iter().enumerate().filter(|(other, _)| *other != k);
                    let mut factors = vec![gradient(y, style)];
                    factors.extend(others.map(|(_, (other, _))| name(other, style)));
                    let pixels = match (a_channel, style) {
                        (false, _) => "",
                        (true, Style::Text) => "Σ_pixels ",
                        (true, Style::Latex) => "\\sum_{\\text{pixels}} ",
                    };
                    format!("{pixels}{}", factors.join(dot(style)))
                }));
            }
        }
        Op::Concat => {
            own.value.push(writer.equation(
                None,
                |style| name(y, style),
                |style| {
                    let all = reads.iter().map(|(read, _)| name(read, style)).collect::<Vec<_>>();
                    format!("({})", all.join(", "))
                },
            ));
            let mut start = 0;
            for (k, &(read, shape)) in reads.iter().enumerate() {
                let range = format!("{start}..{}", start + shape.dim(0));
                start += shape.dim(0);
                let right = |style| gradient_at(y, &range, style);
                own.gradients.push(writer.gradient_of(k, read, "", shape, right));
            }
            own.notes.push("Values stand one behind the other along the channels.");
        }
        Op::Dropout { p } => {
            let kept = |style: Style| match style {
                Style::Text => format!("mask / (1 − {p})"),
                Style::Latex => format!("\\frac{{\\text{{mask}}}}{{1 - {p}}}"),
            };
            own.value.push(writer.equation(
                None,
                |style| name(y, style),
                |style| [name(writer.x, style), kept(style)].join(dot(style)),
            ));
            own.gradients.push(writer.gradient(0, reads[0].1, |style| {
                [gradient(y, style), kept(style)].join(dot(style))
            }));
            own.notes.push("The mask is 0 with probability p and else 1, drawn anew for each forward pass. Predicting, nothing happens.");
        }
        Op::Upsample { scale_factor: [a, b], mode: Interpolation::Nearest, .. } => {
            own.value.push(writer.equation(
                None,
                |style| at(y, "c, i, j", style),
                |style| at(writer.x, &format!("c, ⌊i / {a}⌋, ⌊j / {b}⌋"), style),
            ));
            let right = |style| {
                let from = format!("c, k·{a} + u, l·{b} + v");
                sum(&format!("u < {a}, v < {b}"), style) + &gradient_at(y, &from, style)
            };
            own.gradients.push(writer.gradient_of(0, writer.x, "c, k, l", reads[0].1, right));
        }
        Op::Upsample { .. } => {
            let factors = |style: Style| ["a[i, k]", "b[j, l]"].join(dot(style));
            own.value.push(writer.equation(
                None,
                |style| at(y, "c, i, j", style),
                |style| {
                    let product = [factors(style), at(writer.x, "c, k, l", style)];
                    sum("k, l", style) + &product.join(dot(style))
                },
            ));
            let right = |style| {
                let product = [factors(style), gradient_at(y, "c, i, j", style)];
                sum("i, j", style) + &product.join(dot(style))
            };
            own.gradients.push(writer.gradient_of(0, writer.x, "c, k, l", reads[0].1, right));
            own.notes.push("a[i, k] is 1 − the distance of output row i from input row k, at least 0; b[j, l] the same of columns.");
        }
        Op::Own(_) => {
            own.notes.push("A layer of your own: its `backward` says what the gradients are.");
        }
        // The same numbers in another shape.
        _ => {
            own.value.push(writer.equation(None, |s| name(y, s), |s| name(writer.x, s)));
            own.gradients.push(writer.gradient(0, reads[0].1, |style| gradient(y, style)));
            if reads[0].1 != own.output {
                own.notes.push("The same numbers in another shape.");
            }
        }
    }
}

use super::Message;
use crate::{Op, Shape, ShapeError};

/// How a declaration joins several values, for messages to name them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Join<'a> {
    /// `add(a, b)`: the names of the values, the current one first.
    Named(&'a [&'a str]),
    /// `residual { … }`
    Residual {
        /// The node from which it starts.
        start: usize,
        /// The shortcut behind it.
        shortcut: Shortcut,
    },
    /// `concat { branch { … } … }`: the name of each branch, empty where it has none.
    Branches(&'a [&'a str]),
}

/// The shortcut behind a residual, as it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shortcut {
    /// Nothing.
    Missing,
    /// `shortcut {}`
    Empty,
    /// A shortcut with layers.
    Layers,
}

impl Join<'_> {
    /// The index of the first value whose shape does not go with that of value 0; 0 if all do.
    pub const fn unlike(op: &Op, values: &[Shape]) -> usize {
        let mut k = 1;
        while k < values.len() {
            let error = op.output_of(&[values[0], values[k]]);
            if let Err(ShapeError::Unlike { .. } | ShapeError::UnlikeSizes { .. }) = error {
                return k;
            }
            k += 1;
        }
        0
    }

    /// Appends what is wrong with the values of `op`, where value `other` does not go with value 0.
    pub const fn explain(
        &self,
        message: &mut Message,
        op: &Op,
        error: &ShapeError,
        values: &[Shape],
        other: usize,
    ) {
        match self {
            _ if !is_unlike(error) => message.push(error.message().as_str()),
            Join::Named(names) => {
                push_value(message, names[0], &values[0]);
                message.push(", ");
                push_value(message, names[other], &values[other]);
                message.push(match op {
                    Op::Add => ": only values of one shape can be added",
                    Op::Mul => ": only values of one shape can be multiplied",
                    _ => ": values to join are alike but for their channels",
                });
            }
            Join::Residual { shortcut, .. } => {
                message.push("its body arrives at ");
                message.push_shape(&values[0]);
                message.push(match shortcut {
                    Shortcut::Layers => ", its shortcut at ",
                    Shortcut::Missing | Shortcut::Empty => ", but starts from ",
                });
                message.push_shape(&values[1]);
                message.push(": the two are added and must be alike");
            }
            Join::Branches(names) => {
                push_branch(message, names, 0);
                message.push(" arrives at ");
                message.push_shape(&values[0]);
                message.push(", ");
                push_branch(message, names, other);
                message.push(" at ");
                message.push_shape(&values[other]);
                message.push(": all but their channels must be alike");
            }
        }
    }

    /// Appends a way out, if there is one; `start` is the shape from which a residual starts.
    pub const fn help(
        &self,
        message: &mut Message,
        op: &Op,
        error: &ShapeError,
        values: &[Shape],
        other: usize,
        start: Shape,
    ) {
        match (self, op) {
            (Join::Residual { shortcut, .. }, _) => {
                let mut layers = Message::new();
                push_shortcut(&mut layers, &start, &values[0]);
                if layers.as_str().is_empty() {
                    message.push(
                        "keep height and width in the body: a convolution of kernel 3 does with `padding = 1`",
                    );
                    return;
                }
                message.push(match shortcut {
                    Shortcut::Missing => "add `shortcut { ",
                    Shortcut::Empty | Shortcut::Layers => "use `shortcut { ",
                });
                message.push(layers.as_str());
                message.push(" }`");
            }
            (Join::Named(names), Op::Add) => {
                let mut layers = Message::new();
                push_shortcut(&mut layers, &values[other], &values[0]);
                if !layers.as_str().is_empty() {
                    message.push("let `");
                    message.push(names[other]);
                    message.push("` pass `");
                    message.push(layers.as_str());
                    message.push("` first");
                }
            }
            (Join::Named(_), Op::Mul) if values[0].rank() == 3 => {
                let channels = values[0].dim(0);
                message.push("the factor may also have one number a channel: ");
                message.push_shape(&Shape::new(&[channels]));
                message.push(" or ");
                message.push_shape(&Shape::new(&[channels, 1, 1]));
            }
            (Join::Named(_), Op::Mul) => {}
            (Join::Named(_), _) => {
                message.push("bring them to one height and width first, by pooling or a stride")
            }
            (Join::Branches(_), _) if is_unlike(error) => message.push(
                "give the branches the same strides, and paddings that keep height and width",
            ),
            (Join::Branches(_), _) => {}
        }
    }
}

const fn is_unlike(error: &ShapeError) -> bool {
    matches!(error, ShapeError::Unlike { .. } | ShapeError::UnlikeSizes { .. })
}

/// `` `skip` is [8, 4, 4] ``
const fn push_value(message: &mut Message, name: &str, value: &Shape) {
    message.push("`");
    message.push(name);
    message.push("` is ");
    message.push_shape(value);
}

/// `` branch `left` ``, or `branch 2` where it has no name.
const fn push_branch(message: &mut Message, names: &[&str], index: usize) {
    message.push("branch ");
    if names[index].is_empty() {
        message.push_number(index + 1);
    } else {
        message.push("`");
        message.push(names[index]);
        message.push("`");
    }
}

/// The layers of a shortcut between these shapes, where few do.
const fn push_shortcut(message: &mut Message, start: &Shape, end: &Shape) {
    match (start.dims(), end.dims()) {
        ([_], [features]) => {
            message.push("linear(");
            message.push_number(*features);
            message.push(")");
        }
        (_, [features]) => {
            message.push("flatten, linear(");
            message.push_number(*features);
            message.push(")");
        }
        ([_, from_height, from_width], [channels, height, width]) => {
            let strides = (stride(*from_height, *height), stride(*from_width, *width));
            let (Some(down), Some(across)) = strides else { return };
            message.push("conv2d(");
            message.push_number(*channels);
            message.push(", kernel = 1");
            if down != 1 || across != 1 {
                message.push(", stride = ");
                message.push(crate::Text::new().argument([down, across]).as_str());
            }
            message.push(")");
        }
        _ => {}
    }
}

/// The stride that takes `from` positions to `to` with a kernel of one.
const fn stride(from: usize, to: usize) -> Option<usize> {
    if from == 0 || to == 0 {
        return None;
    }
    let (last, steps) = (from - 1, to - 1);
    // The smallest stride whose last step does not reach beyond `to`.
    let stride = last / (steps + 1) + 1;
    if last / stride == steps { Some(stride) } else { None }
}

//! The rules in constant evaluation, for declarations with numbers that only the compiler knows: [`Checked`]
//! finds the shapes and the broken rules without panicking, so that nothing else fails after a mistake; the
//! functions in `checks` panic with the message of one rule at the place of their call. `words` says what
//! messages call values that are joined.

mod checks;
mod message;
#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests;
mod words;

use crate::{
    Argument, Graph, LayerInfo, MAX_INPUTS, Op, Outline, Shape, ShapeError, Tensor, TensorKind,
};

pub use checks::{
    check_argument, check_arguments, check_difference, check_dimension, check_divisor,
    check_header, check_net, difference, quotient, remainder,
};
pub use message::Message;
pub use words::{Join, Shortcut};

/// The shapes of a graph, and the rule that each node breaks. `N` is the number of nodes.
///
/// After a mistake it goes on with a likely shape, and applies no rule to that. So an error is never the
/// consequence of another one.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Checked<const N: usize> {
    shapes: [Shape; N],
    found: [Found; N],
}

/// What was found at a node.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Found {
    /// It fits, and all that its shape follows from does.
    Right,
    /// It fits, but its shape is only likely.
    Likely,
    /// It does not fit what is only likely, or one of its numbers is out of its range.
    Unknown,
    /// It does not fit its input.
    Wrong(ShapeError),
}

impl<const N: usize> Checked<N> {
    /// Checks a graph of `N` nodes.
    ///
    /// # Panics
    /// When `N` is wrong.
    pub const fn new(graph: &Graph<'_>) -> Checked<N> {
        assert!(graph.nodes.len() == N, "N is the number of nodes");
        let mut shapes = [Shape::new(&[1]); N];
        let mut found = [Found::Right; N];
        let mut sure = [true; N];
        let mut node = 0;
        while node < N {
            let (op, inputs) = (&graph.nodes[node].op, graph.nodes[node].inputs);
            let mut values = [shapes[0]; MAX_INPUTS];
            let mut k = 0;
            while k < inputs.len() {
                values[k] = shapes[inputs[k]];
                sure[node] = sure[node] && sure[inputs[k]];
                k += 1;
            }
            let values = values.split_at(if k == 0 { 1 } else { k }).0;
            let ranges = in_range(op);
            found[node] = match op.output_of(values) {
                Ok(shape) => {
                    shapes[node] = shape;
                    if ranges && sure[node] { Found::Right } else { Found::Likely }
                }
                Err(error) => {
                    shapes[node] = likely(op, values[0]);
                    if ranges && sure[node] { Found::Wrong(error) } else { Found::Unknown }
                }
            };
            sure[node] = matches!(found[node], Found::Right);
            // A linear layer's output does not depend on what went wrong before it.
            if let (true, Some(shape)) = (ranges, op.outline(Outline::UNKNOWN).shape())
                && shape.checked().is_ok()
            {
                (shapes[node], sure[node]) = (shape, true);
            }
            if !ranges && !matches!(found[node], Found::Wrong(_)) {
                found[node] = Found::Unknown;
            }
            node += 1;
        }
        Checked { shapes, found }
    }

    /// The output shape of each node; for one that does not fit, a likely one.
    pub const fn shapes(&self) -> [Shape; N] {
        self.shapes
    }

    /// The output shape of one node; if it does not fit, a likely one.
    pub const fn shape(&self, node: usize) -> Shape {
        self.shapes[node]
    }

    /// Whether no rule is broken.
    pub const fn is_sound(&self) -> bool {
        let mut node = 0;
        while node < N {
            if !matches!(self.found[node], Found::Right) {
                return false;
            }
            node += 1;
        }
        true
    }

    /// What is known of every node, as in [`Graph::layers`]. Where a rule is broken, only names, kinds and
    /// shapes are set.
    pub const fn layers(&self, graph: &Graph<'static>) -> [LayerInfo; N] {
        if self.is_sound() {
            return graph.layers(&self.shapes);
        }
        let nothing = LayerInfo {
            name: "",
            kind: "",
            output: self.shapes[0],
            parameters: 0,
            multiply_adds: 0,
        };
        let mut layers = [nothing; N];
        let mut node = 0;
        while node < N {
            layers[node].name = graph.nodes[node].name;
            layers[node].kind = graph.nodes[node].op.kind();
            layers[node].output = self.shapes[node];
            node += 1;
        }
        layers
    }

    /// The tensors in the order of the parameter struct; `T` is [`Graph::tensor_count`]. Those of a
    /// node that does not fit have one number.
    pub const fn tensors<const T: usize>(&self, graph: &Graph<'_>) -> [Tensor; T] {
        let one = Shape::new(&[1, 1, 1, 1]);
        let mut tensors = [Tensor { node: 0, kind: TensorKind::Weight, shape: one, offset: 0 }; T];
        let (mut count, mut offset) = (0, 0);
        let mut node = 0;
        while node < N {
            let op = &graph.nodes[node].op;
            let kinds = op.tensors();
            let mut k = 0;
            while k < kinds.len() && count < T {
                let mut shape = one;
                if matches!(self.found[node], Found::Right | Found::Likely)
                    && let Some(known) =
                        op.tensor(kinds[k], self.shapes[graph.nodes[node].inputs[0]])
                {
                    shape = known;
                }
                tensors[count] = Tensor { node, kind: kinds[k], shape, offset };
                count += 1;
                offset = offset.saturating_add(shape.elements());
                k += 1;
            }
            node += 1;
        }
        tensors
    }

    /// Whether the node's shape follows from no mistake.
    const fn is_sure(&self, graph: &Graph<'_>, node: usize) -> bool {
        match self.found[node] {
            Found::Right => true,
            _ => {
                in_range(&graph.nodes[node].op)
                    && graph.nodes[node].op.outline(Outline::UNKNOWN).shape().is_some()
            }
        }
    }
}

/// Whether each number of the operation is in its range, whatever the input is.
const fn in_range(op: &Op) -> bool {
    let mut i = 0;
    while i < Argument::ALL.len() {
        if op.check(Argument::ALL[i]).is_err() {
            return false;
        }
        i += 1;
    }
    true
}

/// Some shape of the right rank for the value of a layer that does not fit.
const fn likely(op: &Op, input: Shape) -> Shape {
    let outline = op.outline(Outline::of(input));
    let channels = match outline.channels {
        Some(channels) if channels > 0 && channels <= i32::MAX as usize => channels,
        _ => 1,
    };
    match outline.rank {
        Some(1) => Shape::new(&[channels]),
        Some(3) => Shape::new(&[channels, 1, 1]),
        _ => Shape::new(&[1]),
    }
}

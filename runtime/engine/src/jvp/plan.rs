//! Where values stand, and their tangents beside them.

use typenet_shape::{Buffer, Item, Op, Step, place};

use crate::spec::NetSpec;

/// The places of all values in the memory of a group of images; tangents have the same in a memory of
/// their own.
#[derive(Debug)]
pub(super) struct Plan {
    /// The buffer of each node's value.
    buffers: Vec<Buffer>,
    /// Whether parameters lie at or before each node.
    moved: Vec<bool>,
    /// Lanes of all values.
    pub(super) len: usize,
    /// Lanes that a step needs for itself.
    pub(super) scratch_len: usize,
}

impl Plan {
    pub(super) fn new(spec: &NetSpec) -> Plan {
        let NetSpec { graph, shapes, layout, .. } = *spec;
        let count = graph.nodes.len();
        // Of each node the one in whose buffer its value stands, and where in that it starts.
        let mut roots = vec![(0, 0); count];
        let mut moved = vec![false; count];
        let mut input_len = 0;
        for (index, node) in graph.nodes.iter().enumerate() {
            roots[index] = match node.op {
                Op::Input { shape } => {
                    input_len += shape.elements();
                    (0, input_len - shape.elements())
                }
                op if op.keeps_numbers() => roots[node.inputs[0]],
                _ => (index, 0),
            };
            let owns = layout.tensors.iter().any(|tensor| tensor.node == index);
            moved[index] = owns || node.inputs.iter().any(|&input| moved[input]);
        }
        let mut items = vec![Item { len: 0, start: 0, end: 0, offset: 0 }; count];
        items[0].len = input_len;
        for (time, step) in layout.steps.iter().enumerate() {
            let len = shapes[step.value].elements();
            items[step.value] = Item { len, start: time, end: time, offset: 0 };
            let added = step.training.added.map(|_| step.added);
            for node in step.sources().iter().map(|source| source.node).chain(added) {
                items[roots[node].0].live_until(time);
            }
        }
        for output in layout.outputs {
            items[roots[output.node].0].live_until(layout.steps.len());
        }
        let (mut heap, mut next) = (vec![0; count], vec![0; count]);
        let len = place(&mut items, &mut heap, &mut next);
        let buffer = |(node, &(root, shift)): (usize, &(usize, usize))| {
            let offset = items[root].offset + shift;
            Buffer { offset, len: shapes[node].elements() }
        };
        let buffers = roots.iter().enumerate().map(buffer).collect();
        let own = layout.steps.iter().map(own_len).max().unwrap_or(0);
        Plan { buffers, moved, len, scratch_len: own.max(layout.scratch_len[0]) }
    }

    pub(super) fn buffer(&self, node: usize) -> Buffer {
        self.buffers[node]
    }

    /// Whether a node's value moves with the parameters.
    pub(super) fn is_moved(&self, node: usize) -> bool {
        self.moved[node]
    }
}

/// Channels of a value are taken some at a time, of at most so many numbers unless one has more.
pub(super) const CHUNK: usize = 1024;

/// What a step needs beside what its kernels do.
fn own_len(step: &Step) -> usize {
    let (x, y) = (step.input.elements(), step.output.elements());
    match step.op {
        Op::LayerNorm { .. } | Op::GroupNorm { .. } => y,
        // Pixels of a channel, or some channels.
        Op::BatchNorm { .. } | Op::Mul => CHUNK.max(y / step.output.dim(0)),
        Op::Own(_) => 2 * (x + y),
        Op::Dropout { .. } => 2 * y.next_multiple_of(16) + 16 * (y / step.output.dim(0)),
        _ => 0,
    }
}

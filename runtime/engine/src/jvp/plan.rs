//! What runs in order, where values stand, and their tangents beside them.

use typenet_shape::{Activation, Buffer, Fused, Item, Op, Step, place};

use crate::spec::NetSpec;

/// A step, with what is computed in its pass after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Task {
    pub(super) step: &'static Step,
    /// The node whose value it gives.
    pub(super) value: usize,
    /// The node of a value that is added.
    pub(super) added: Option<usize>,
    /// What is done with the sum.
    pub(super) activation: Activation,
}

impl Task {
    /// The activation that is computed with the sum. The slope of other activations is a function of the sum,
    /// so the sum must be kept.
    pub(super) fn fused(&self) -> Activation {
        if self.activation.from_output() { self.activation } else { Activation::Identity }
    }
}

/// The tasks of a pass, and the places of all values in the memory of a group of images; tangents have the
/// same in a memory of their own.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) tasks: Vec<Task>,
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
    /// The plan of a pass as the net trains, or predicts: then batch norms are folded.
    pub(super) fn new(spec: &NetSpec, trains: bool) -> Plan {
        let NetSpec { graph, shapes, layout, .. } = *spec;
        let tasks = if trains { training(spec) } else { inference(spec) };
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
        for (time, task) in tasks.iter().enumerate() {
            let len = shapes[task.value].elements();
            items[task.value] = Item { len, start: time, end: time, offset: 0 };
            let sources = task.step.sources().iter().map(|source| source.node);
            for node in sources.chain(task.added) {
                items[roots[node].0].live_until(time);
            }
        }
        for output in layout.outputs {
            items[roots[output.node].0].live_until(tasks.len());
        }
        let (mut heap, mut next) = (vec![0; count], vec![0; count]);
        let len = place(&mut items, &mut heap, &mut next);
        let buffer = |(node, &(root, shift)): (usize, &(usize, usize))| {
            let offset = items[root].offset + shift;
            Buffer { offset, len: shapes[node].elements() }
        };
        let buffers = roots.iter().enumerate().map(buffer).collect();
        let own = tasks.iter().map(|task| own_len(task.step)).max().unwrap_or(0);
        Plan { tasks, buffers, moved, len, scratch_len: own.max(layout.scratch_len[0]) }
    }

    pub(super) fn buffer(&self, node: usize) -> Buffer {
        self.buffers[node]
    }

    /// Whether a node's value moves with the parameters.
    pub(super) fn is_moved(&self, node: usize) -> bool {
        self.moved[node]
    }
}

fn training(spec: &NetSpec) -> Vec<Task> {
    let task = |step: &'static Step| Task {
        step,
        value: step.value,
        added: step.training.added.map(|_| step.added),
        activation: step.training.activation,
    };
    spec.layout.steps.iter().map(task).collect()
}

fn inference(spec: &NetSpec) -> Vec<Task> {
    let nodes = spec.graph.nodes;
    let [mut training, mut inference] = [(); 2].map(|()| vec![Fused::NONE; nodes.len()]);
    spec.graph.fuse(&mut training, &mut inference);
    let runs = spec.layout.steps.iter().filter(|step| inference[step.node].host == step.node);
    let task = |step: &'static Step| {
        let Fused { last, added, .. } = inference[step.node];
        let activation = nodes[last].op.activation().filter(|_| last != step.node);
        let activation = activation.unwrap_or(Activation::Identity);
        Task { step, value: last, added, activation }
    };
    runs.map(task).collect()
}

/// Channels of a value are taken some at a time: at most this many numbers, unless one channel has more.
pub(super) const CHUNK: usize = 1024;

/// Scratch of the step itself, without that of its kernels.
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

use crate::{Activation, Graph, MAX_INPUTS, Op, Shape};

/// A range of the arena, counted in numbers for one image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Buffer {
    /// Where it starts.
    pub offset: usize,
    /// How long it is.
    pub len: usize,
}

impl Buffer {
    /// The first index behind the buffer.
    pub const fn end(&self) -> usize {
        self.offset + self.len
    }
}

/// Where a step reads and writes in one mode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Buffers {
    /// The value it reads.
    pub input: Buffer,
    /// The value it writes.
    pub output: Buffer,
}

/// One of the values that a step reads.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Source {
    /// Its shape.
    pub shape: Shape,
    /// Where it stands while training.
    pub training: Buffer,
    /// Where it stands in inference.
    pub inference: Buffer,
    /// Its gradient; `None` where no parameter lies before it.
    pub gradient: Option<Buffer>,
    /// Whether this step adds to that gradient, because a later step has written it already.
    pub adds: bool,
}

/// One kernel call: a layer, with the activation behind it where that is fused.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Step {
    /// The layer's node.
    pub node: usize,
    /// What it does.
    pub op: Op,
    /// Shape of the value it reads.
    pub input: Shape,
    /// Shape of the value it writes.
    pub output: Shape,
    /// The activation applied before the store.
    pub activation: Activation,
    /// Its buffers while training.
    pub training: Buffers,
    /// Its buffers in inference.
    pub inference: Buffers,
    /// The gradient of the value it writes; `None` where no parameter lies before it.
    pub output_gradient: Option<Buffer>,
    /// Where a layer of one input writes that value's gradient; `None` where no parameter lies
    /// before the value.
    pub input_gradient: Option<Buffer>,
    /// The gradient to which `input_gradient` is then added, where other steps read the value too.
    pub adds_to: Option<Buffer>,
    /// Room for a gradient on its way, as long as the step's output, where a product needs it.
    pub scratch: Option<Buffer>,
    sources: [Source; MAX_INPUTS],
    source_count: usize,
}

impl Step {
    /// All values that it reads.
    pub const fn sources(&self) -> &[Source] {
        self.sources.split_at(self.source_count).0
    }
}

/// Which numbers stand where in the arena, and when: the steps of a net in order, and offsets such
/// that buffers that live at the same time do not overlap. `N` is the number of nodes.
///
/// Training runs the steps forward at times `0..S` and backward at times `S..2S`. A value lives
/// from its step to the last step, forward or backward, that reads it; a gradient from the backward
/// step that first writes it to the backward step of the value's own layer. Buffers are placed
/// largest first, each at the lowest offset that is free for its whole life.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Plan<const N: usize> {
    steps: [Step; N],
    step_count: usize,
    /// The net's input value while training.
    pub training_input: Buffer,
    /// The net's output value while training.
    pub training_output: Buffer,
    /// The gradient of the net's output.
    pub output_gradient: Buffer,
    /// The net's input value in inference.
    pub inference_input: Buffer,
    /// The net's output value in inference.
    pub inference_output: Buffer,
    /// Numbers an image that training needs.
    pub training_len: usize,
    /// Numbers an image that inference needs.
    pub inference_len: usize,
}

/// What is placed: nothing when `len` is 0.
#[derive(Clone, Copy)]
struct Item {
    len: usize,
    start: usize,
    end: usize,
    offset: usize,
    placed: bool,
}

const NOTHING: Item = Item { len: 0, start: 0, end: 0, offset: 0, placed: false };

impl Item {
    const fn live_until(&mut self, time: usize) {
        if self.end < time {
            self.end = time;
        }
    }

    const fn buffer(&self) -> Buffer {
        Buffer { offset: self.offset, len: self.len }
    }
}

impl<const N: usize> Plan<N> {
    /// The plan of a graph with `N` nodes.
    ///
    /// # Panics
    /// When a layer does not fit its input, or `N` is wrong.
    pub const fn new(graph: &Graph<'_>) -> Plan<N> {
        let shapes: [Shape; N] = graph.shapes();
        let step_of: [usize; N] = number_steps(graph);
        let step_count = count_steps(graph);
        let trained: [bool; N] = needs_gradient(graph);
        let training_root: [usize; N] = storage(graph, true);
        let inference_root: [usize; N] = storage(graph, false);

        let mut values = [NOTHING; N];
        let mut gradients = [NOTHING; N];
        let mut inference = [NOTHING; N];
        // What a step needs for itself while it runs backward.
        let mut scratch = [NOTHING; N];
        let last_time = 2 * step_count;
        let mut node = 0;
        while node < N {
            let (root, small_root) = (training_root[node], inference_root[node]);
            let at = step_of[node];
            let is_input = matches!(graph.nodes[node].op, Op::Input { .. });
            // Fused nodes share a step: its value belongs to the activation, which comes last.
            if is_input
                || (graph.is_step(node) && graph.fused_activation(node).is_none())
                || graph.fused_into(node).is_some()
            {
                let item = Item { len: shapes[node].elements(), start: at, end: at, ..NOTHING };
                if root == node {
                    values[node] = item;
                    if trained[node] {
                        let end = last_time - 1 - at;
                        gradients[node] = Item { start: end, end, ..item };
                    }
                }
                if small_root == node {
                    inference[node] = item;
                }
            }
            let mut k = 0;
            while k < graph.nodes[node].inputs.len() {
                let source = graph.nodes[node].inputs[k];
                if graph.fused_into(node).is_none() {
                    values[training_root[source]].live_until(at);
                    inference[inference_root[source]].live_until(at);
                    if trained[node] && graph.is_step(node) {
                        let back = last_time - 1 - at;
                        if reads_input_backward(&graph.nodes[node].op) {
                            values[training_root[source]].live_until(back);
                        }
                        let gradient = &mut gradients[training_root[source]];
                        if gradient.start > back {
                            gradient.start = back;
                        }
                    }
                }
                k += 1;
            }
            if trained[node] && reads_output_backward(graph, node) {
                values[root].live_until(last_time - 1 - at);
            }
            node += 1;
        }
        // The output is copied out when forward ends, and its gradient in when backward starts.
        let output = N - 1;
        values[training_root[output]].live_until(step_count);
        inference[inference_root[output]].live_until(step_count);
        let gradient = &mut gradients[training_root[output]];
        if gradient.len == 0 {
            *gradient = Item { len: shapes[output].elements(), end: last_time, ..NOTHING };
        }
        gradient.start = if step_count == 0 { 0 } else { step_count - 1 };

        let adds: [[bool; MAX_INPUTS]; N] = additions(graph, &training_root, &trained);
        let mut node = 0;
        while node < N {
            if graph.is_step(node) && trained[node] {
                let source = graph.nodes[node].inputs[0];
                let len = match graph.nodes[node].op {
                    Op::Mul => shapes[node].elements(),
                    Op::Add | Op::Concat => 0,
                    _ if trained[source] && adds[node][0] => shapes[source].elements(),
                    _ => 0,
                };
                let back = last_time - 1 - step_of[node];
                scratch[node] = Item { len, start: back, end: back, ..NOTHING };
            }
            node += 1;
        }

        let mut training = [values, gradients, scratch];
        let training_len = place(&mut training);
        let [values, gradients, scratch] = training;
        let mut small = [inference];
        let inference_len = place(&mut small);
        let [inference] = small;

        let no_step = Step {
            node: 0,
            op: Op::Flatten,
            input: shapes[0],
            output: shapes[0],
            activation: Activation::Identity,
            training: Buffers { input: NOTHING.buffer(), output: NOTHING.buffer() },
            inference: Buffers { input: NOTHING.buffer(), output: NOTHING.buffer() },
            output_gradient: None,
            input_gradient: None,
            adds_to: None,
            scratch: None,
            sources: [Source {
                shape: shapes[0],
                training: NOTHING.buffer(),
                inference: NOTHING.buffer(),
                gradient: None,
                adds: false,
            }; MAX_INPUTS],
            source_count: 0,
        };
        let mut steps = [no_step; N];
        let (mut node, mut count) = (0, 0);
        while node < N {
            if graph.is_step(node) {
                let source = graph.nodes[node].inputs[0];
                let (value, activation) = match graph.fused_activation(node) {
                    Some(fused) => match graph.nodes[fused].op.activation() {
                        Some(activation) => (fused, activation),
                        None => (node, Activation::Identity),
                    },
                    None => (node, Activation::Identity),
                };
                let (x, y) = (training_root[source], training_root[value]);
                let mut sources = no_step.sources;
                let source_count = graph.nodes[node].inputs.len();
                let mut k = 0;
                while k < source_count {
                    let source = graph.nodes[node].inputs[k];
                    let root = training_root[source];
                    sources[k] = Source {
                        shape: shapes[source],
                        training: values[root].buffer(),
                        inference: inference[inference_root[source]].buffer(),
                        gradient: some_if(trained[source], gradients[root].buffer()),
                        adds: adds[node][k],
                    };
                    k += 1;
                }
                let own = scratch[node].len > 0;
                let is_product = matches!(graph.nodes[node].op, Op::Mul);
                let detour = own && !is_product;
                let direct = some_if(trained[source], gradients[x].buffer());
                steps[count] = Step {
                    node,
                    op: graph.nodes[node].op,
                    input: shapes[source],
                    output: shapes[value],
                    activation,
                    training: Buffers { input: values[x].buffer(), output: values[y].buffer() },
                    inference: Buffers {
                        input: inference[inference_root[source]].buffer(),
                        output: inference[inference_root[value]].buffer(),
                    },
                    output_gradient: some_if(trained[value], gradients[y].buffer()),
                    input_gradient: if detour { Some(scratch[node].buffer()) } else { direct },
                    adds_to: if detour { direct } else { None },
                    scratch: some_if(own && is_product, scratch[node].buffer()),
                    sources,
                    source_count,
                };
                count += 1;
            }
            node += 1;
        }

        Plan {
            steps,
            step_count,
            training_input: values[0].buffer(),
            training_output: values[training_root[output]].buffer(),
            output_gradient: gradients[training_root[output]].buffer(),
            inference_input: inference[0].buffer(),
            inference_output: inference[inference_root[output]].buffer(),
            training_len,
            inference_len,
        }
    }

    /// The steps in order.
    pub const fn steps(&self) -> &[Step] {
        self.steps.split_at(self.step_count).0
    }

    /// The step of the layer at `node`.
    ///
    /// # Panics
    /// When that node is no step.
    #[allow(clippy::panic, reason = "the macro names steps only; this runs in constants")]
    pub const fn step(&self, node: usize) -> Step {
        let mut i = 0;
        while i < self.step_count {
            if self.steps[i].node == node {
                return self.steps[i];
            }
            i += 1;
        }
        panic!("this node has no kernel call of its own")
    }
}

const fn count_steps(graph: &Graph<'_>) -> usize {
    let (mut node, mut count) = (0, 0);
    while node < graph.nodes.len() {
        if graph.is_step(node) {
            count += 1;
        }
        node += 1;
    }
    count
}

/// The step at which each node's value is there.
const fn number_steps<const N: usize>(graph: &Graph<'_>) -> [usize; N] {
    let mut step_of = [0; N];
    let (mut node, mut next) = (0, 0);
    while node < N {
        if graph.is_step(node) {
            step_of[node] = next;
            next += 1;
        } else if !graph.nodes[node].inputs.is_empty() {
            step_of[node] = step_of[graph.nodes[node].inputs[0]];
        }
        node += 1;
    }
    step_of
}

/// The node whose buffer holds each node's value.
const fn storage<const N: usize>(graph: &Graph<'_>, training: bool) -> [usize; N] {
    let mut root = [0; N];
    let mut node = 0;
    while node < N {
        let same = match graph.nodes[node].op {
            Op::Flatten => true,
            Op::Dropout { .. } => !training,
            _ => false,
        };
        root[node] = if same {
            root[graph.nodes[node].inputs[0]]
        } else if let Some(activation) = graph.fused_activation(node) {
            activation
        } else {
            node
        };
        node += 1;
    }
    root
}

/// Whether parameters lie at or before each node, so that its value has a gradient worth computing.
const fn needs_gradient<const N: usize>(graph: &Graph<'_>) -> [bool; N] {
    let mut needed = [false; N];
    let mut node = 0;
    while node < N {
        needed[node] = graph.nodes[node].op.has_parameters();
        let mut k = 0;
        while k < graph.nodes[node].inputs.len() {
            if needed[graph.nodes[node].inputs[k]] {
                needed[node] = true;
            }
            k += 1;
        }
        node += 1;
    }
    needed
}

const fn some_if(there: bool, buffer: Buffer) -> Option<Buffer> {
    if there { Some(buffer) } else { None }
}

/// Whether each input's gradient is there already when a node's step runs backward: whether a later
/// step, or this one for an earlier input, has written it.
const fn additions<const N: usize>(
    graph: &Graph<'_>,
    root: &[usize; N],
    trained: &[bool; N],
) -> [[bool; MAX_INPUTS]; N] {
    let mut adds = [[false; MAX_INPUTS]; N];
    let mut written = [false; N];
    // The loss writes the gradient of the output.
    written[root[N - 1]] = true;
    let mut node = N;
    while node > 0 {
        node -= 1;
        let mut k = 0;
        while graph.is_step(node) && trained[node] && k < graph.nodes[node].inputs.len() {
            let source = root[graph.nodes[node].inputs[k]];
            adds[node][k] = written[source];
            written[source] = true;
            k += 1;
        }
    }
    adds
}

const fn reads_input_backward(op: &Op) -> bool {
    matches!(op, Op::Conv2d { .. } | Op::Linear { .. } | Op::MaxPool2d { .. } | Op::Mul)
}

const fn reads_output_backward(graph: &Graph<'_>, node: usize) -> bool {
    matches!(graph.nodes[node].op, Op::MaxPool2d { .. } | Op::Softmax)
        || graph.nodes[node].op.activation().is_some()
}

/// Gives every item its offset; returns the length of the arena.
const fn place<const N: usize, const L: usize>(items: &mut [[Item; N]; L]) -> usize {
    let mut arena = 0;
    loop {
        let mut best = usize::MAX;
        let mut best_len = 0;
        let mut i = 0;
        while i < L * N {
            let item = &items[i / N][i % N];
            if !item.placed && item.len > best_len {
                best = i;
                best_len = item.len;
            }
            i += 1;
        }
        if best == usize::MAX {
            return arena;
        }
        let mut item = items[best / N][best % N];
        item.offset = 0;
        item.placed = true;
        let mut moved = true;
        while moved {
            moved = false;
            let mut i = 0;
            while i < L * N {
                let other = &items[i / N][i % N];
                let meets = other.placed && other.start <= item.end && item.start <= other.end;
                let other_end = other.offset + other.len;
                if meets && other.offset < item.offset + item.len && item.offset < other_end {
                    item.offset = other_end;
                    moved = true;
                }
                i += 1;
            }
        }
        if item.offset + item.len > arena {
            arena = item.offset + item.len;
        }
        items[best / N][best % N] = item;
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;
    use crate::Node;

    const fn conv(out_channels: usize, kernel: usize) -> Op {
        Op::Conv2d {
            out_channels,
            kernel: [kernel, kernel],
            stride: [1, 1],
            padding: [0, 0],
            dilation: [1, 1],
            groups: 1,
            bias: true,
        }
    }

    const POOL: Op = Op::MaxPool2d { kernel: [2, 2], stride: [2, 2], padding: [0, 0] };

    const LENET: Graph<'static> = Graph {
        name: "LeNet5",
        nodes: &[
            Node { name: "input", op: Op::Input { shape: Shape::new(&[1, 28, 28]) }, inputs: &[] },
            Node { name: "conv1", op: conv(6, 5), inputs: &[0] },
            Node { name: "relu", op: Op::Relu, inputs: &[1] },
            Node { name: "max_pool2d", op: POOL, inputs: &[2] },
            Node { name: "conv2", op: conv(16, 5), inputs: &[3] },
            Node { name: "relu", op: Op::Relu, inputs: &[4] },
            Node { name: "max_pool2d", op: POOL, inputs: &[5] },
            Node { name: "flatten", op: Op::Flatten, inputs: &[6] },
            Node { name: "fc1", op: Op::Linear { out_features: 10, bias: true }, inputs: &[7] },
        ],
    };

    #[test]
    fn lenet_has_its_steps_and_shapes() {
        const PLAN: Plan<9> = Plan::new(&LENET);
        assert_eq!(PLAN.steps().len(), 5);
        assert_eq!(LENET.shape(7), Shape::new(&[256]));
        assert_eq!(PLAN.step(1).activation, Activation::Relu);
        assert_eq!(PLAN.step(1).output, Shape::new(&[6, 24, 24]));
        assert_eq!(PLAN.step(8).training.input, PLAN.step(6).training.output);
        assert_eq!(PLAN.step(1).input_gradient, None);
        const { assert!(PLAN.inference_len < PLAN.training_len) };
        let tensors = const { LENET.tensors::<9, 6>() };
        assert_eq!(tensors[5].offset, 150 + 6 + 2400 + 16 + 2560);
    }

    /// Runs the plan on paper: whatever a step reads must be what was last written there.
    #[test]
    fn no_buffer_is_overwritten_while_it_is_needed() {
        const PLAN: Plan<9> = Plan::new(&LENET);
        let mut arena = [usize::MAX; 20_000];
        let mut write = |b: Buffer, tag: usize| arena[b.offset..b.end()].fill(tag);
        write(PLAN.training_input, 0);
        let mut tags = [0; 9];
        let mut source = 0;
        for (i, step) in PLAN.steps().iter().enumerate() {
            arena[step.training.input.offset..step.training.input.end()]
                .iter()
                .for_each(|&tag| assert_eq!(tag, source));
            source = i + 1;
            tags[i] = source;
            arena[step.training.output.offset..step.training.output.end()].fill(source);
        }
        let gradient = PLAN.output_gradient;
        arena[gradient.offset..gradient.end()].fill(100 + source);
        for (i, step) in PLAN.steps().iter().enumerate().rev() {
            let holds = |b: Buffer, tag: usize| arena[b.offset..b.end()].iter().all(|&t| t == tag);
            assert!(holds(step.output_gradient.expect("trained"), 100 + i + 1), "step {i}");
            if reads_input_backward(&step.op) {
                assert!(holds(step.training.input, i), "step {i} input");
            }
            if step.activation != Activation::Identity || matches!(step.op, Op::MaxPool2d { .. }) {
                assert!(holds(step.training.output, i + 1), "step {i} output");
            }
            if let Some(b) = step.input_gradient {
                arena[b.offset..b.end()].fill(100 + i);
            }
        }
    }
}

use super::kernels::Kernels;
use super::norms::{applied_by_readers, read_by};
use super::place::{Item, place};
use super::pools::{activation_before, convolution_of};
use super::{Buffer, Buffers, Norm, Output, Plan, Pooled, Source, Step};
use crate::MAX_INPUTS;
use crate::{Activation, Fused, Fusion, Graph, Op, Shape, TensorKind};

impl<const N: usize> Plan<N> {
    /// A plan without steps.
    pub(super) const fn nothing(shape: Shape) -> Plan<N> {
        Plan {
            steps: [no_step(shape); N],
            step_count: 0,
            step_of: [0; N],
            norms: [no_norm(); N],
            norm_count: 0,
            kernels: [const { Kernels::NONE }; 3],
            outputs: [Output::NOTHING; N],
            output_count: 0,
            own_len: [0; 2],
            band_len: 0,
            training_input: Buffer::NONE,
            inference_input: Buffer::NONE,
            training_len: 0,
            inference_len: 0,
        }
    }

    /// The plan of a graph with `N` nodes.
    ///
    /// # Panics
    /// When a layer does not fit its input, or `N` is wrong.
    pub const fn new(graph: &Graph<'_>) -> Plan<N> {
        let shapes: [Shape; N] = graph.shapes();
        let fusion: Fusion<N> = Fusion::new(graph);
        let (step_of, step_count) = number_steps(graph, &fusion);
        let trained: [bool; N] = needs_gradient(graph);
        let mut stored = Storage::new(graph, &fusion, &shapes, true);
        let early_stored = Storage::new(graph, &fusion, &shapes, false);
        let (training_root, inference_root) = (stored.root, early_stored.root);

        let mut values = [Item::NOTHING; N];
        let mut gradients = [Item::NOTHING; N];
        let mut inference = [Item::NOTHING; N];
        // What a step needs for itself while it runs backward.
        let mut scratch = [Item::NOTHING; N];
        let last_time = 2 * step_count;
        // The pooling layer of each convolution that computes one in inference; 0 where it does not.
        let mut pool_of = [0; N];
        let mut is_undone = [false; N];
        // The batch norm that each convolution applies to what it reads; 0 for none.
        let norm_of: [usize; N] = applied_by_readers(graph, &fusion, &shapes);
        let mut is_applied_by_reader = [false; N];
        let mut node = 0;
        while node < N {
            is_applied_by_reader[norm_of[node]] = norm_of[node] > 0;
            if norm_of[node] > 0 {
                stored.len[fusion.last(norm_of[node], true)] = 0;
            }
            node += 1;
        }
        node = 0;
        while node < N {
            let op = &graph.nodes[node].op;
            let frozen = graph.marks_of(node).frozen;
            let (at, early) = (step_of[node], step_of[fusion.host(node, false)]);
            let len = if node == 0 { stored.input_len } else { shapes[node].elements() };
            if training_root[node] == node {
                let stored_len = if stored.len[node] == 0 { 0 } else { len };
                values[node] = Item { len: stored_len, start: at, end: at, ..Item::NOTHING };
                if trained[node] {
                    let end = last_time - 1 - at;
                    gradients[node] = Item { len, start: end, end, ..Item::NOTHING };
                }
            }
            if inference_root[node] == node {
                let mut start = early;
                if let Some(host) = convolution_of(graph, &fusion, &shapes, node) {
                    pool_of[host] = node;
                    start = step_of[host];
                }
                inference[node] = Item { len, start, end: early, ..Item::NOTHING };
            }
            if !matches!(activation_before(graph, &fusion, node), Activation::Identity) {
                is_undone[fusion.host(graph.nodes[node].inputs[0], true)] = true;
            }
            let mut k = 0;
            while k < graph.nodes[node].inputs.len() {
                let source = graph.nodes[node].inputs[k];
                // Within one pass nothing is read from memory.
                if training_root[node] != training_root[source] {
                    let read = training_root[read_by(graph, &norm_of, node, k)];
                    values[read].live_until(at);
                    if trained[node] {
                        let back = last_time - 1 - at;
                        if reads_input_backward(op, frozen) {
                            values[read].live_until(back);
                        }
                        let gradient = &mut gradients[training_root[source]];
                        if gradient.start > back {
                            gradient.start = back;
                        }
                    }
                }
                if inference_root[node] != inference_root[source] {
                    inference[inference_root[source]].live_until(early);
                }
                k += 1;
            }
            if trained[node] && reads_output_backward(op) {
                values[training_root[node]].live_until(last_time - 1 - at);
            }
            node += 1;
        }
        // Outputs are copied out when forward ends, and their gradients in when backward starts.
        let mut index = 0;
        while index < graph.output_count() {
            let node = graph.output_node(index);
            values[training_root[node]].live_until(step_count);
            inference[inference_root[node]].live_until(step_count);
            gradients[training_root[node]].start = if step_count == 0 { 0 } else { step_count - 1 };
            index += 1;
        }

        let writes: [Writes; N] = writes(graph, &fusion, &training_root, &trained);
        let mut node = 0;
        while node < N {
            if trained[node] && graph.nodes[node].op.sums_at_end() && !graph.marks_of(node).frozen {
                let source = graph.nodes[node].inputs[0];
                values[training_root[source]].live_until(last_time);
                gradients[training_root[node]].live_until(last_time);
            }
            if fusion.is_step(graph, node) && trained[node] {
                let source = graph.nodes[node].inputs[0];
                let len = match graph.nodes[node].op {
                    Op::Mul => shapes[node].elements(),
                    Op::Add | Op::Concat => 0,
                    Op::LayerNorm { .. } | Op::GroupNorm { .. } if !trained[source] => {
                        shapes[source].elements()
                    }
                    op if op.takes_factors() => 0,
                    _ if trained[source] && writes[node].adds[0] => shapes[source].elements(),
                    _ => 0,
                };
                let back = last_time - 1 - step_of[node];
                scratch[node] = Item { len, start: back, end: back, ..Item::NOTHING };
            }
            node += 1;
        }

        let mut training = [values, gradients, scratch];
        let training_len = place_all(&mut training);
        let [values, gradients, scratch] = training;
        let mut small = [inference];
        let inference_len = place_all(&mut small);
        let [inference] = small;

        let mut steps = [no_step(shapes[0]); N];
        let mut norms = [no_norm(); N];
        let (mut count, mut norm_count, mut statistics, mut band_len) = (0, 0, 0, 0);
        let mut node = 0;
        while node < N {
            if fusion.is_step(graph, node) {
                let op = graph.nodes[node].op;
                let source = graph.nodes[node].inputs[0];
                let value = fusion.last(node, true);
                let small_value = fusion.last(fusion.host(node, false), false);
                let (x, y) = (training_root[source], training_root[value]);
                let mut step = no_step(shapes[0]);
                step.source_count = graph.nodes[node].inputs.len();
                let mut k = 0;
                while k < step.source_count {
                    let source = graph.nodes[node].inputs[k];
                    let root = training_root[source];
                    step.sources[k] = Source {
                        node: source,
                        shape: shapes[source],
                        training: stored.buffer(&values, read_by(graph, &norm_of, node, k)),
                        inference: early_stored.buffer(&inference, source),
                        gradient: some_if(trained[source], gradients[root].buffer()),
                        adds: writes[node].adds[k],
                    };
                    k += 1;
                }
                let frozen = graph.marks_of(node).frozen;
                if let (Op::BatchNorm { momentum, eps, .. }, false) = (op, frozen) {
                    let channels = shapes[node].dim(0);
                    step.statistics =
                        Buffer { offset: statistics, len: channels.saturating_mul(2) };
                    norms[norm_count] = Norm {
                        node,
                        segment: norm_count + 1,
                        channels,
                        pixels: shapes[node].elements() / channels,
                        statistics: step.statistics,
                        momentum,
                        eps,
                        trained: trained[node],
                    };
                    // The segment that ends here is the one of the convolution before.
                    let before = &mut steps[step_of[source]];
                    if matches!(before.op, Op::Conv2d { .. })
                        && before.value == source
                        && before.segment == norm_count
                    {
                        before.gathers_for = Some(node);
                        step.is_gathered = true;
                    }
                    statistics = step.statistics.end();
                    norm_count += 1;
                }
                if pool_of[node] > 0 {
                    let output = inference[pool_of[node]].buffer();
                    let pool = &graph.nodes[pool_of[node]];
                    step.pooled = Pooled::new(&pool.op, shapes[pool.inputs[0]], output);
                    if let Some(pooled) = &step.pooled
                        && pooled.band_len() > band_len
                    {
                        band_len = pooled.band_len();
                    }
                }
                step.in_convolution = pool_of[fusion.host(source, false)] == node;
                step.undoes = activation_before(graph, &fusion, node);
                step.is_undone = is_undone[node];
                step.is_applied_by_reader = is_applied_by_reader[node];
                if norm_of[node] > 0 {
                    step.normalizes = Some(step_of[norm_of[node]]);
                }
                let own = scratch[node].len > 0;
                let detour = own && trained[source] && !matches!(op, Op::Mul);
                let direct = some_if(trained[source], gradients[x].buffer());
                let mut added_gradient = None;
                if let Some(added) = fusion.of(true)[node].added
                    && trained[added]
                {
                    let gradient = gradients[training_root[added]].buffer();
                    added_gradient = Some((gradient, writes[node].adds_sum));
                }
                steps[count] = Step {
                    node,
                    value,
                    op,
                    input: shapes[source],
                    output: shapes[value],
                    training: Buffers {
                        input: stored.buffer(&values, read_by(graph, &norm_of, node, 0)),
                        output: stored.buffer(&values, value),
                        added: added(fusion.of(true), node, &values, &stored),
                        activation: fusion.activation(graph, node, true),
                    },
                    inference: Buffers {
                        input: early_stored.buffer(&inference, source),
                        output: early_stored.buffer(&inference, small_value),
                        added: added(fusion.of(false), node, &inference, &early_stored),
                        activation: fusion.activation(graph, node, false),
                    },
                    folded: fusion.host(node, false) != node,
                    segment: norm_count,
                    frozen,
                    output_gradient: some_if(trained[value], gradients[y].buffer()),
                    input_gradient: if detour { Some(scratch[node].buffer()) } else { direct },
                    accumulates: trained[source] && writes[node].adds[0],
                    adds_to: if detour { direct } else { None },
                    added_gradient,
                    added: match fusion.of(true)[node].added {
                        Some(added) => added,
                        None => node,
                    },
                    scratch: some_if(own && !detour, scratch[node].buffer()),
                    ..step
                };
                count += 1;
            }
            node += 1;
        }

        let mut outputs = [Output::NOTHING; N];
        let (mut index, mut row) = (0, 0);
        while index < graph.output_count() {
            let node = graph.output_node(index);
            let len = shapes[node].elements();
            let mut adds = false;
            let mut before = 0;
            while before < index {
                adds |= training_root[outputs[before].node] == training_root[node];
                before += 1;
            }
            outputs[index] = Output {
                node,
                row: Buffer { offset: row, len },
                training: stored.buffer(&values, node),
                inference: early_stored.buffer(&inference, node),
                gradient: some_if(trained[node], gradients[training_root[node]].buffer()),
                adds,
            };
            row = len.saturating_add(row);
            index += 1;
        }

        let weights: [Buffer; N] = weights(graph, &shapes);
        let (own, _) = steps.split_at_mut(count);
        let kernels = Kernels::choose(own, &weights);
        Plan {
            steps,
            step_count,
            kernels,
            step_of,
            norms,
            norm_count,
            outputs,
            output_count: graph.output_count(),
            own_len: own_len(graph, &shapes),
            band_len,
            training_input: values[0].buffer(),
            inference_input: inference[0].buffer(),
            training_len,
            inference_len,
        }
    }
}

/// [`place`] for these items.
const fn place_all<const N: usize, const L: usize>(items: &mut [[Item; N]; L]) -> usize {
    let (mut heap, mut next) = ([[0; N]; L], [[0; N]; L]);
    place(items.as_flattened_mut(), heap.as_flattened_mut(), next.as_flattened_mut())
}

/// Where each node's weight stands among the parameters; see [`Graph::tensors`].
const fn weights<const N: usize>(graph: &Graph<'_>, shapes: &[Shape; N]) -> [Buffer; N] {
    let mut weights = [Buffer::NONE; N];
    let (mut node, mut offset) = (0, 0);
    while node < N {
        let op = &graph.nodes[node].op;
        let mut k = 0;
        while k < op.tensors().len() {
            let kind = op.tensors()[k];
            if let Some(shape) = op.tensor(kind, shapes[graph.nodes[node].inputs[0]]) {
                let len = shape.elements();
                if let TensorKind::Weight = kind {
                    weights[node] = Buffer { offset, len };
                }
                offset = len.saturating_add(offset);
            }
            k += 1;
        }
        node += 1;
    }
    weights
}

/// Room for the numbers of 16 images image by image, as layers of the user's own read them: while
/// training the input, the output's gradient, the input's gradient, and gradients of parameters that
/// nobody asked for; in inference the input and the output.
const fn own_len<const N: usize>(graph: &Graph<'_>, shapes: &[Shape; N]) -> [usize; 2] {
    let (mut most, mut node) = ([0; 2], 0);
    while node < N {
        if let Op::Own(own) = graph.nodes[node].op {
            let (x, y) = (shapes[graph.nodes[node].inputs[0]].elements(), shapes[node].elements());
            let mut parameters = 0;
            if let Some(weight) = own.weight {
                parameters = weight.elements();
            }
            if let Some(bias) = own.bias {
                parameters = bias.elements().saturating_add(parameters);
            }
            let small = x.saturating_add(y);
            let own = [small.saturating_add(x).saturating_add(parameters.div_ceil(16)), small];
            let mut mode = 0;
            while mode < 2 {
                if own[mode] > most[mode] {
                    most[mode] = own[mode];
                }
                mode += 1;
            }
        }
        node += 1;
    }
    most
}

const fn no_step(shape: Shape) -> Step {
    let buffers = Buffers {
        input: Buffer::NONE,
        output: Buffer::NONE,
        added: None,
        activation: Activation::Identity,
    };
    let source = Source {
        node: 0,
        shape,
        training: Buffer::NONE,
        inference: Buffer::NONE,
        gradient: None,
        adds: false,
    };
    Step {
        node: 0,
        value: 0,
        op: Op::Flatten,
        input: shape,
        output: shape,
        training: buffers,
        inference: buffers,
        folded: false,
        segment: 0,
        frozen: false,
        statistics: Buffer::NONE,
        output_gradient: None,
        input_gradient: None,
        accumulates: false,
        adds_to: None,
        added_gradient: None,
        kernels: [None; 3],
        added: 0,
        scratch: None,
        pooled: None,
        in_convolution: false,
        undoes: Activation::Identity,
        is_undone: false,
        gathers_for: None,
        is_gathered: false,
        normalizes: None,
        is_applied_by_reader: false,
        sources: [source; MAX_INPUTS],
        source_count: 0,
    }
}

const fn no_norm() -> Norm {
    Norm {
        node: 0,
        segment: 0,
        channels: 0,
        pixels: 0,
        statistics: Buffer::NONE,
        momentum: 0.0,
        eps: 0.0,
        trained: false,
    }
}

/// The value that the pass of `node` adds.
const fn added<const N: usize>(
    fused: &[Fused; N],
    node: usize,
    values: &[Item; N],
    stored: &Storage<N>,
) -> Option<Buffer> {
    match fused[node].added {
        Some(added) => Some(stored.buffer(values, added)),
        None => None,
    }
}

const fn some_if(there: bool, buffer: Buffer) -> Option<Buffer> {
    if there { Some(buffer) } else { None }
}

/// The step at which each node's value is there while training, and how many steps there are.
const fn number_steps<const N: usize>(
    graph: &Graph<'_>,
    fusion: &Fusion<N>,
) -> ([usize; N], usize) {
    let mut step_of = [0; N];
    let (mut node, mut next) = (0, 0);
    while node < N {
        if fusion.is_step(graph, node) {
            step_of[node] = next;
            next += 1;
        } else if fusion.host(node, true) != node {
            step_of[node] = step_of[fusion.host(node, true)];
        } else if !graph.nodes[node].inputs.is_empty() {
            step_of[node] = step_of[graph.nodes[node].inputs[0]];
        }
        node += 1;
    }
    (step_of, next)
}

/// Where each node's value stands.
struct Storage<const N: usize> {
    /// The node whose buffer holds it. All inputs stand in that of the first, so that an image is
    /// packed in one go.
    root: [usize; N],
    /// Where in that buffer it starts.
    shift: [usize; N],
    len: [usize; N],
    /// Numbers of all inputs.
    input_len: usize,
}

impl<const N: usize> Storage<N> {
    const fn new(
        graph: &Graph<'_>,
        fusion: &Fusion<N>,
        shapes: &[Shape; N],
        training: bool,
    ) -> Storage<N> {
        let mut stored = Storage { root: [0; N], shift: [0; N], len: [0; N], input_len: 0 };
        let mut node = 0;
        while node < N {
            let op = &graph.nodes[node].op;
            stored.len[node] = shapes[node].elements();
            if let Op::Input { .. } = op {
                stored.shift[node] = stored.input_len;
                stored.input_len = stored.input_len.saturating_add(stored.len[node]);
            } else if op.keeps_numbers() || (!training && matches!(op, Op::Dropout { .. })) {
                let source = graph.nodes[node].inputs[0];
                stored.root[node] = stored.root[source];
                stored.shift[node] = stored.shift[source];
            } else {
                stored.root[node] = fusion.last(fusion.host(node, training), training);
            }
            node += 1;
        }
        stored
    }

    /// The value of `node` among these items.
    const fn buffer(&self, items: &[Item; N], node: usize) -> Buffer {
        let Buffer { offset, .. } = items[self.root[node]].buffer();
        Buffer { offset: self.shift[node].saturating_add(offset), len: self.len[node] }
    }
}

/// Whether parameters that are not frozen lie at or before each node, so that its value has a gradient worth computing.
const fn needs_gradient<const N: usize>(graph: &Graph<'_>) -> [bool; N] {
    let mut needed = [false; N];
    let mut node = 0;
    while node < N {
        needed[node] = graph.trains(node);
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

/// Which gradients are there already when a node's step runs backward: a later step has written
/// them, or this one for an earlier input.
#[derive(Clone, Copy)]
struct Writes {
    /// That of each input.
    adds: [bool; MAX_INPUTS],
    /// That of the value which the step adds.
    adds_sum: bool,
}

const fn writes<const N: usize>(
    graph: &Graph<'_>,
    fusion: &Fusion<N>,
    root: &[usize; N],
    trained: &[bool; N],
) -> [Writes; N] {
    let mut writes = [Writes { adds: [false; MAX_INPUTS], adds_sum: false }; N];
    let mut written = [false; N];
    // The loss writes the gradients of the outputs.
    let mut output = 0;
    while output < graph.output_count() {
        written[root[graph.output_node(output)]] = true;
        output += 1;
    }
    let mut node = N;
    while node > 0 {
        node -= 1;
        let last = fusion.last(node, true);
        if !fusion.is_step(graph, node) || !trained[last] {
            continue;
        }
        if let Some(added) = fusion.of(true)[node].added {
            writes[node].adds_sum = written[root[added]];
            written[root[added]] = true;
        }
        let mut k = 0;
        while trained[node] && k < graph.nodes[node].inputs.len() {
            let source = root[graph.nodes[node].inputs[k]];
            writes[node].adds[k] = written[source];
            written[source] = true;
            k += 1;
        }
    }
    writes
}

/// A frozen layer with factors, and a frozen batch norm, need no more than their parameters.
pub(super) const fn reads_input_backward(op: &Op, frozen: bool) -> bool {
    match op.activation() {
        Some(activation) => !activation.from_output(),
        None => {
            (!frozen && (op.takes_factors() || matches!(op, Op::BatchNorm { .. })))
                || matches!(
                    op,
                    Op::LayerNorm { .. }
                        | Op::GroupNorm { .. }
                        | Op::MaxPool2d { .. }
                        | Op::Mul
                        | Op::Own(_)
                )
        }
    }
}

const fn reads_output_backward(op: &Op) -> bool {
    match op.activation() {
        Some(activation) => activation.from_output(),
        None => matches!(op, Op::MaxPool2d { .. } | Op::Softmax | Op::LogSoftmax),
    }
}

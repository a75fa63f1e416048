use crate::{Activation, Graph, Op};

/// Which layers are fused into another layer's kernel call. `N` is the number of nodes.
///
/// While training, a convolution, a linear layer, a norm or a sum applies the activation behind it before it
/// stores its values. That needs an activation whose derivative follows from its output, and no other reader of
/// the values. The sum of two values is computed in the call of the later one, where that is a convolution, a
/// linear layer or a batch norm.
///
/// In inference, a batch norm behind a convolution or linear layer is folded into its weight and bias. A sum
/// and an activation behind the norm are then fused too.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Fusion<const N: usize> {
    training: [Fused; N],
    inference: [Fused; N],
}

/// How a node is fused in one mode, training or inference.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Fused {
    /// How many times its value is read, by layers and as an output.
    pub readers: usize,
    /// The node whose kernel call computes it: itself, or a layer before it.
    pub host: usize,
    /// The last node that its own kernel call computes: itself, or a layer behind it.
    pub last: usize,
    /// The node whose value its own kernel call adds.
    pub added: Option<usize>,
}

impl Fused {
    /// A placeholder, to be overwritten.
    pub const NONE: Fused = Fused { readers: 0, host: 0, last: 0, added: None };
}

impl<const N: usize> Fusion<N> {
    /// Finds what is fused in this graph.
    pub const fn new(graph: &Graph<'_>) -> Fusion<N> {
        let mut fusion = Fusion { training: [Fused::NONE; N], inference: [Fused::NONE; N] };
        graph.fuse(&mut fusion.training, &mut fusion.inference);
        fusion
    }

    /// Whether `node` is a kernel call of its own while training; see [`Graph::is_step`].
    pub const fn is_step(&self, graph: &Graph<'_>, node: usize) -> bool {
        graph.is_step(&self.training, node)
    }

    /// What is fused, node by node, while training or in inference.
    pub const fn of(&self, training: bool) -> &[Fused; N] {
        if training { &self.training } else { &self.inference }
    }

    /// The node whose kernel call computes `node`: itself, or a layer before it.
    pub const fn host(&self, node: usize, training: bool) -> usize {
        self.of(training)[node].host
    }

    /// The last node that the kernel call of `host` computes: itself, or a layer behind it.
    pub const fn last(&self, host: usize, training: bool) -> usize {
        self.of(training)[host].last
    }

    /// The activation that the kernel call of `host` applies behind it; [`Activation::Identity`] if there is
    /// none.
    pub const fn activation(&self, graph: &Graph<'_>, host: usize, training: bool) -> Activation {
        let last = self.last(host, training);
        match graph.nodes[last].op.activation() {
            Some(activation) if last != host => activation,
            _ => Activation::Identity,
        }
    }
}

impl Graph<'_> {
    /// Writes what is fused while training and in inference. Each slice has one entry per node.
    pub const fn fuse(&self, training: &mut [Fused], inference: &mut [Fused]) {
        let mut node = 0;
        while node < self.nodes.len() {
            inference[node] = Fused { readers: 0, host: node, last: node, added: None };
            let mut k = 0;
            while k < self.nodes[node].inputs.len() {
                inference[self.nodes[node].inputs[k]].readers += 1;
                k += 1;
            }
            node += 1;
        }
        // A value that leaves the net must be in memory.
        let mut output = 0;
        while output < self.output_count() {
            inference[self.output_node(output)].readers += 1;
            output += 1;
        }
        training.copy_from_slice(inference);
        let mut node = 0;
        while node < self.nodes.len() {
            join(self, inference, node, false);
            // A sum that has no call while training must have none in inference.
            if !matches!(self.nodes[node].op, Op::Add) || inference[node].host != node {
                join(self, training, node, true);
            }
            node += 1;
        }
    }

    /// Whether `node` needs a kernel call of its own while training. Inputs, reinterpretations of the same
    /// numbers such as `flatten`, and fused layers need none.
    pub const fn is_step(&self, training: &[Fused], node: usize) -> bool {
        let op = &self.nodes[node].op;
        !matches!(op, Op::Input { .. }) && !op.keeps_numbers() && training[node].host == node
    }
}

/// Fuses `node` into the call of a layer before it, where it can.
const fn join(graph: &Graph<'_>, fused: &mut [Fused], node: usize, training: bool) {
    let inputs = graph.nodes[node].inputs;
    if inputs.is_empty() {
        return;
    }
    let (mut source, mut added) = (inputs[0], None);
    if let Op::Add = graph.nodes[node].op {
        if inputs.len() != 2 {
            return;
        }
        // The value that comes later takes the other one, which is there by then.
        let later = fused[inputs[1]].host > fused[inputs[0]].host;
        source = inputs[if later { 1 } else { 0 }];
        let other = inputs[if later { 0 } else { 1 }];
        if fused[other].host >= fused[source].host {
            return;
        }
        added = Some(other);
    }
    let host = fused[source].host;
    let is_free = fused[source].readers == 1 && fused[host].last == source;
    if is_free && can_join(graph, node, source, host, fused[host].added.is_some(), training) {
        fused[node].host = host;
        fused[host].last = node;
        if added.is_some() {
            fused[host].added = added;
        }
    }
}

/// Whether the call of `host` can compute `node` too, from `source`, which it computes last.
const fn can_join(
    graph: &Graph<'_>,
    node: usize,
    source: usize,
    host: usize,
    adds: bool,
    training: bool,
) -> bool {
    let (op, before) = (&graph.nodes[node].op, &graph.nodes[source].op);
    let host = &graph.nodes[host].op;
    match op.activation() {
        // One activation a call, and nothing behind it.
        Some(activation) => {
            host.takes_activation()
                && before.activation().is_none()
                && (!training || activation.from_output())
        }
        None => match op {
            Op::BatchNorm { .. } => !training && host.takes_factors() && before.takes_factors(),
            Op::Add => host.takes_sum() && before.activation().is_none() && !adds,
            _ => false,
        },
    }
}

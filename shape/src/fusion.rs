use crate::{Activation, Graph, Op};

/// Which layers are computed in the pass of another one. `N` is the number of nodes.
///
/// While training, an activation behind a convolution, a linear layer, a norm or a sum is computed
/// before the values are stored, if nothing else reads them. In inference, a batch norm behind a
/// convolution or linear layer goes into its weight and bias, and then an activation behind that
/// joins them too.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Fusion<const N: usize> {
    readers: [usize; N],
    training: Hosts<N>,
    inference: Hosts<N>,
}

/// For each node, the node in whose pass it is computed and the last one computed in its own.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Hosts<const N: usize> {
    host: [usize; N],
    last: [usize; N],
}

impl<const N: usize> Fusion<N> {
    /// What is fused in this graph.
    pub const fn new(graph: &Graph<'_>) -> Fusion<N> {
        let mut readers = [0; N];
        let mut node = 0;
        while node < N {
            let mut k = 0;
            while k < graph.nodes[node].inputs.len() {
                readers[graph.nodes[node].inputs[k]] += 1;
                k += 1;
            }
            node += 1;
        }
        Fusion {
            readers,
            training: Hosts::new(graph, &readers, true),
            inference: Hosts::new(graph, &readers, false),
        }
    }

    /// How many times the value of `node` is read.
    pub const fn readers(&self, node: usize) -> usize {
        self.readers[node]
    }

    /// Whether `node` is a kernel call of its own while training; see [`Graph::is_step`].
    pub const fn is_step(&self, graph: &Graph<'_>, node: usize) -> bool {
        let op = &graph.nodes[node].op;
        !matches!(op, Op::Input { .. }) && !op.keeps_numbers() && self.training.host[node] == node
    }

    /// The node in whose pass `node` is computed: itself, or a layer before it.
    pub const fn host(&self, node: usize, training: bool) -> usize {
        if training { self.training.host[node] } else { self.inference.host[node] }
    }

    /// The last node that is computed in the pass of `host`: itself, or a layer behind it.
    pub const fn last(&self, host: usize, training: bool) -> usize {
        if training { self.training.last[host] } else { self.inference.last[host] }
    }

    /// The activation that is computed in the pass of `host`.
    pub const fn activation(&self, graph: &Graph<'_>, host: usize, training: bool) -> Activation {
        let last = self.last(host, training);
        match graph.nodes[last].op.activation() {
            Some(activation) if last != host => activation,
            _ => Activation::Identity,
        }
    }
}

impl<const N: usize> Hosts<N> {
    const fn new(graph: &Graph<'_>, readers: &[usize; N], training: bool) -> Hosts<N> {
        let (mut host, mut last) = ([0; N], [0; N]);
        let mut node = 0;
        while node < N {
            (host[node], last[node]) = (node, node);
            if !graph.nodes[node].inputs.is_empty() {
                let source = graph.nodes[node].inputs[0];
                let joins = joins(graph, node, host[source], training);
                if joins && readers[source] == 1 && last[host[source]] == source {
                    host[node] = host[source];
                    last[host[source]] = node;
                }
            }
            node += 1;
        }
        Hosts { host, last }
    }
}

/// Whether `node` can be computed in the pass of `host`, from the value that it computes last.
const fn joins(graph: &Graph<'_>, node: usize, host: usize, training: bool) -> bool {
    let (op, before) = (&graph.nodes[node].op, &graph.nodes[graph.nodes[node].inputs[0]].op);
    match op.activation() {
        // One activation a pass.
        Some(activation) => {
            graph.nodes[host].op.takes_activation()
                && before.activation().is_none()
                && (!training || activation.from_output())
        }
        None => {
            !training
                && matches!(op, Op::BatchNorm { .. })
                && graph.nodes[host].op.takes_factors()
                && graph.nodes[node].inputs[0] == host
        }
    }
}

impl Graph<'_> {
    /// How many nodes read the value of `node`.
    pub const fn readers(&self, node: usize) -> usize {
        let mut count = 0;
        let mut i = node + 1;
        while i < self.nodes.len() {
            let mut k = 0;
            while k < self.nodes[i].inputs.len() {
                if self.nodes[i].inputs[k] == node {
                    count += 1;
                }
                k += 1;
            }
            i += 1;
        }
        count
    }

    /// The activation that is computed in the same pass as `node` while training: what [`Fusion`]
    /// says, for one node.
    pub const fn fused_activation(&self, node: usize) -> Option<usize> {
        let mut i = node + 1;
        while i < self.nodes.len() {
            if self.nodes[i].inputs[0] == node
                && joins(self, i, node, true)
                && self.readers(node) == 1
            {
                return Some(i);
            }
            i += 1;
        }
        None
    }

    /// The convolution or linear layer whose weight and bias take in this batch norm in inference.
    pub const fn folded_into(&self, node: usize) -> Option<usize> {
        if !matches!(self.nodes[node].op, Op::BatchNorm { .. }) {
            return None;
        }
        let source = self.nodes[node].inputs[0];
        if joins(self, node, source, false) && self.readers(source) == 1 {
            Some(source)
        } else {
            None
        }
    }

    /// The node before `node` that computes it in the same pass while training.
    pub const fn fused_into(&self, node: usize) -> Option<usize> {
        if self.nodes[node].inputs.is_empty() {
            return None;
        }
        let source = self.nodes[node].inputs[0];
        if joins(self, node, source, true) && self.readers(source) == 1 {
            Some(source)
        } else {
            None
        }
    }

    /// Whether `node` needs a kernel call of its own: not the input, a fused activation or a
    /// reinterpretation of the same numbers.
    pub const fn is_step(&self, node: usize) -> bool {
        let op = &self.nodes[node].op;
        !matches!(op, Op::Input { .. }) && !op.keeps_numbers() && self.fused_into(node).is_none()
    }
}

use crate::{Op, Shape};

/// The most values that one layer reads.
pub const MAX_INPUTS: usize = 8;

/// One layer of a [`Graph`].
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Node<'a> {
    /// The layer's name: `conv1`, or its kind for unnamed layers without parameters.
    pub name: &'a str,
    /// What it does.
    pub op: Op,
    /// The nodes whose values it reads, all before it.
    pub inputs: &'a [usize],
}

/// A net as data: what summaries, the reference evaluator and the memory plan read.
/// Node 0 is the input; the last node is the output.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Graph<'a> {
    /// The net's name.
    pub name: &'a str,
    /// The layers in order.
    pub nodes: &'a [Node<'a>],
}

/// Which of a layer's parameters a [`Tensor`] is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TensorKind {
    /// The factors.
    Weight,
    /// What is added to each output channel.
    Bias,
}

impl TensorKind {
    /// The name in weight files: `weight` or `bias`.
    pub const fn name(self) -> &'static str {
        match self {
            TensorKind::Weight => "weight",
            TensorKind::Bias => "bias",
        }
    }
}

/// One parameter tensor and its place among all parameters of the net.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tensor {
    /// The node it belongs to.
    pub node: usize,
    /// Weight or bias.
    pub kind: TensorKind,
    /// Its shape, outermost dimension first.
    pub shape: Shape,
    /// Where it starts, in numbers, in the net's parameter struct.
    pub offset: usize,
}

impl<'a> Graph<'a> {
    /// The output shape of every node; `N` is the number of nodes.
    ///
    /// # Panics
    /// When a layer does not fit (the macro has checked that it does), or `N` is wrong.
    #[allow(clippy::panic, reason = "the macro has checked the graph; this runs in constants")]
    pub const fn shapes<const N: usize>(&self) -> [Shape; N] {
        assert!(self.nodes.len() == N, "N is the number of nodes");
        let mut shapes = [Shape::new(&[]); N];
        let mut i = 0;
        while i < N {
            let node = &self.nodes[i];
            let mut inputs = [Shape::new(&[]); MAX_INPUTS];
            let mut k = 0;
            while k < node.inputs.len() {
                inputs[k] = shapes[node.inputs[k]];
                k += 1;
            }
            let inputs = inputs.split_at(if k == 0 { 1 } else { k }).0;
            shapes[i] = match node.op.output_of(inputs) {
                Ok(shape) => shape,
                Err(_) => panic!("a layer of this graph does not fit its input"),
            };
            i += 1;
        }
        shapes
    }

    /// The output shape of one node.
    ///
    /// # Panics
    /// As [`Graph::shapes`].
    #[allow(clippy::panic, reason = "the macro has checked the graph; this runs in constants")]
    pub const fn shape(&self, node: usize) -> Shape {
        let Node { op, inputs: sources, .. } = &self.nodes[node];
        let mut inputs = [Shape::new(&[]); MAX_INPUTS];
        let mut k = 0;
        while k < sources.len() {
            inputs[k] = self.shape(sources[k]);
            k += 1;
        }
        let inputs = inputs.split_at(if k == 0 { 1 } else { k }).0;
        match op.output_of(inputs) {
            Ok(shape) => shape,
            Err(_) => panic!("a layer of this graph does not fit its input"),
        }
    }

    /// How many parameter tensors there are.
    pub const fn tensor_count(&self) -> usize {
        let mut count = 0;
        let mut i = 0;
        while i < self.nodes.len() {
            if self.nodes[i].op.has_parameters() {
                count += 1;
            }
            if self.nodes[i].op.bias().is_some() {
                count += 1;
            }
            i += 1;
        }
        count
    }

    /// The parameter tensors in the order of the parameter struct; `T` is [`Graph::tensor_count`]
    /// and `N` the number of nodes.
    ///
    /// # Panics
    /// As [`Graph::shapes`].
    pub const fn tensors<const N: usize, const T: usize>(&self) -> [Tensor; T] {
        let shapes: [Shape; N] = self.shapes();
        let empty = Tensor { node: 0, kind: TensorKind::Weight, shape: Shape::new(&[]), offset: 0 };
        let mut tensors = [empty; T];
        let (mut count, mut offset) = (0, 0);
        let mut node = 0;
        while node < N {
            let op = &self.nodes[node].op;
            if op.has_parameters() {
                let input = shapes[self.nodes[node].inputs[0]];
                if let Some(shape) = op.weight(input) {
                    tensors[count] = Tensor { node, kind: TensorKind::Weight, shape, offset };
                    count += 1;
                    offset += shape.elements();
                }
                if let Some(shape) = op.bias() {
                    tensors[count] = Tensor { node, kind: TensorKind::Bias, shape, offset };
                    count += 1;
                    offset += shape.elements();
                }
            }
            node += 1;
        }
        assert!(count == T, "T is the number of parameter tensors");
        tensors
    }

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

    /// The node before `node` that computes it in the same pass: the convolution, linear layer or
    /// sum whose value only this activation reads.
    pub const fn fused_into(&self, node: usize) -> Option<usize> {
        if self.nodes[node].op.activation().is_none() {
            return None;
        }
        let source = self.nodes[node].inputs[0];
        if self.nodes[source].op.takes_activation() && self.readers(source) == 1 {
            Some(source)
        } else {
            None
        }
    }

    /// The activation that is computed in the same pass as `node`.
    pub const fn fused_activation(&self, node: usize) -> Option<usize> {
        let mut i = node + 1;
        while i < self.nodes.len() {
            if let Some(source) = self.fused_into(i)
                && source == node
            {
                return Some(i);
            }
            i += 1;
        }
        None
    }

    /// Whether `node` needs a kernel call of its own: not the input, a fused activation or a
    /// reinterpretation of the same numbers.
    pub const fn is_step(&self, node: usize) -> bool {
        !matches!(self.nodes[node].op, Op::Input { .. } | Op::Flatten)
            && self.fused_into(node).is_none()
    }
}

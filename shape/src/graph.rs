use crate::{MAX_INPUTS, Marks, Op, Shape, Tensor, TensorKind};

/// One layer of a [`Graph`].
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Node<'a> {
    /// The layer's unique name: `conv1`, or `relu_2` for the second `relu`.
    pub name: &'a str,
    /// What it does.
    pub op: Op,
    /// The nodes whose values it reads, all before it.
    pub inputs: &'a [usize],
}

/// A named output of a [`Graph`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head<'a> {
    /// Its name in the declaration.
    pub name: &'a str,
    /// The node whose value it is.
    pub node: usize,
}

/// A net as data: summaries, the reference evaluator and the memory plan read it.
///
/// The first nodes are the inputs, mostly just one. Where no heads are named, the last node is the output.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Graph<'a> {
    /// The net's name.
    pub name: &'a str,
    /// The layers in order.
    pub nodes: &'a [Node<'a>],
    /// The layers with attributes, in order.
    pub marks: &'a [Marks<'a>],
    /// The outputs by name, in order; empty where the last node is the output.
    pub heads: &'a [Head<'a>],
}

/// What is known of a layer at compile time: a row of a net's `LAYERS`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LayerInfo {
    /// Its name: `conv1`, `stage1.0.conv2d_1`, or `relu_2` for the second `relu` without a name.
    pub name: &'static str,
    /// Its kind: `conv2d`; `input` for the net's input.
    pub kind: &'static str,
    /// The shape of its output for one image.
    pub output: Shape,
    /// How many numbers its parameters have; running statistics do not count.
    pub parameters: usize,
    /// Its multiply-adds for one image; 0 for layers that sum up no products.
    pub multiply_adds: u64,
}

impl<'a> Graph<'a> {
    /// A graph of layers without attributes.
    pub const fn new(name: &'a str, nodes: &'a [Node<'a>]) -> Graph<'a> {
        Graph { name, nodes, marks: &[], heads: &[] }
    }

    /// The same layers with these attributes, in the order of the layers.
    #[must_use]
    pub const fn with_marks(self, marks: &'a [Marks<'a>]) -> Graph<'a> {
        Graph { marks, ..self }
    }

    /// The same layers with these outputs, in order.
    #[must_use]
    pub const fn with_heads(self, heads: &'a [Head<'a>]) -> Graph<'a> {
        Graph { heads, ..self }
    }

    /// How many inputs there are.
    pub const fn input_count(&self) -> usize {
        let mut count = 0;
        while count < self.nodes.len() && matches!(self.nodes[count].op, Op::Input { .. }) {
            count += 1;
        }
        count
    }

    /// Whether a net of this graph can be a layer of another one: one value goes in, one comes out.
    pub const fn can_be_layer(&self) -> bool {
        self.input_count() == 1 && self.heads.is_empty()
    }

    /// How many outputs there are.
    pub const fn output_count(&self) -> usize {
        if self.heads.is_empty() { 1 } else { self.heads.len() }
    }

    /// The node whose value is the `index`-th output.
    pub const fn output_node(&self, index: usize) -> usize {
        if self.heads.is_empty() { self.nodes.len() - 1 } else { self.heads[index].node }
    }

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

    /// What is known of every node. `shapes` are the nodes' output shapes.
    ///
    /// # Panics
    /// When there are not as many shapes as nodes.
    pub const fn layers<const N: usize>(&self, shapes: &[Shape; N]) -> [LayerInfo; N]
    where
        'a: 'static,
    {
        assert!(self.nodes.len() == N, "N is the number of nodes");
        let nothing =
            LayerInfo { name: "", kind: "", output: shapes[0], parameters: 0, multiply_adds: 0 };
        let mut layers = [nothing; N];
        let mut i = 0;
        while i < N {
            let Node { name, op, inputs } = self.nodes[i];
            let input = if inputs.is_empty() { shapes[i] } else { shapes[inputs[0]] };
            layers[i] = LayerInfo {
                name,
                kind: op.kind(),
                output: shapes[i],
                parameters: op.parameters(input),
                multiply_adds: op.multiply_adds(input, shapes[i]),
            };
            i += 1;
        }
        layers
    }

    /// How many tensors there are: parameters and running statistics.
    pub const fn tensor_count(&self) -> usize {
        let mut count = 0;
        let mut i = 0;
        while i < self.nodes.len() {
            count += self.nodes[i].op.tensors().len();
            i += 1;
        }
        count
    }

    /// The tensors in the order of the parameter struct; `T` is [`Graph::tensor_count`] and `N` the
    /// number of nodes.
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
            let mut k = 0;
            while k < op.tensors().len() {
                let kind = op.tensors()[k];
                if let Some(shape) = op.tensor(kind, shapes[self.nodes[node].inputs[0]]) {
                    tensors[count] = Tensor { node, kind, shape, offset };
                    count += 1;
                    offset = offset.saturating_add(shape.elements());
                }
                k += 1;
            }
            node += 1;
        }
        assert!(count == T, "T is the number of tensors");
        tensors
    }
}

impl<'a> Graph<'a> {
    /// The attributes of a node. A binary search finds them, since this runs in constants, where steps are
    /// slow.
    pub const fn marks_of(&self, node: usize) -> Marks<'a> {
        let (mut low, mut high) = (0, self.marks.len());
        while low < high {
            let middle = (low + high) / 2;
            let found = self.marks[middle].node;
            if found == node {
                return self.marks[middle];
            }
            if found < node {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Marks::of(node)
    }

    /// What weight files call a node: `#[name("…")]`, or its name.
    pub const fn file_name(&self, node: usize) -> &'a str {
        match self.marks_of(node).file_name {
            Some(name) => name,
            None => self.nodes[node].name,
        }
    }

    /// Whether a node has parameters that training changes: it has some, and is not `#[frozen]`.
    pub const fn trains(&self, node: usize) -> bool {
        let tensors = self.nodes[node].op.tensors();
        !tensors.is_empty() && tensors[0].is_parameter() && !self.marks_of(node).frozen
    }

    /// Whether weight decay and regularisers apply to a tensor of a node, as far as its attributes say; never
    /// to running statistics.
    pub const fn decays(&self, node: usize, kind: TensorKind) -> bool {
        let [weight, bias] = self.marks_of(node).no_decay;
        match kind {
            TensorKind::Weight => !weight,
            TensorKind::Bias => !bias,
            TensorKind::RunningMean | TensorKind::RunningVar => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_node_finds_its_own_attributes() {
        for count in 0..7 {
            let marks: [Marks<'_>; 6] = core::array::from_fn(|i| Marks::of(3 * i + 1).frozen());
            let graph = Graph::new("Marked", &[]).with_marks(&marks[..count]);
            for node in 0..20 {
                let expected = marks[..count].iter().find(|marks| marks.node == node);
                let expected = expected.copied().unwrap_or(Marks::of(node));
                assert_eq!(graph.marks_of(node), expected);
            }
        }
    }
}

//! Other nets and layers of the user's own in a graph: what a path in a declaration stands for, and the nodes
//! that it becomes.

use crate::{Graph, Init, Marks, Node, Op, Own, Shape, Tensor};

/// What a path in a declaration stands for.
#[derive(Clone, Copy, PartialEq, Debug)]
#[allow(clippy::large_enum_variant, reason = "constants only, where there are no boxes")]
pub enum Part {
    /// Another net: its layers become part of the graph.
    Net(Graph<'static>),
    /// A layer of the user's own, on the input that it has here.
    Own(Own),
}

/// A [`Part`] at its place in a graph.
///
/// A layer becomes one node. A net becomes its own nodes, the first of which checks the input's shape, and one
/// more behind them, which has the layer's name. Nothing is fused across the first and the last of these nodes.
/// So the kernel calls of the net are those that it has by itself.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Placement {
    /// What stands there.
    pub part: Part,
    /// The layer's name: `features`.
    pub name: &'static str,
    /// The path: `super::Backbone`.
    pub kind: &'static str,
    /// Its arguments as text.
    pub arguments: &'static str,
    /// The layer's attributes.
    pub marks: Marks<'static>,
    /// The node whose value it reads.
    pub source: usize,
    /// Its first node.
    pub first: usize,
}

impl Part {
    /// Another net. One that cannot be a layer is cut down to its first node, like a net with a mistake of its
    /// own. So [`check_net`](crate::check_net) reports it, and no other rule does.
    pub const fn net(graph: Graph<'static>) -> Part {
        if graph.can_be_layer() {
            Part::Net(graph)
        } else {
            Part::Net(Graph::new(graph.name, graph.nodes.split_at(1).0))
        }
    }

    /// How many nodes it becomes.
    pub const fn nodes(&self) -> usize {
        match self {
            Part::Net(graph) => graph.nodes.len() + 1,
            Part::Own(_) => 1,
        }
    }
}

impl Placement {
    /// How many nodes it becomes.
    pub const fn node_count(&self) -> usize {
        self.part.nodes()
    }

    /// How many inputs its nodes have in total.
    pub const fn input_count(&self) -> usize {
        // Of the first node and of the one behind the last.
        let Part::Net(graph) = self.part else { return 1 };
        let (mut count, mut node) = (2, 0);
        while node < graph.nodes.len() {
            count += graph.nodes[node].inputs.len();
            node += 1;
        }
        count
    }

    /// The inputs of all its nodes in a row.
    pub const fn inputs<const N: usize>(&self) -> [usize; N] {
        let mut inputs = [self.source; N];
        let Part::Net(graph) = self.part else { return inputs };
        let (mut count, mut node) = (1, 0);
        while node < graph.nodes.len() {
            let mut k = 0;
            while k < graph.nodes[node].inputs.len() {
                inputs[count] = self.first + graph.nodes[node].inputs[k];
                count += 1;
                k += 1;
            }
            node += 1;
        }
        inputs[count] = self.first + graph.nodes.len() - 1;
        inputs
    }

    /// How long [`text`](Self::text) is.
    pub const fn text_len(&self) -> usize {
        let Part::Net(graph) = self.part else { return 0 };
        let (mut len, mut node) = (0, 0);
        while node < graph.nodes.len() {
            len += joined_len(self.name, graph.nodes[node].name);
            len += joined_len(self.file_prefix(), graph.file_name(node));
            node += 1;
        }
        len
    }

    /// The names of its nodes, each followed by its name in weight files, without separators.
    pub const fn text<const N: usize>(&self) -> [u8; N] {
        let mut text = [0; N];
        let Part::Net(graph) = self.part else { return text };
        let (mut at, mut node) = (0, 0);
        while node < graph.nodes.len() {
            at = push_joined(&mut text, at, self.name, graph.nodes[node].name);
            at = push_joined(&mut text, at, self.file_prefix(), graph.file_name(node));
            node += 1;
        }
        text
    }

    /// Its nodes; `text` and `inputs` are the results of the methods [`text`](Self::text) and
    /// [`inputs`](Self::inputs).
    pub const fn nodes<const N: usize>(
        &self,
        text: &'static [u8],
        inputs: &'static [usize],
    ) -> [Node<'static>; N] {
        let Placement { name, kind, arguments, .. } = *self;
        let graph = match self.part {
            Part::Net(graph) => graph,
            Part::Own(own) => {
                let op = Op::Own(Own { kind, arguments, ..own });
                return [Node { name, op, inputs }; N];
            }
        };
        let mut nodes = [Node { name, op: Op::NetOutput { net: kind }, inputs }; N];
        let (mut text, mut inputs, mut node) = (text, inputs, 0);
        while node < graph.nodes.len() {
            let own;
            (own, text) = split(text, joined_len(name, graph.nodes[node].name));
            (_, text) = split(text, joined_len(self.file_prefix(), graph.file_name(node)));
            let count = if node == 0 { 1 } else { graph.nodes[node].inputs.len() };
            let read;
            (read, inputs) = inputs.split_at(count);
            let op = match graph.nodes[node].op {
                // A net with a mistake of its own has no other node.
                Op::Input { shape } => {
                    let takes = if graph.nodes.len() > 1 { shape } else { Shape::new(&[]) };
                    Op::NetInput { net: kind, takes }
                }
                op => op,
            };
            nodes[node] = Node { name: own, op, inputs: read };
            node += 1;
        }
        nodes[graph.nodes.len()].inputs = inputs;
        nodes
    }

    /// The attributes of each of its nodes.
    pub const fn marks<const N: usize>(&self, text: &'static [u8]) -> [Marks<'static>; N] {
        let mut all = [Marks { node: self.first, ..self.marks }; N];
        let Part::Net(graph) = self.part else { return all };
        let (mut text, mut node) = (text, 0);
        while node < graph.nodes.len() {
            (_, text) = split(text, joined_len(self.name, graph.nodes[node].name));
            let file_name;
            (file_name, text) = split(text, joined_len(self.file_prefix(), graph.file_name(node)));
            let own = graph.marks_of(node);
            let outer = &self.marks;
            all[node] = Marks {
                node: self.first + node,
                file_name: Some(file_name),
                init: inherited(&own.init, &outer.init, &graph.nodes[node].op),
                frozen: own.frozen || outer.frozen,
                no_decay: [
                    own.no_decay[0] || outer.no_decay[0],
                    own.no_decay[1] || outer.no_decay[1],
                ],
            };
            node += 1;
        }
        let last = self.first + graph.nodes.len();
        all[graph.nodes.len()] = Marks::of(last).named(self.file_prefix());
        all
    }

    const fn file_prefix(&self) -> &'static str {
        match self.marks.file_name {
            Some(name) => name,
            None => self.name,
        }
    }
}

/// A layer's own `#[init(…)]` goes before that of the net that it is in. As with braces, the net's is meant for
/// weights with a fan.
const fn inherited(own: &Init, outer: &Init, op: &Op) -> Init {
    if !op.takes_factors() && !matches!(op, Op::Own(_)) {
        return *own;
    }
    Init {
        weight: if own.weight.is_some() { own.weight } else { outer.weight },
        gain: if own.weight.is_some() { own.gain } else { outer.gain },
        bias: if own.bias.is_some() { own.bias } else { outer.bias },
    }
}

const fn joined_len(prefix: &str, name: &str) -> usize {
    let dot = !prefix.is_empty() && !name.is_empty();
    prefix.len() + name.len() + if dot { 1 } else { 0 }
}

/// Writes `prefix.name` from `at` on; returns where it ends.
const fn push_joined(text: &mut [u8], at: usize, prefix: &str, name: &str) -> usize {
    let dot = if prefix.is_empty() || name.is_empty() { "" } else { "." };
    let parts = [prefix, dot, name];
    let (mut at, mut i) = (at, 0);
    while i < parts.len() {
        let bytes = parts[i].as_bytes();
        let mut k = 0;
        while k < bytes.len() {
            text[at] = bytes[k];
            at += 1;
            k += 1;
        }
        i += 1;
    }
    at
}

const fn split(text: &'static [u8], at: usize) -> (&'static str, &'static [u8]) {
    let (first, rest) = text.split_at(at);
    match core::str::from_utf8(first) {
        Ok(first) => (first, rest),
        // Both parts are whole texts.
        Err(_) => ("", rest),
    }
}

/// The last node of each layer of a declaration. `counts` says how many nodes each layer becomes.
pub const fn places<const N: usize>(counts: [usize; N]) -> [usize; N] {
    let mut places = counts;
    let (mut sum, mut i) = (0, 0);
    while i < N {
        sum += counts[i];
        places[i] = sum - 1;
        i += 1;
    }
    places
}

/// Concatenates runs of nodes.
///
/// # Panics
/// When the runs do not have `N` items in total.
pub const fn joined_nodes<const N: usize>(runs: &[&[Node<'static>]]) -> [Node<'static>; N] {
    joined(runs, Node { name: "", op: Op::Flatten, inputs: &[] })
}

/// Concatenates runs of attributes.
///
/// # Panics
/// When the runs do not have `N` items in total.
pub const fn joined_marks<const N: usize>(runs: &[&[Marks<'static>]]) -> [Marks<'static>; N] {
    joined(runs, Marks::of(0))
}

/// Concatenates runs; `any` is a placeholder.
const fn joined<T: Copy, const N: usize>(runs: &[&[T]], any: T) -> [T; N] {
    let mut all = [any; N];
    let (mut count, mut i) = (0, 0);
    while i < runs.len() {
        let mut k = 0;
        while k < runs[i].len() {
            all[count] = runs[i][k];
            count += 1;
            k += 1;
        }
        i += 1;
    }
    assert!(count == N, "N is how many there are in all runs");
    all
}

/// How many items the runs of attributes have in total.
pub const fn count_marks(runs: &[&[Marks<'static>]]) -> usize {
    let (mut count, mut i) = (0, 0);
    while i < runs.len() {
        count += runs[i].len();
        i += 1;
    }
    count
}

/// The shape of the `index`-th tensor of a node, counted from 0; a shape without dimensions where there is
/// none.
pub const fn shape_of(tensors: &[Tensor], node: usize, index: usize) -> Shape {
    let mut first = 0;
    while first < tensors.len() && tensors[first].node < node {
        first += 1;
    }
    let at = first + index;
    if at < tensors.len() && tensors[at].node == node { tensors[at].shape } else { Shape::new(&[]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scheme;

    const INNER: Graph<'static> = Graph {
        name: "Inner",
        nodes: &[
            Node { name: "input", op: Op::Input { shape: Shape::new(&[4]) }, inputs: &[] },
            Node { name: "fc", op: Op::Linear { out_features: 4, bias: true }, inputs: &[0] },
            Node { name: "add_1", op: Op::Add, inputs: &[1, 0] },
        ],
        marks: &[Marks::of(1).named("0").init(Init::new(Scheme::Orthogonal).gain(2.0))],
        heads: &[],
    };
    const PLACEMENT: Placement = Placement {
        part: Part::Net(INNER),
        name: "features",
        kind: "super::Inner",
        arguments: "",
        marks: Marks::of(0)
            .named("body")
            .init(Init::new(Scheme::Dirac).bias(Scheme::Dirac))
            .frozen(),
        source: 2,
        first: 3,
    };
    static TEXT: [u8; PLACEMENT.text_len()] = PLACEMENT.text();
    static INPUTS: [usize; PLACEMENT.input_count()] = PLACEMENT.inputs();
    static NODES: [Node<'static>; PLACEMENT.node_count()] = PLACEMENT.nodes(&TEXT, &INPUTS);
    static MARKS: [Marks<'static>; PLACEMENT.node_count()] = PLACEMENT.marks(&TEXT);

    #[test]
    fn a_net_becomes_its_nodes_under_its_name_between_two_of_its_ends() {
        let expected: [(&str, &[usize]); 4] = [
            ("features.input", &[2]),
            ("features.fc", &[3]),
            ("features.add_1", &[4, 3]),
            ("features", &[5]),
        ];
        assert_eq!(NODES.map(|node| (node.name, node.inputs)), expected);
        let takes = Shape::new(&[4]);
        assert_eq!(NODES[0].op, Op::NetInput { net: "super::Inner", takes });
        assert_eq!(NODES[3].op, Op::NetOutput { net: "super::Inner" });
    }

    #[test]
    fn attributes_of_the_layer_and_of_the_net_go_together() {
        let fc = MARKS[1];
        assert_eq!((fc.node, fc.file_name, fc.frozen), (4, Some("body.0"), true));
        let init = Init::new(Scheme::Orthogonal).gain(2.0).bias(Scheme::Dirac);
        assert_eq!(fc.init, init);
        // A sum has no weight, and the last node tells the files' prefix.
        assert_eq!(MARKS[2].init, Init::NONE);
        assert_eq!(MARKS[3].file_name, Some("body"));
    }

    #[test]
    fn a_shape_that_the_net_does_not_take_is_its_mistake() {
        let before = [
            Node { name: "input", op: Op::Input { shape: Shape::new(&[5]) }, inputs: &[] },
            Node { name: "a", op: Op::Relu, inputs: &[0] },
            Node { name: "b", op: Op::Relu, inputs: &[1] },
        ];
        let nodes: [Node<'static>; 7] = joined_nodes(&[&before, &NODES]);
        let checked = crate::Checked::<7>::new(&Graph::new("Outer", &nodes));
        assert!(!checked.is_sound());
        assert_eq!(places([1, 1, 1, PLACEMENT.node_count(), 1]), [0, 1, 2, 6, 7]);
    }
}

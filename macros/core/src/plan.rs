//! From a checked graph to the kernel calls in order. Topology only: which layers make a call, and which
//! activations are fused. Offsets and sizes are constants that `typenet-shape` computes.

mod names;

use std::collections::HashSet;

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use typenet_shape::{Fused, Graph, Head, Node, Op, TensorKind};

use crate::check::{self, Checked, Known, Segment};
use crate::number::{Atom, Number, shape_text};

/// The kernel calls of a net.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The calls of the forward pass in order; the backward pass is their mirror.
    pub calls: Vec<Call>,
    /// How many parameter tensors there are.
    pub tensors: usize,
    /// What the output is; for a net with heads, one entry for each head.
    pub outputs: Vec<Outputs>,
    /// The name of each node, the inputs first; no two are alike.
    pub names: Vec<String>,
    /// The rows of the table in the documentation, the inputs first.
    pub rows: Vec<Row>,
}

/// What the outputs of a net or a head are, by its last layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Outputs {
    /// Logits or plain numbers.
    #[default]
    Logits,
    /// Probabilities: of `softmax` or `sigmoid`.
    Probabilities,
    /// Their logarithms: of `log_softmax`.
    LogProbabilities,
}

/// A layer in the documentation.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// The keyword with its arguments.
    pub layer: String,
    /// Whether it is frozen, a head, or both: `, frozen, head`; for an input with a name: `input`.
    pub marks: &'static str,
    /// The shape of its value.
    pub output: String,
    /// How many parameters it has.
    pub parameters: Number,
    /// Multiply-adds for one image.
    pub multiply_adds: Number,
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Row { name, layer, marks, output, parameters, multiply_adds } = self;
        write!(f, "{name} | {layer}{marks} | {output} | {parameters} | {multiply_adds}")
    }
}

/// One kernel call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The node of the graph.
    pub node: usize,
    /// The name of the constant that holds its step.
    pub constant: Ident,
    /// The method of the passes that runs it.
    pub method: Ident,
    /// Whether the method takes the layer's parameters.
    pub takes_parameters: bool,
    /// The path to the layer's parameters, if it has any.
    pub field: Option<Vec<Segment>>,
    /// Whether the backward pass runs it: trained parameters lie at or before it.
    pub backward: bool,
    /// The keywords of the sum and the activation that are fused into it.
    pub fused: Vec<&'static str>,
}

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for call in &self.calls {
            write!(f, "{}: {}", call.constant, call.method)?;
            for fused in &call.fused {
                write!(f, " + {fused}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// The plan of a graph; after a mistake, one without calls.
pub fn plan(checked: &Checked) -> Plan {
    let mut plan = Plan::default();
    let nodes: Option<Vec<Node<'_>>> = checked
        .nodes
        .iter()
        .map(|node| Some(Node { name: &node.name, op: node.op?, inputs: &node.inputs }))
        .collect();
    let Some(nodes) = nodes else { return plan };
    plan.names = names::names(&checked.nodes);
    let name = checked.name.to_string();
    let marks: Vec<_> =
        checked.nodes.iter().enumerate().filter_map(|(i, node)| node.attributes(i)).collect();
    let head_names: Vec<String> =
        checked.heads.iter().map(|head| head.name.unraw().to_string()).collect();
    let heads = checked.heads.iter().zip(&head_names);
    let heads: Vec<Head<'_>> =
        heads.filter_map(|(head, name)| Some(Head { name, node: head.node? })).collect();
    let graph = Graph::new(&name, &nodes).with_marks(&marks).with_heads(&heads);
    let trained = trained(&graph);

    let mut fused = vec![Fused::NONE; nodes.len()];
    graph.fuse(&mut fused, &mut vec![Fused::NONE; nodes.len()]);
    let mut taken: HashSet<String> =
        ["NODES", "GRAPH", "CHECKED", "SHAPES", "LAYERS", "TENSORS", "PLAN"]
            .map(String::from)
            .into();
    if !checked.paths.is_empty() {
        taken.extend(["AT", "ALL_NODES", "ALL_MARKS", "MARK_RUNS"].map(String::from));
    }
    for (index, node) in checked.nodes.iter().enumerate() {
        let end = match index {
            _ if heads.iter().any(|head| head.node == index) => End::Head,
            _ if index < checked.inputs.len() => End::Input,
            _ => End::None,
        };
        plan.rows.push(row(checked, node, &plan.names[index], end));
        if !graph.is_step(&fused, index) {
            continue;
        }
        let (method, takes_parameters) = match (&node.part, node.layer) {
            (Some(_), _) => ("part", true),
            (None, Some(layer)) => (layer.method, layer.has_parameters()),
            (None, None) => continue,
        };
        let also: &[&str] = if node.part.is_some() { OF_PARTS } else { &[] };
        plan.calls.push(Call {
            node: index,
            constant: constant(&plan.names[index], also, &mut taken),
            method: Ident::new(method, Span::mixed_site()),
            takes_parameters,
            field: node.field.clone().filter(|_| !node.tensors.is_empty()),
            // A sum in the same pass may be trained by its other value.
            backward: (index..nodes.len())
                .any(|behind| fused[behind].host == index && trained[behind]),
            fused: (index + 1..nodes.len())
                .filter(|&behind| fused[behind].host == index)
                .map(|behind| nodes[behind].op.kind())
                .collect(),
        });
    }
    plan.tensors = graph.tensor_count();
    let outputs = |node: usize| match nodes[node].op {
        Op::Softmax | Op::Sigmoid => Outputs::Probabilities,
        Op::LogSoftmax => Outputs::LogProbabilities,
        _ => Outputs::Logits,
    };
    plan.outputs =
        (0..graph.output_count()).map(|index| outputs(graph.output_node(index))).collect();
    plan
}

/// For each node, whether trained parameters lie at or before it.
fn trained(graph: &Graph<'_>) -> Vec<bool> {
    let mut trained: Vec<bool> = Vec::with_capacity(graph.nodes.len());
    for (index, node) in graph.nodes.iter().enumerate() {
        let before = node.inputs.iter().any(|&input| trained[input]);
        trained.push(before || graph.trains(index));
    }
    trained
}

/// Whether a node is a named end of the net.
enum End {
    None,
    Input,
    Head,
}

fn row(checked: &Checked, node: &check::Node, name: &str, end: End) -> Row {
    let marks = match (end, node.marks.frozen && !node.tensors.is_empty()) {
        (End::Head, true) => ", frozen, head",
        (End::Head, false) => ", head",
        (End::Input, _) => "input",
        (End::None, true) => ", frozen",
        (End::None, false) => "",
    };
    Row {
        marks,
        name: name.to_string(),
        layer: node.kind_and_arguments(),
        output: match (node.dims(), &node.value) {
            (Some(dims), _) => shape_text(&dims),
            (None, Known::Symbolic(_)) => "…".into(),
            _ => String::new(),
        },
        parameters: parameters(node).unwrap_or_default(),
        multiply_adds: multiply_adds(checked, node).unwrap_or_default(),
    }
}

/// How many numbers the layer's parameters have.
fn parameters(node: &check::Node) -> Option<Number> {
    let own = node.tensor_dims();
    let own = own.iter().filter(|(kind, _)| kind.is_parameter());
    let count = |dims: &Vec<Number>| match dims.as_slice() {
        // Only the compiler knows how many dimensions there are.
        [] => Some(Number::from(Atom::Unknown(0))),
        dims => product(dims),
    };
    own.map(|(_, dims)| count(dims)).try_fold(Number::from(0), |sum, one| sum.add(&one?))
}

/// Multiply-adds for one image, 0 for layers that sum up no products.
fn multiply_adds(checked: &Checked, node: &check::Node) -> Option<Number> {
    if node.part.is_some() {
        return Some(Atom::Unknown(0).into());
    }
    let op = node.op.filter(|op| op.takes_factors())?;
    let tensors = node.tensor_dims();
    let (_, weight) = tensors.iter().find(|(kind, _)| *kind == TensorKind::Weight)?;
    // Each weight is used once for each place of the output; of a transposed convolution, of the
    // input.
    let places = match op {
        Op::ConvTranspose2d { .. } => checked.nodes.get(*node.inputs.first()?)?.dims()?,
        _ => node.dims()?,
    };
    product(weight)?.multiply(&product(places.get(1..)?)?)
}

fn product(dims: &[Number]) -> Option<Number> {
    dims.iter().try_fold(Number::from(1), |product, dim| product.multiply(dim))
}

/// What the names of a part's constants end in, beside the part's own.
const OF_PARTS: &[&str] = &["BEFORE", "INPUT", "TEXT", "INPUTS", "NODES", "MARKS"];

/// `CONV1` for `conv1`, `STAGE1_0_CONV1` for `stage1.0.conv1`; with `also` before `_NODES` and so on,
/// so that those are free too.
fn constant(name: &str, also: &[&str], taken: &mut HashSet<String>) -> Ident {
    let base = name.replace('.', "_").to_ascii_uppercase();
    let mut text = base.clone();
    let mut number = 1;
    let all = |text: &str| -> Vec<String> {
        let further = also.iter().map(|end| format!("{text}_{end}"));
        std::iter::once(text.to_string()).chain(further).collect()
    };
    while all(&text).iter().any(|one| taken.contains(one)) {
        number += 1;
        text = format!("{base}_{number}");
    }
    taken.extend(all(&text));
    Ident::new(&text, Span::mixed_site())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn plan_of(layers: &str) -> Plan {
        let text = format!("struct N: [2, 8, 8] -> [3] {{ {layers} }}");
        let (declaration, mistakes) = crate::parse::parse(text.parse().unwrap());
        assert!(mistakes.is_empty(), "{mistakes:?}");
        let (checked, mistakes) = crate::check::check(&declaration.unwrap());
        assert!(mistakes.is_empty(), "{mistakes:?}");
        plan(&checked)
    }

    #[test]
    fn activations_are_fused_where_they_follow_a_layer_with_parameters() {
        let plan = plan_of("conv2d(4, 3), relu, max_pool2d(2), tanh, dropout, flatten, linear(3)");
        assert_eq!(
            plan.to_string(),
            "CONV2D_1: conv2d + relu\nMAX_POOL2D_1: max_pool2d\nTANH_1: activation\n\
             DROPOUT_1: dropout\nLINEAR_1: linear\n"
        );
        assert_eq!(plan.tensors, 4);
        assert_eq!(plan.outputs, [Outputs::Logits]);
    }

    #[test]
    fn constants_do_not_meet() {
        let plan = plan_of(
            "graph: conv2d(4, 3), Graph: conv2d(4, 3), plan: max_pool2d(2), relu, relu_1: relu, flatten, linear(3)",
        );
        let names: Vec<String> = plan.calls.iter().map(|call| call.constant.to_string()).collect();
        assert_eq!(names, ["GRAPH_2", "GRAPH_3", "PLAN_2", "RELU_2", "RELU_1", "LINEAR_1"]);
    }

    #[test]
    fn layers_without_a_name_are_numbered_in_their_scope() {
        let plan = plan_of(
            "block b { tanh, conv2d(2, 1), tanh } a: relu, relu, relu_4: relu, relu, b, x: b,
             residual { y: relu } residual { y: relu } add(a), flatten, linear(3)",
        );
        let names: Vec<&str> = plan.names[1..].iter().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "a",
                "relu_2",
                "relu_4",
                "relu_5",
                "b_1.tanh_1",
                "b_1.conv2d_1",
                "b_1.tanh_2",
                "x.tanh_1",
                "x.conv2d_1",
                "x.tanh_2",
                "y",
                "residual_1",
                "y_2",
                "residual_2",
                "add_1",
                "flatten_1",
                "linear_1",
            ]
        );
    }

    #[test]
    fn nets_that_end_in_probabilities_have_no_logits() {
        let outputs = |end: &str| plan_of(&format!("flatten, linear(3), {end}")).outputs[0];
        assert_eq!(outputs("softmax"), Outputs::Probabilities);
        assert_eq!(outputs("sigmoid"), Outputs::Probabilities);
        assert_eq!(outputs("log_softmax"), Outputs::LogProbabilities);
        assert_eq!(outputs("sigmoid, relu"), Outputs::Logits);
    }

    #[test]
    fn rows_say_what_a_layer_costs() {
        let plan = plan_of("c: conv2d(4, kernel = 3, bias = false), relu, flatten, linear(3)");
        let texts: Vec<String> = plan.rows.iter().map(Row::to_string).collect();
        assert_eq!(
            texts,
            [
                "input |  | [2, 8, 8] | 0 | 0",
                "c | conv2d(4, kernel = 3, bias = false) | [4, 6, 6] | 72 | 2592",
                "relu_1 | relu | [4, 6, 6] | 0 | 0",
                "flatten_1 | flatten | [144] | 0 | 0",
                "linear_1 | linear(3) | [3] | 435 | 432",
            ]
        );
    }
}

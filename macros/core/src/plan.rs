//! A checked graph to the kernel calls in order. Topology only: which layers make a call, and which
//! activations are fused. Offsets and sizes are constants that `typenet-shape` computes.

use std::collections::HashSet;

use proc_macro2::{Ident, Span};
use typenet_shape::{Graph, Node, Op};

use crate::check::{self, Checked, Segment};

/// The kernel calls of a net.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The calls of the forward pass in order; the backward pass is their mirror.
    pub calls: Vec<Call>,
    /// How many parameter tensors there are.
    pub tensors: usize,
    /// Whether the outputs are logits or plain numbers: the last layer is no `softmax` or `sigmoid`.
    pub logits: bool,
    /// The rows of the table in the documentation, the input first.
    pub rows: Vec<Row>,
}

/// A layer in the documentation.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name, if it was written or is a field's.
    pub name: String,
    /// The keyword with its arguments.
    pub layer: String,
    /// What its attributes make of it: `, frozen`, or nothing.
    pub frozen: &'static str,
    /// The shape of its value.
    pub output: String,
    /// How many parameters it has.
    pub parameters: u64,
    /// Multiply-adds for one image.
    pub multiply_adds: u64,
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Row { name, layer, frozen, output, parameters, multiply_adds } = self;
        write!(f, "{name} | {layer}{frozen} | {output} | {parameters} | {multiply_adds}")
    }
}

/// One kernel call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The node of the graph.
    pub node: usize,
    /// The constant that holds its step.
    pub constant: Ident,
    /// The method of the passes.
    pub method: Ident,
    /// Whether the method takes the layer's parameters.
    pub takes_parameters: bool,
    /// The way to the layer's parameters, if it has any.
    pub field: Option<Vec<Segment>>,
    /// Whether it has a part in the backward pass: something that is trained lies at or before it.
    pub backward: bool,
    /// The keyword of the activation that is computed in the same pass.
    pub fused: Option<&'static str>,
}

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for call in &self.calls {
            write!(f, "{}: {}", call.constant, call.method)?;
            if let Some(fused) = call.fused {
                write!(f, " + {fused}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// The calls of a graph, and none after a mistake.
pub fn plan(checked: &Checked) -> Plan {
    let mut plan = Plan { logits: true, ..Plan::default() };
    let nodes: Option<Vec<Node<'_>>> = checked
        .nodes
        .iter()
        .map(|node| Some(Node { name: &node.name, op: node.op?, inputs: &node.inputs }))
        .collect();
    let Some(nodes) = nodes else { return plan };
    let name = checked.name.to_string();
    let marks: Vec<_> =
        checked.nodes.iter().enumerate().filter_map(|(i, node)| node.attributes(i)).collect();
    let graph = Graph::new(&name, &nodes).with_marks(&marks);
    let trained = trained(&graph);

    let mut taken: HashSet<String> =
        ["NODES", "GRAPH", "SHAPES", "TENSORS", "PLAN"].map(String::from).into();
    for (index, node) in checked.nodes.iter().enumerate() {
        plan.rows.push(row(checked, node));
        let Some(layer) = node.layer.filter(|_| graph.is_step(index)) else { continue };
        plan.calls.push(Call {
            node: index,
            constant: constant(node, &mut taken),
            method: Ident::new(layer.method, Span::mixed_site()),
            takes_parameters: layer.has_parameters(),
            field: node.field.clone().filter(|_| !node.tensors.is_empty()),
            backward: trained[index],
            fused: graph.fused_activation(index).map(|fused| nodes[fused].op.kind()),
        });
    }
    plan.tensors = graph.tensor_count();
    plan.logits = !matches!(nodes.last(), Some(Node { op: Op::Softmax | Op::Sigmoid, .. }));
    plan
}

/// For each node, whether parameters that are trained lie at or before it.
fn trained(graph: &Graph<'_>) -> Vec<bool> {
    let mut trained: Vec<bool> = Vec::with_capacity(graph.nodes.len());
    for (index, node) in graph.nodes.iter().enumerate() {
        let before = node.inputs.iter().any(|&input| trained[input]);
        trained.push(before || graph.trains(index));
    }
    trained
}

fn row(checked: &Checked, node: &check::Node) -> Row {
    let shape_of = |index: &usize| checked.nodes[*index].value.shape();
    let (input, output) = (node.inputs.first().and_then(shape_of), node.value.shape());
    let named = node.written_name.is_some() || node.field.is_some() || node.layer.is_none();
    let layer = node.layer.map_or("", |layer| layer.keyword);
    let arguments = match node.arguments.as_str() {
        "" => String::new(),
        arguments => format!("({arguments})"),
    };
    let parameters = node.tensors.iter().filter(|(kind, _)| kind.is_parameter());
    let frozen = if node.marks.frozen && !node.tensors.is_empty() { ", frozen" } else { "" };
    Row {
        frozen,
        name: if named { node.name.clone() } else { String::new() },
        layer: format!("{layer}{arguments}"),
        output: output.map(|shape| shape.to_string()).unwrap_or_default(),
        parameters: parameters.map(|(_, shape)| shape.elements() as u64).sum(),
        multiply_adds: match (node.op, input, output) {
            (Some(op), Some(input), Some(output)) => op.multiply_adds(input, output),
            _ => 0,
        },
    }
}

/// `CONV1` for `conv1`, `STAGE1_0_CONV1` for `stage1.0.conv1`; unnamed layers without parameters are numbered.
fn constant(node: &check::Node, taken: &mut HashSet<String>) -> Ident {
    let base = node.name.replace('.', "_").to_ascii_uppercase();
    let unnamed = node.written_name.is_none() && node.field.is_none();
    let mut text = if unnamed { format!("{base}_1") } else { base.clone() };
    let mut number = 1;
    while !taken.insert(text.clone()) {
        number += 1;
        text = format!("{base}_{number}");
    }
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
        assert!(plan.logits);
    }

    #[test]
    fn constants_do_not_meet() {
        let plan = plan_of(
            "graph: conv2d(4, 3), Graph: conv2d(4, 3), plan: max_pool2d(2), relu, relu_1: relu, flatten, linear(3)",
        );
        let names: Vec<String> = plan.calls.iter().map(|call| call.constant.to_string()).collect();
        assert_eq!(names, ["GRAPH_2", "GRAPH_3", "PLAN_2", "RELU_1", "RELU_1_2", "LINEAR_1"]);
    }

    #[test]
    fn nets_that_end_in_probabilities_have_no_logits() {
        assert!(!plan_of("flatten, linear(3), softmax").logits);
        assert!(!plan_of("flatten, linear(3), sigmoid").logits);
        assert!(plan_of("flatten, linear(3), sigmoid, relu").logits);
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
                " | relu | [4, 6, 6] | 0 | 0",
                " | flatten | [144] | 0 | 0",
                "linear_1 | linear(3) | [3] | 435 | 432",
            ]
        );
    }
}

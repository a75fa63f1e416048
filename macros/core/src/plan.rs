//! A checked graph to the kernel calls in order. Topology only: which layers make a call, and which
//! activations are fused. Offsets and sizes are constants that `typenet-shape` computes.

use std::collections::HashSet;

use proc_macro2::{Ident, Span};
use quote::format_ident;
use typenet_shape::{Graph, Node, Op};

use crate::check::Checked;

/// The kernel calls of a net.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The calls of the forward pass in order; the backward pass is their mirror.
    pub calls: Vec<Call>,
    /// How many parameter tensors there are.
    pub tensors: usize,
    /// Whether the outputs are logits or plain numbers: the last layer is no `softmax` or `sigmoid`.
    pub logits: bool,
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
    /// The layer's parameters, if it has any.
    pub field: Option<Ident>,
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

/// The calls of a graph; none where a layer is unknown.
pub fn plan(checked: &Checked) -> Plan {
    let nodes: Option<Vec<Node<'_>>> = checked
        .nodes
        .iter()
        .map(|node| Some(Node { name: &node.name, op: node.op?, inputs: &node.inputs }))
        .collect();
    let Some(nodes) = nodes else { return Plan { logits: true, ..Plan::default() } };
    let name = checked.name.to_string();
    let graph = Graph { name: &name, nodes: &nodes };

    let mut taken: HashSet<String> =
        ["NODES", "GRAPH", "SHAPES", "TENSORS", "PLAN"].map(String::from).into();
    let mut calls = Vec::new();
    for (index, node) in checked.nodes.iter().enumerate() {
        let Some(layer) = node.layer.filter(|_| graph.is_step(index)) else { continue };
        calls.push(Call {
            node: index,
            constant: constant(&node.name, node.name == layer.keyword, &mut taken),
            method: format_ident!("{}", layer.method, span = Span::mixed_site()),
            field: node.field.clone(),
            fused: graph.fused_activation(index).map(|fused| nodes[fused].op.kind()),
        });
    }
    let last = nodes.last().map(|node| node.op);
    Plan {
        calls,
        tensors: graph.tensor_count(),
        logits: !matches!(last, Some(Op::Softmax | Op::Sigmoid)),
    }
}

/// `CONV1` for `conv1`; unnamed layers without parameters are numbered.
fn constant(name: &str, numbered: bool, taken: &mut HashSet<String>) -> Ident {
    let base = name.to_uppercase();
    let mut text = if numbered { format!("{base}_1") } else { base.clone() };
    let mut number = 1;
    while !taken.insert(text.clone()) {
        number += 1;
        text = format!("{base}_{number}");
    }
    format_ident!("{text}", span = Span::mixed_site())
}

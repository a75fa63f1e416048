//! Which parameters of a net are trained, and what a training step skips for the others.

use std::ops::Range;

use typenet_kernels::batch_norm::Running;
use typenet_shape::{Graph, Norm, Tensor, TensorKind};

use crate::layout::Layout;

/// Gradients that lie at most this many numbers apart are added up together.
const GAP: usize = 4096;

/// What a backward pass does for a node.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Needs {
    /// Whether some of its own parameters have gradients.
    pub own: bool,
    /// Whether its value has one: something that is trained lies at or before it.
    pub value: bool,
    /// Whether it is a batch norm that uses its running statistics and leaves them as they are.
    pub fixed: bool,
}

/// Which parameters a training step changes, and what follows for its work.
#[derive(Clone, PartialEq, Debug)]
pub struct Trainable {
    /// For each tensor whether it was switched off.
    off: Box<[bool]>,
    /// For each tensor whether a step changes it.
    tensors: Box<[bool]>,
    nodes: Box<[Needs]>,
    /// The ranges of gradients among all parameters' numbers, near ones merged.
    ranges: Box<[Range<usize>]>,
    /// Those of them that each group of images adds to a sum of its own.
    of_groups: Box<[Range<usize>]>,
    /// The ranges of numbers that a step changes, near ones merged.
    changed: Box<[Range<usize>]>,
}

impl Trainable {
    /// What the declaration says.
    pub fn declared(graph: &Graph<'_>, tensors: &[Tensor]) -> Trainable {
        Trainable::new(graph, tensors, vec![false; tensors.len()].into())
    }

    /// What follows where these tensors are switched off.
    pub fn new(graph: &Graph<'_>, tensors: &[Tensor], off: Box<[bool]>) -> Trainable {
        let frozen = |tensor: &Tensor| graph.marks_of(tensor.node).frozen;
        let is_trained: Box<[bool]> = tensors
            .iter()
            .zip(&off)
            .map(|(tensor, off)| tensor.kind.is_parameter() && !off && !frozen(tensor))
            .collect();
        let mut nodes: Box<[Needs]> = vec![Needs::default(); graph.nodes.len()].into();
        for ((tensor, &trained), &off) in tensors.iter().zip(&is_trained).zip(&off) {
            let node = &mut nodes[tensor.node];
            node.own |= trained;
            node.fixed |= tensor.kind == TensorKind::RunningMean && (off || frozen(tensor));
        }
        for (index, node) in graph.nodes.iter().enumerate() {
            nodes[index].value = nodes[index].own || node.inputs.iter().any(|&i| nodes[i].value);
        }
        // All of a layer that has gradients: one kernel computes those of its weight and its bias.
        let has_gradient = |t: &&Tensor| t.kind.is_parameter() && nodes[t.node].own;
        let moves = |t: &&Tensor| !t.kind.is_parameter() && !nodes[t.node].fixed;
        let ranges = near(tensors.iter().filter(has_gradient));
        let at_end =
            |t: &Tensor| t.kind == TensorKind::Weight && graph.nodes[t.node].op.sums_at_end();
        let of_groups = near(tensors.iter().filter(has_gradient).filter(|t| !at_end(t)));
        let changed = near(tensors.iter().filter(|t| has_gradient(t) || moves(t)));
        Trainable { off, tensors: is_trained, nodes, ranges, of_groups, changed }
    }

    /// For each tensor whether it was switched off.
    pub fn off(&self) -> &[bool] {
        &self.off
    }

    /// For each tensor whether a step changes it.
    pub fn tensors(&self) -> &[bool] {
        &self.tensors
    }

    /// What a backward pass does for each node.
    pub fn nodes(&self) -> &[Needs] {
        &self.nodes
    }

    /// What a backward pass does for this node.
    pub fn of(&self, node: usize) -> Needs {
        self.nodes.get(node).copied().unwrap_or_default()
    }

    /// Copies what a step changes, running statistics included, to a copy of all parameters.
    pub fn keep(&self, parameters: &[f32], copy: &mut [f32]) {
        for range in &self.changed {
            copy[range.clone()].copy_from_slice(&parameters[range.clone()]);
        }
    }

    /// Where gradients are.
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// The ranges of the gradients that each group of images adds to a sum of its own. They may contain
    /// others, which are zero there.
    pub fn of_groups(&self) -> &[Range<usize>] {
        &self.of_groups
    }
}

/// The running statistics of a batch norm, copied to `moved`, where a step moves them towards its own.
pub(crate) fn moving<'a>(
    layout: &Layout,
    norm: &Norm,
    parameters: &[f32],
    moved: &'a mut [f32],
) -> Running<'a> {
    let old = |kind| &parameters[layout.place(norm.node, kind)];
    let (mean, variance) = moved.split_at_mut(norm.channels);
    mean.copy_from_slice(old(TensorKind::RunningMean));
    variance.copy_from_slice(old(TensorKind::RunningVar));
    Running { mean, variance, momentum: norm.momentum }
}

/// The running mean and `1 / √(variance + eps)` of a batch norm that uses those while training.
pub fn running(
    layout: &Layout,
    norm: &Norm,
    parameters: &[f32],
    mean: &mut [f32],
    rstd: &mut [f32],
) {
    let place = |kind| &parameters[layout.place(norm.node, kind)];
    mean.copy_from_slice(place(TensorKind::RunningMean));
    for (rstd, &variance) in rstd.iter_mut().zip(place(TensorKind::RunningVar)) {
        *rstd = (1.0 / (f64::from(variance) + f64::from(norm.eps)).sqrt()) as f32;
    }
}

/// The ranges of these tensors' numbers among all parameters, near ones merged.
fn near<'a>(tensors: impl Iterator<Item = &'a Tensor>) -> Box<[Range<usize>]> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for tensor in tensors {
        let range = tensor.offset..tensor.offset + tensor.shape.elements();
        match ranges.last_mut() {
            Some(last) if range.start <= last.end + GAP => last.end = range.end,
            _ => ranges.push(range),
        }
    }
    ranges.into()
}

//! Which of a net's parameters are trained, and what a training step need not do for the others.

use std::ops::Range;

use typenet_shape::{Graph, Norm, Tensor, TensorKind};

use crate::error::nearest;
use crate::layout::Layout;
use crate::{Error, Result};

/// Gradients that lie at most so many numbers apart are added up together.
const GAP: usize = 4096;

/// What a backward pass does for a node.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Needs {
    /// Whether some of its own parameters have gradients.
    pub(crate) own: bool,
    /// Whether its value has one: something that is trained lies at or before it.
    pub(crate) value: bool,
    /// Whether it is a batch norm that uses its running statistics and leaves them as they are.
    pub(crate) fixed: bool,
}

/// Which parameters a training step changes, and what follows for its work.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Trained {
    /// For each tensor whether it was switched off.
    off: Box<[bool]>,
    /// For each tensor whether a step changes it.
    tensors: Box<[bool]>,
    nodes: Box<[Needs]>,
    /// Where gradients are among all parameters' numbers, near ones together.
    ranges: Box<[Range<usize>]>,
    /// Those of them that each group of images adds to a sum of its own.
    of_groups: Box<[Range<usize>]>,
    /// Where numbers are that a step changes, near ones together.
    changed: Box<[Range<usize>]>,
}

impl Trained {
    /// What the declaration says.
    pub(crate) fn declared(graph: &Graph<'_>, tensors: &[Tensor]) -> Trained {
        Trained::new(graph, tensors, vec![false; tensors.len()].into())
    }

    fn new(graph: &Graph<'_>, tensors: &[Tensor], off: Box<[bool]>) -> Trained {
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
        Trained { off, tensors: is_trained, nodes, ranges, of_groups, changed }
    }

    /// The same with the tensors of this path switched on or off.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`] when the path names nothing; [`Error::Frozen`] when all that is to be switched
    /// on is frozen by the declaration.
    pub(crate) fn switched(
        &self,
        graph: &Graph<'_>,
        tensors: &[Tensor],
        path: &str,
        on: bool,
    ) -> Result<Trained> {
        check(path, graph, tensors)?;
        let named = || tensors.iter().filter(|tensor| names(path, graph, tensor));
        if on && named().all(|tensor| graph.marks_of(tensor.node).frozen) {
            let (net, path) = (graph.name.to_owned(), path.to_owned());
            return Err(Error::Frozen { net, path });
        }
        let mut off = self.off.clone();
        for (off, tensor) in off.iter_mut().zip(tensors) {
            if names(path, graph, tensor) {
                *off = !on;
            }
        }
        Ok(Trained::new(graph, tensors, off))
    }

    /// The same with every tensor switched on or off, as far as the declaration lets it.
    pub(crate) fn all_switched(graph: &Graph<'_>, tensors: &[Tensor], on: bool) -> Trained {
        Trained::new(graph, tensors, vec![!on; tensors.len()].into())
    }

    /// Whether a step changes all parameters of this path.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`] when the path names nothing.
    pub(crate) fn all(&self, graph: &Graph<'_>, tensors: &[Tensor], path: &str) -> Result<bool> {
        check(path, graph, tensors)?;
        let named = |tensor: &Tensor| tensor.kind.is_parameter() && names(path, graph, tensor);
        let mut pairs = tensors.iter().zip(&self.tensors);
        Ok(pairs.all(|(tensor, trained)| *trained || !named(tensor)))
    }

    /// For each tensor whether a step changes it.
    pub(crate) fn tensors(&self) -> &[bool] {
        &self.tensors
    }

    pub(crate) fn nodes(&self) -> &[Needs] {
        &self.nodes
    }

    pub(crate) fn of(&self, node: usize) -> Needs {
        self.nodes.get(node).copied().unwrap_or_default()
    }

    /// Copies what a step changes, running statistics included, to a copy of all parameters.
    pub(crate) fn keep(&self, parameters: &[f32], copy: &mut [f32]) {
        for range in &self.changed {
            copy[range.clone()].copy_from_slice(&parameters[range.clone()]);
        }
    }

    /// Where gradients are.
    pub(crate) fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// Where the gradients are that each group of images adds to a sum of its own; maybe some others
    /// between them, which are zero there.
    pub(crate) fn of_groups(&self) -> &[Range<usize>] {
        &self.of_groups
    }
}

/// The running mean and `1 / √(variance + eps)` of a batch norm that uses those while training.
pub(crate) fn running(
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

/// Where these tensors' numbers are among all parameters, near ones together.
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

/// Whether `path` names this tensor: whole steps of its name `layer.kind`, from the front, in the
/// declaration or in weight files.
pub(crate) fn names(path: &str, graph: &Graph<'_>, tensor: &Tensor) -> bool {
    let names = |layer: &str| match path.strip_prefix(layer) {
        Some("") => true,
        Some(rest) => rest.strip_prefix('.') == Some(tensor.kind.name()),
        None => !path.is_empty() && layer.strip_prefix(path).is_some_and(|s| s.starts_with('.')),
    };
    names(graph.nodes[tensor.node].name) || names(graph.file_name(tensor.node))
}

/// Checks that `path` names a tensor.
///
/// # Errors
/// [`Error::UnknownLayer`] with the name that was likely meant, or those that there are.
pub(crate) fn check(path: &str, graph: &Graph<'_>, tensors: &[Tensor]) -> Result<()> {
    if tensors.iter().any(|tensor| names(path, graph, tensor)) {
        return Ok(());
    }
    let mut layers: Vec<&str> = tensors.iter().map(|t| graph.nodes[t.node].name).collect();
    layers.dedup();
    // Every start of a path, too: `stage1` of `stage1.0.conv1`.
    let mut candidates: Vec<String> = Vec::new();
    for tensor in tensors {
        let layer = graph.nodes[tensor.node].name;
        let starts = layer.match_indices('.').map(|(at, _)| layer[..at].to_owned());
        candidates.extend(starts.chain([layer.to_owned()]));
        candidates.push(format!("{layer}.{}", tensor.kind.name()));
    }
    Err(Error::UnknownLayer {
        net: graph.name.to_owned(),
        name: path.to_owned(),
        nearest: nearest(path, candidates.into_iter()),
        with_parameters: layers.into_iter().map(ToOwned::to_owned).collect(),
    })
}

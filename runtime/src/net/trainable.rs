//! Paths that name layers and tensors, and the switch that makes their parameters trainable.

use typenet_engine::Trainable;
use typenet_shape::{Graph, Tensor};

use crate::error::nearest;
use crate::{Error, Result};

/// `trainable` with the tensors of this path switched on or off.
///
/// # Errors
/// [`Error::UnknownLayer`] when the path names nothing; [`Error::Frozen`] when the declaration freezes
/// all that is to be switched on.
pub(crate) fn switched(
    trainable: &Trainable,
    graph: &Graph<'_>,
    tensors: &[Tensor],
    path: &str,
    on: bool,
) -> Result<Trainable> {
    check(path, graph, tensors)?;
    let named = || tensors.iter().filter(|tensor| names(path, graph, tensor));
    if on && named().all(|tensor| graph.marks_of(tensor.node).frozen) {
        let (net, path) = (graph.name.to_owned(), path.to_owned());
        return Err(Error::Frozen { net, path });
    }
    let off = trainable.off().iter().zip(tensors);
    let off = off.map(|(&off, tensor)| if names(path, graph, tensor) { !on } else { off });
    Ok(Trainable::new(graph, tensors, off.collect()))
}

/// Whether a step changes all parameters of this path.
///
/// # Errors
/// [`Error::UnknownLayer`] when the path names nothing.
pub(crate) fn all(
    trainable: &Trainable,
    graph: &Graph<'_>,
    tensors: &[Tensor],
    path: &str,
) -> Result<bool> {
    check(path, graph, tensors)?;
    let named = |tensor: &Tensor| tensor.kind.is_parameter() && names(path, graph, tensor);
    let mut pairs = tensors.iter().zip(trainable.tensors());
    Ok(pairs.all(|(tensor, trained)| *trained || !named(tensor)))
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

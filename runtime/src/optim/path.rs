//! Which tensors of a net a path names: `fc1` is every tensor of the layer `fc1`, or of the layers
//! below a structure of that name; `fc1.bias` is that tensor alone.

use typenet_shape::{Graph, Tensor};

use super::argument;
use crate::Result;

/// Whether `path` names this tensor: whole steps of its name `layer.kind`, from the front.
pub(super) fn names(path: &str, graph: &Graph<'_>, tensor: &Tensor) -> bool {
    let layer = graph.nodes[tensor.node].name;
    match path.strip_prefix(layer) {
        Some("") => true,
        Some(rest) => rest.strip_prefix('.') == Some(tensor.kind.name()),
        None => !path.is_empty() && layer.strip_prefix(path).is_some_and(|s| s.starts_with('.')),
    }
}

/// Checks that `path` names a tensor.
///
/// # Errors
/// [`Error::Argument`](crate::Error::Argument) with the names that there are.
pub(super) fn check(
    argument_name: &'static str,
    path: &str,
    graph: &Graph<'_>,
    tensors: &[Tensor],
) -> Result<()> {
    if tensors.iter().any(|tensor| names(path, graph, tensor)) {
        return Ok(());
    }
    let mut layers: Vec<&str> = tensors.iter().map(|t| graph.nodes[t.node].name).collect();
    layers.dedup();
    Err(argument(
        argument_name,
        format!("\"{path}\" (the layers with parameters are {})", layers.join(", ")),
        "a layer, a tensor such as `fc1.bias`, or the start of a layer's path is needed",
    ))
}

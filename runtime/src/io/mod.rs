//! Weight files.
use std::path::Path;

use typenet_shape::{Graph, Tensor};

use crate::{Metadata, Result};

pub(crate) fn save(path: &Path, graph: &Graph<'_>, tensors: &[Tensor], parameters: &[f32], metadata: &Metadata) -> Result<()> {
    let _ = (path, graph, tensors, parameters, metadata);
    todo!()
}
pub(crate) fn load(path: &Path, graph: &Graph<'_>, tensors: &[Tensor], parameters: &mut [f32]) -> Result<Metadata> {
    let _ = (path, graph, tensors, parameters);
    todo!()
}

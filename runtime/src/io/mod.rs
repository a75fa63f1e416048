//! Weight files in the safetensors format.
//!
//! Each parameter tensor is stored as little-endian F32 under `<layer>.<weight or bias>`, in the shape and
//! order of dimensions that PyTorch uses. Running statistics are `<layer>.running_mean` and
//! `<layer>.running_var`. So PyTorch reads these files, and its files are read here; `num_batches_tracked` is
//! ignored. F16, BF16 and F64 are read too. [`LoadOptions`] read files with other names. Beside the tensors,
//! the file's `__metadata__` holds, as far as they are known:
//!
//! | key | value |
//! |---|---|
//! | `class_names` | a JSON array of strings: `["cat","dog"]` |
//! | `mean`, `std` | JSON arrays of one number a channel: `[0.5]` |
//!
//! Other keys are ignored. The same net always gives the same bytes.

mod atomic;
mod bytes;
mod checked;
mod floats;
mod names;
mod options;
mod read;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_large;
#[cfg(test)]
mod tests_options;
mod write;

use typenet_shape::{Graph, Tensor};

pub(crate) use atomic::replace;
pub(crate) use checked::{Checked, Entry, Numbers, write_checked};
pub(crate) use floats::read_numbers;
pub use options::LoadOptions;
pub(crate) use read::read_metadata_texts;
pub(crate) use read::{decode, load, load_part, load_weights};
pub(crate) use write::{encode, metadata_texts, save};

/// The name of a parameter tensor in weight files: `conv1.weight`, or as `#[name("…")]` says.
///
/// ```
/// use typenet_runtime::io::tensor_name;
/// use typenet_shape::{Graph, Node, Op, Shape, Tensor};
///
/// const GRAPH: Graph<'static> = Graph::new(
///     "Line",
///     &[
///         Node { name: "input", op: Op::Input { shape: Shape::new(&[3]) }, inputs: &[] },
///         Node { name: "fc", op: Op::Linear { out_features: 2, bias: true }, inputs: &[0] },
///     ],
/// );
/// let tensors: [Tensor; 2] = GRAPH.tensors::<2, 2>();
/// assert_eq!(tensors.map(|tensor| tensor_name(&GRAPH, &tensor)), ["fc.weight", "fc.bias"]);
/// ```
pub fn tensor_name(graph: &Graph<'_>, tensor: &Tensor) -> String {
    format!("{}.{}", graph.file_name(tensor.node), tensor.kind.name())
}

/// The keys in `__metadata__`.
mod keys {
    pub(super) const CLASS_NAMES: &str = "class_names";
    pub(super) const MEAN: &str = "mean";
    pub(super) const STD: &str = "std";
}

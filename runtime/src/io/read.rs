use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use safetensors::{Dtype, SafeTensorError, SafeTensors};
use serde_json::Value;
use typenet_shape::{Graph, Node, Op, Tensor};

use super::{keys, tensor_name};
use crate::error::nearest;
use crate::{Error, Metadata, Normalization, Result};

/// The bytes before the header: its length.
const START: usize = size_of::<u64>();

/// As [`decode`], from a file.
///
/// # Errors
/// [`Error::Io`], or as `decode`.
pub(crate) fn load(
    path: &Path,
    graph: &Graph<'_>,
    tensors: &[Tensor],
    parameters: &mut [f32],
) -> Result<Metadata> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    decode(&bytes, path, graph, tensors, parameters)
}

/// Reads the parameters into `parameters`, which stay as they are on an error, and returns what is
/// stored beside them. `path` is what an error calls the bytes.
///
/// # Errors
/// [`Error::Format`] when it is no safetensors file, or its class names or normalisation are not
/// what they should be, or [`Error::Weights`] with every tensor that is missing, extra, or of
/// another shape or type.
pub(crate) fn decode(
    bytes: &[u8],
    path: &Path,
    graph: &Graph<'_>,
    tensors: &[Tensor],
    parameters: &mut [f32],
) -> Result<Metadata> {
    let name = |tensor: &Tensor| tensor_name(graph, tensor);
    decode_named(bytes, path, graph.name, tensors.iter(), &name, parameters)
}

/// As [`decode`], into the net that is the layer `part`: the file is one of that net.
///
/// # Errors
/// As `decode`, or [`Error::UnknownLayer`].
pub(crate) fn decode_part(
    bytes: &[u8],
    path: &Path,
    part: &str,
    graph: &Graph<'_>,
    tensors: &[Tensor],
    parameters: &mut [f32],
) -> Result<()> {
    let is_net = |node: &Node<'_>| matches!(node.op, Op::NetOutput { .. });
    let last = graph.nodes.iter().position(|node| node.name == part && is_net(node));
    let Some(last) = last else {
        let nets = graph.nodes.iter().filter(|node| is_net(node)).map(|node| node.name);
        return Err(Error::UnknownLayer {
            net: graph.name.to_owned(),
            name: part.to_owned(),
            nearest: nearest(part, nets).map(str::to_owned),
            with_parameters: Vec::new(),
        });
    };
    let within = format!("{part}.");
    let own = tensors.iter().filter(|tensor| graph.nodes[tensor.node].name.starts_with(&within));
    let prefix = match graph.file_name(last) {
        "" => String::new(),
        name => format!("{name}."),
    };
    let name = |tensor: &Tensor| {
        let whole = tensor_name(graph, tensor);
        whole.strip_prefix(&prefix).unwrap_or(&whole).to_owned()
    };
    decode_named(bytes, path, graph.nodes[last].op.kind(), own, &name, parameters).map(drop)
}

fn decode_named<'t>(
    bytes: &[u8],
    path: &Path,
    net: &str,
    tensors: impl Iterator<Item = &'t Tensor>,
    tensor_name: &dyn Fn(&Tensor) -> String,
    parameters: &mut [f32],
) -> Result<Metadata> {
    let format = |offset: usize, problem: String| Error::Format {
        path: path.to_owned(),
        offset: offset as u64,
        problem,
    };
    let parse = |error| {
        let (offset, problem) = explain(&error, bytes);
        format(offset, problem)
    };
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(parse)?;
    let file = SafeTensors::deserialize(bytes).map_err(parse)?;
    let metadata = match header.metadata() {
        Some(texts) => {
            // The crate's map is not the standard library's, unless some other crate asks for that.
            let texts = texts.iter().map(|(key, text)| (key.clone(), text.clone())).collect();
            metadata(&texts).map_err(|problem| format(START, problem))?
        }
        None => Metadata::default(),
    };

    let (mut missing, mut misshaped) = (Vec::new(), Vec::new());
    let mut extra: BTreeSet<&str> = file.names().into_iter().collect();
    // PyTorch counts the batches that a batch norm has met; nothing here needs that number.
    extra.retain(|name| !name.ends_with(".num_batches_tracked"));
    let mut found = Vec::new();
    for tensor in tensors {
        let name = tensor_name(tensor);
        extra.remove(name.as_str());
        let Ok(view) = file.tensor(&name) else {
            missing.push(format!("{name} {}", tensor.shape));
            continue;
        };
        let same_shape = view.shape() == tensor.shape.dims();
        if view.dtype() != Dtype::F32 || !same_shape {
            let (dtype, shape) = (view.dtype(), view.shape());
            misshaped.push(match view.dtype() {
                Dtype::F32 => format!("{name}: {} in the net, {shape:?} in the file", tensor.shape),
                _ => format!(
                    "{name}: F32 {} in the net, {dtype} {shape:?} in the file",
                    tensor.shape
                ),
            });
            continue;
        }
        found.push((tensor, view));
    }
    if !(missing.is_empty() && extra.is_empty() && misshaped.is_empty()) {
        return Err(Error::Weights {
            path: path.to_owned(),
            net: net.to_owned(),
            missing,
            extra: extra.into_iter().map(String::from).collect(),
            misshaped,
        });
    }

    for (tensor, view) in found {
        let numbers = &mut parameters[tensor.offset..][..tensor.shape.elements()];
        let (bytes, _) = view.data().as_chunks();
        for (number, &bytes) in numbers.iter_mut().zip(bytes) {
            *number = f32::from_le_bytes(bytes);
        }
    }
    Ok(metadata)
}

/// Where and why these bytes are no safetensors file.
fn explain(error: &SafeTensorError, bytes: &[u8]) -> (usize, String) {
    let Some((length, rest)) = bytes.split_first_chunk::<START>() else {
        let problem =
            "the file ends here; a safetensors file starts with the 8 bytes of its header's length";
        return (bytes.len(), problem.into());
    };
    let length = u64::from_le_bytes(*length);
    let header = usize::try_from(length).ok().and_then(|length| rest.get(..length));
    match (error, header) {
        (SafeTensorError::HeaderTooLarge, _) => {
            (0, format!("this is no safetensors file: it would have a header of {length} bytes"))
        }
        (_, None) => (bytes.len(), format!("the file ends here; its header has {length} bytes")),
        (SafeTensorError::MetadataIncompleteBuffer, Some(header)) => {
            let start = START + header.len();
            match serde_json::from_slice::<safetensors::tensor::Metadata>(header) {
                Ok(tensors) if start + tensors.data_len() < bytes.len() => (
                    start + tensors.data_len(),
                    "the file goes on; by its header it ends here".into(),
                ),
                Ok(tensors) => {
                    let size = start.saturating_add(tensors.data_len());
                    (bytes.len(), format!("the file ends here; by its header it has {size} bytes"))
                }
                Err(error) => (START, format!("the header cannot be read: {error}")),
            }
        }
        (error, Some(_)) => (START, format!("the header cannot be read: {error}")),
    }
}

fn metadata(texts: &HashMap<String, String>) -> Result<Metadata, String> {
    let class_names =
        array(texts, keys::CLASS_NAMES, "strings", |name| name.as_str().map(String::from))?;
    let mean = numbers(texts, keys::MEAN)?;
    let std = numbers(texts, keys::STD)?;
    let normalization = match (mean, std) {
        (None, None) => None,
        (Some(mean), Some(std)) if mean.len() == std.len() => {
            if let Some(std) = std.iter().find(|std| **std <= 0.0) {
                return Err(format!(
                    "`{}` in `__metadata__` holds {std}, which is not above 0",
                    keys::STD
                ));
            }
            Some(Normalization { mean, std })
        }
        (mean, std) => {
            let [mean, std] = [mean, std].map(|numbers| numbers.map_or(0, |numbers| numbers.len()));
            return Err(format!("`__metadata__` has {mean} numbers of `mean` and {std} of `std`"));
        }
    };
    Ok(Metadata { class_names: class_names.unwrap_or_default(), normalization })
}

fn numbers(texts: &HashMap<String, String>, key: &str) -> Result<Option<Vec<f32>>, String> {
    array(texts, key, "numbers that fit in f32", |number| {
        number.as_f64().map(|number| number as f32).filter(|number| number.is_finite())
    })
}

/// The array at `key`, if there is one; each element through `element`.
fn array<T>(
    texts: &HashMap<String, String>,
    key: &str,
    kind: &str,
    element: impl Fn(&Value) -> Option<T>,
) -> Result<Option<Vec<T>>, String> {
    let Some(text) = texts.get(key) else { return Ok(None) };
    let array = match serde_json::from_str(text) {
        Ok(Value::Array(values)) => values.iter().map(element).collect(),
        _ => None,
    };
    match array {
        Some(array) => Ok(Some(array)),
        None => Err(format!("`{key}` in `__metadata__` is no JSON array of {kind}")),
    }
}

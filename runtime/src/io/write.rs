use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use typenet_shape::{Graph, Tensor};

use super::floats::append;
use super::{keys, replace, tensor_name};
use crate::{Error, Metadata, Result};

/// Writes the parameters and what is stored beside them. The file at `path` is replaced at the end,
/// in one go, and stays as it was on an error.
///
/// # Errors
/// [`Error::Io`] when the file cannot be written, [`Error::Argument`] or [`Error::Size`] when the
/// normalisation is invalid: not finite (JSON has no such numbers), a std not above 0, unequally long.
pub(crate) fn save(
    path: &Path,
    graph: &Graph<'_>,
    tensors: &[Tensor],
    parameters: &[f32],
    metadata: &Metadata,
) -> Result<()> {
    let bytes = encode(graph, tensors, parameters, metadata)?;
    replace(path, |file| file.write_all(&bytes))
}

/// The bytes of a weight file.
///
/// # Errors
/// As [`save`], but for the file.
pub(crate) fn encode(
    graph: &Graph<'_>,
    tensors: &[Tensor],
    parameters: &[f32],
    metadata: &Metadata,
) -> Result<Vec<u8>> {
    let header = header(graph, tensors, metadata)?;
    let numbers: usize = tensors.iter().map(|tensor| tensor.shape.elements()).sum();
    let mut bytes = Vec::with_capacity(8 + header.len() + size_of::<f32>() * numbers);
    bytes.extend_from_slice(&(header.len() as u64).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    for tensor in tensors {
        let numbers = &parameters[tensor.offset..][..tensor.shape.elements()];
        append(numbers, &mut bytes);
    }
    Ok(bytes)
}

/// The header of the file. It is written here because the crate `safetensors` keeps metadata in a
/// hash map, whose order would make the bytes differ from save to save.
fn header(graph: &Graph<'_>, tensors: &[Tensor], metadata: &Metadata) -> Result<String> {
    let mut header = BTreeMap::new();
    let texts = metadata_texts(metadata)?;
    if !texts.is_empty() {
        header.insert("__metadata__".to_string(), json!(texts));
    }
    let mut start = 0;
    for tensor in tensors {
        let end = start + size_of::<f32>() * tensor.shape.elements();
        let entry = json!({
            "dtype": "F32",
            "shape": tensor.shape.dims(),
            "data_offsets": [start, end],
        });
        header.insert(tensor_name(graph, tensor), entry);
        start = end;
    }
    let mut header = json!(header).to_string();
    // The format's own rule: numbers start at a multiple of 8 bytes.
    while header.len() % 8 != 0 {
        header.push(' ');
    }
    Ok(header)
}

/// What is stored beside the parameters, by its keys.
///
/// # Errors
/// As [`save`], but for the file.
pub(crate) fn metadata_texts(metadata: &Metadata) -> Result<BTreeMap<&'static str, String>> {
    let mut texts = BTreeMap::new();
    if !metadata.class_names.is_empty() {
        texts.insert(keys::CLASS_NAMES, json!(metadata.class_names).to_string());
    }
    if let Some(normalization) = &metadata.normalization {
        let (mean, std) = (&normalization.mean, &normalization.std);
        if mean.len() != std.len() {
            return Err(Error::size("channels of the std", mean.len(), std.len()));
        }
        texts.insert(keys::MEAN, numbers(mean, |mean| mean.is_finite())?);
        texts.insert(keys::STD, numbers(std, |std| std.is_finite() && std > 0.0)?);
    }
    Ok(texts)
}

/// Numbers as a JSON array; `allowed` is false for those that could not be read back or used.
fn numbers(numbers: &[f32], allowed: impl Fn(f32) -> bool) -> Result<String> {
    match numbers.iter().find(|number| !allowed(**number)) {
        None => {
            // As f64, so that reading it back gives the very same f32.
            Ok(json!(numbers.iter().copied().map(f64::from).collect::<Vec<f64>>()).to_string())
        }
        Some(number) => Err(Error::Argument {
            name: "normalization",
            value: number.to_string(),
            expected: "a finite mean and a finite std above 0",
        }),
    }
}

//! The header of a safetensors file: <https://huggingface.co/docs/safetensors>.

use std::collections::{HashMap, HashSet};

use typenet_shape::size_of_number;

use super::json::Reader;

/// The bytes before the header: its length.
const START: usize = size_of::<u64>();

/// The longest header that the format allows.
const LONGEST: u64 = 100_000_000;

/// The content of a header.
#[derive(Clone, Debug, Default)]
pub struct Header {
    /// Where the numbers start, in bytes from the start of the file.
    pub start: usize,
    /// The tensors in the order in which their numbers stand in the file.
    pub tensors: Vec<Tensor>,
    /// The classes' names; empty where the file has none.
    pub class_names: Vec<String>,
    /// How images are normalised, if the file says so.
    pub normalization: Option<Normalization>,
}

/// The mean and standard deviation of each input channel.
#[derive(Clone, Debug)]
pub struct Normalization {
    /// The means.
    pub mean: Vec<f32>,
    /// The standard deviations.
    pub std: Vec<f32>,
}

/// A tensor in a header.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// The type of its numbers, by the format's name for it.
    pub dtype: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Where its numbers start and end, in bytes behind the header.
    pub range: [usize; 2],
}

/// Reads the header of a whole file.
///
/// # Errors
/// Where and why it is no safetensors file, or holds metadata that `load` refuses.
pub(super) fn read(bytes: &[u8]) -> Result<Header, (usize, String)> {
    let Some((length, rest)) = bytes.split_first_chunk::<START>() else {
        let problem =
            "the file ends here; a safetensors file starts with the 8 bytes of its header's length";
        return Err((bytes.len(), problem.into()));
    };
    let length = u64::from_le_bytes(*length);
    if length > LONGEST {
        let problem =
            format!("this is no safetensors file: it would have a header of {length} bytes");
        return Err((0, problem));
    }
    let length = length as usize;
    let Some(text) = rest.get(..length) else {
        return Err((bytes.len(), format!("the file ends here; its header has {length} bytes")));
    };
    let text = std::str::from_utf8(text)
        .map_err(|error| (START + error.valid_up_to(), "the header is not UTF-8".into()))?;
    let mut reader = Reader::new(text);
    let entries = entries(&mut reader).map_err(|problem| (START + reader.at, problem))?;
    let mut header =
        Header { start: START + length, tensors: entries.tensors, ..Header::default() };
    // As long as the tensors are behind one another, none of two can be the other's.
    header.tensors.sort_by_key(|tensor| tensor.range);
    let mut end = 0;
    for tensor in &header.tensors {
        let [start, own_end] = tensor.range;
        if start != end || own_end < start || is_other_size(tensor) {
            let problem = format!("`{}` has no place of its own in the file", tensor.name);
            return Err((START, problem));
        }
        end = own_end;
    }
    let found = rest.len() - length;
    if found < end {
        let size = header.start.saturating_add(end);
        let problem = format!("the file ends here; by its header it has {size} bytes");
        return Err((bytes.len(), problem));
    }
    if found > end {
        return Err((header.start + end, "the file goes on; by its header it ends here".into()));
    }
    metadata(&entries.metadata, &mut header).map_err(|problem| (START, problem))?;
    Ok(header)
}

/// What stands in a header, unchecked.
#[derive(Default)]
struct Entries {
    tensors: Vec<Tensor>,
    metadata: HashMap<String, String>,
}

fn entries(reader: &mut Reader<'_>) -> Result<Entries, String> {
    let mut entries = Entries::default();
    let mut names = HashSet::new();
    reader.list(*b"{}", |reader| {
        let name = reader.key()?;
        if !names.insert(name.clone()) {
            return Err(format!("`{name}` is there twice"));
        }
        if name == "__metadata__" {
            return reader.list(*b"{}", |reader| {
                let key = reader.key()?;
                entries.metadata.insert(key, reader.text()?);
                Ok(())
            });
        }
        entries.tensors.push(tensor(reader, name)?);
        Ok(())
    })?;
    reader.end()?;
    Ok(entries)
}

fn tensor(reader: &mut Reader<'_>, name: String) -> Result<Tensor, String> {
    let (mut dtype, mut shape, mut offsets) = (None, None, None);
    reader.list(*b"{}", |reader| {
        match reader.key()?.as_str() {
            "dtype" => dtype = Some(reader.text()?),
            "shape" => shape = Some(wholes(reader)?),
            "data_offsets" => offsets = Some(wholes(reader)?),
            key => return Err(format!("`{name}` has a `{key}`, which this format knows not")),
        }
        Ok(())
    })?;
    let range = offsets.and_then(|offsets| <[usize; 2]>::try_from(offsets).ok());
    match (dtype, shape, range) {
        (Some(dtype), Some(shape), Some(range)) => Ok(Tensor { name, dtype, shape, range }),
        _ => Err(format!("`{name}` lacks its type, its shape or its place")),
    }
}

fn wholes(reader: &mut Reader<'_>) -> Result<Vec<usize>, String> {
    let mut numbers = Vec::new();
    reader.list(*b"[]", |reader| {
        numbers.push(reader.whole()?);
        Ok(())
    })?;
    Ok(numbers)
}

/// Whether a tensor's numbers take another room than it has; of types that no net has nobody asks.
fn is_other_size(tensor: &Tensor) -> bool {
    let Some(size) = size_of_number(&tensor.dtype) else { return false };
    let bytes = tensor.shape.iter().try_fold(size, |bytes, &dim| bytes.checked_mul(dim));
    bytes != tensor.range[1].checked_sub(tensor.range[0])
}

/// What is stored beside the tensors, by the rules of `load`.
fn metadata(texts: &HashMap<String, String>, header: &mut Header) -> Result<(), String> {
    let names = array(texts, "class_names", "strings", |reader| reader.text())?;
    header.class_names = names.unwrap_or_default();
    let kind = "numbers that fit in f32";
    let mean = array(texts, "mean", kind, |reader| reader.real())?;
    let std = array(texts, "std", kind, |reader| reader.real())?;
    header.normalization = match (mean, std) {
        (None, None) => None,
        (Some(mean), Some(std)) if mean.len() == std.len() => {
            if let Some(std) = std.iter().find(|std| **std <= 0.0) {
                return Err(format!("`std` in `__metadata__` holds {std}, which is not above 0"));
            }
            Some(Normalization { mean, std })
        }
        (mean, std) => {
            let [mean, std] = [mean, std].map(|numbers| numbers.map_or(0, |numbers| numbers.len()));
            return Err(format!("`__metadata__` has {mean} numbers of `mean` and {std} of `std`"));
        }
    };
    Ok(())
}

/// The array at `key`, if there is one.
fn array<T>(
    texts: &HashMap<String, String>,
    key: &str,
    kind: &str,
    item: impl Fn(&mut Reader<'_>) -> Result<T, String>,
) -> Result<Option<Vec<T>>, String> {
    let Some(text) = texts.get(key) else { return Ok(None) };
    let (mut reader, mut items) = (Reader::new(text), Vec::new());
    let read = reader.list(*b"[]", |reader| {
        items.push(item(reader)?);
        Ok(())
    });
    match read.and_then(|()| reader.end()) {
        Ok(()) => Ok(Some(items)),
        Err(_) => Err(format!("`{key}` in `__metadata__` is no JSON array of {kind}")),
    }
}

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{SafeTensorError, SafeTensors};
use serde_json::Value;
use typenet_shape::{Graph, Node, Op, Tensor};

use super::bytes::Content;
use super::names::{self, Advice};
use super::options::LoadOptions;
use super::{bytes, floats, keys, tensor_name};
use crate::error::{LoadHelp, nearest};
use crate::{Error, Metadata, Normalization, Result};

/// The bytes before the header: its length.
const START: usize = size_of::<u64>();

/// A call that reads weights: for errors.
#[derive(Clone, Copy)]
enum Call<'a> {
    Load(&'a str),
    FromBytes(&'a str),
    LoadPart(&'a str),
    LoadWeights,
}

impl Call<'_> {
    /// The same call with these options.
    fn with(self, path: &Path, options: &LoadOptions) -> String {
        let options = options.code();
        let path = path.display().to_string();
        match self {
            Call::Load(net) => format!("{net}::load_with({path:?}, &{options})"),
            Call::FromBytes(net) => format!("{net}::from_bytes_with(bytes, &{options})"),
            Call::LoadPart(part) => {
                format!("net.load_part_with({part:?}, {path:?}, &{options})")
            }
            Call::LoadWeights => format!("net.load_weights({path:?}, &{options})"),
        }
    }
}

/// As [`decode`], from a file, but that after an error the parameters may hold anything: a large file is read tensor
/// by tensor.
///
/// # Errors
/// [`Error::Io`], or as `decode`.
pub(crate) fn load(
    path: &Path,
    options: &LoadOptions,
    graph: &Graph<'_>,
    tensors: &[Tensor],
    parameters: &mut [f32],
) -> Result<Metadata> {
    options.for_new_net()?;
    let call = Call::Load(graph.name);
    let (bytes, behind) = match bytes::read_start(path)? {
        Content::All(bytes) => (bytes, None),
        Content::Start(bytes, file) => (bytes, Some(file)),
    };
    let file = WeightFile { bytes: &bytes, behind: behind.as_ref(), path, options, call };
    file.read_net(graph, tensors, parameters)
}

/// As [`load`], into the parameters of a net, of which some may stay as they are. After an error all do.
///
/// # Errors
/// As `load`.
pub(crate) fn load_weights(
    path: &Path,
    options: &LoadOptions,
    graph: &Graph<'_>,
    tensors: &[Tensor],
    parameters: &mut [f32],
) -> Result<Metadata> {
    let bytes = bytes::read(path)?;
    let call = Call::LoadWeights;
    let file = WeightFile { bytes: &bytes, behind: None, path, options, call };
    file.read_net(graph, tensors, parameters)
}

/// Reads the parameters into `parameters`, which stay as they are on an error, and returns what is
/// stored beside them.
///
/// # Errors
/// [`Error::Format`] when it is no safetensors file, or its class names or normalisation are not
/// what they should be, [`Error::Weights`] with every tensor that is missing, extra, or of another
/// shape or type, or [`Error::NotFiniteWeights`].
pub(crate) fn decode(
    bytes: &[u8],
    options: &LoadOptions,
    graph: &Graph<'_>,
    tensors: &[Tensor],
    parameters: &mut [f32],
) -> Result<Metadata> {
    options.for_new_net()?;
    let (path, call) = (Path::new("the bytes"), Call::FromBytes(graph.name));
    WeightFile { bytes, behind: None, path, options, call }.read_net(graph, tensors, parameters)
}

/// As [`load`], into the net that is the layer `part`: the file is one of that net.
///
/// # Errors
/// As `load`, or [`Error::UnknownLayer`].
pub(crate) fn load_part(
    path: &Path,
    options: &LoadOptions,
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
    let bytes = bytes::read(path)?;
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
    let call = Call::LoadPart(part);
    let file = WeightFile { bytes: &bytes, behind: None, path, options, call };
    file.read(graph.nodes[last].op.kind(), own, &name, parameters).map(drop)
}

/// The content of a weight file, and how to read it.
#[derive(Clone, Copy)]
struct WeightFile<'a> {
    bytes: &'a [u8],
    /// Where the tensors' bytes are read, if those here are zeros in their place.
    behind: Option<&'a File>,
    /// What an error calls the bytes.
    path: &'a Path,
    options: &'a LoadOptions,
    call: Call<'a>,
}

impl WeightFile<'_> {
    fn format(&self, offset: usize, problem: String) -> Error {
        Error::Format { path: self.path.to_owned(), offset: offset as u64, problem }
    }

    /// The tensors of a whole net.
    fn read_net(
        &self,
        graph: &Graph<'_>,
        tensors: &[Tensor],
        parameters: &mut [f32],
    ) -> Result<Metadata> {
        let name = |tensor: &Tensor| tensor_name(graph, tensor);
        self.read(graph.name, tensors.iter(), &name, parameters)
    }

    fn read<'t>(
        &self,
        net: &str,
        tensors: impl Iterator<Item = &'t Tensor> + Clone,
        tensor_name: &dyn Fn(&Tensor) -> String,
        parameters: &mut [f32],
    ) -> Result<Metadata> {
        let parse = |error| {
            let (offset, problem) = explain(&error, self.bytes);
            self.format(offset, problem)
        };
        let (_, header) = SafeTensors::read_metadata(self.bytes).map_err(parse)?;
        let file = SafeTensors::deserialize(self.bytes).map_err(parse)?;
        let metadata = match header.metadata() {
            Some(texts) => {
                // The crate's map is not the standard library's, unless some other crate asks for that.
                let texts = texts.iter().map(|(key, text)| (key.clone(), text.clone())).collect();
                metadata(&texts).map_err(|problem| self.format(START, problem))?
            }
            None => Metadata::default(),
        };

        let names = self.names(&file)?;
        let mut extra: BTreeSet<&str> = names.keys().map(AsRef::as_ref).collect();
        // PyTorch counts the batches that a batch norm has met; nothing here needs that number.
        extra.retain(|name| !name.ends_with(".num_batches_tracked") && !self.options.keeps(name));
        let (mut missing, mut misshaped) = (Vec::new(), Vec::new());
        let (mut found, mut own) = (Vec::new(), Vec::new());
        for tensor in tensors.clone() {
            let name = tensor_name(tensor);
            if self.options.keeps(&name) {
                continue;
            }
            own.push(name);
            let name = &own[own.len() - 1];
            let view = names.get(name.as_str()).and_then(|name| file.tensor(name).ok());
            let Some(view) = view else {
                missing.push(format!("{name} {}", tensor.shape));
                continue;
            };
            let (dtype, shape) = (view.dtype(), view.shape());
            if !floats::is_read(dtype) {
                let expected = format!("F32 {} in the net", tensor.shape);
                misshaped.push(format!("{name}: {expected}, {dtype} {shape:?} in the file"));
            } else if shape != tensor.shape.dims() {
                misshaped
                    .push(format!("{name}: {} in the net, {shape:?} in the file", tensor.shape));
            } else {
                found.push((tensor, view));
            }
        }
        let all = extra.clone();
        for name in &own {
            extra.remove(name.as_str());
        }
        if !(missing.is_empty() && extra.is_empty() && misshaped.is_empty()) {
            let advice = names::advice(&own, &all, self.options);
            let help = |Advice { options, why }: Advice| {
                Box::new(LoadHelp { why, call: self.call.with(self.path, &options) })
            };
            let all_there = missing.is_empty() && extra.is_empty();
            let keep = names::keep(&misshaped, self.options).filter(|_| all_there);
            let keep = keep.map(|Advice { options, why }| {
                let call = Call::LoadWeights.with(self.path, &options);
                Box::new(LoadHelp { why, call })
            });
            let in_file = |name: &str| match names.get(name) {
                Some(&original) if original != name => format!("{name} (in the file {original})"),
                _ => name.to_owned(),
            };
            return Err(Error::Weights {
                path: self.path.into(),
                net: net.to_owned(),
                missing,
                extra: extra.into_iter().map(in_file).collect(),
                misshaped,
                help: advice.map(help).or(keep),
            });
        }
        let must_be_finite = !self.options.allows_not_finite();
        if self.behind.is_none() && must_be_finite {
            self.all_finite(&found, tensor_name)?;
        }
        for (tensor, view) in found {
            let numbers = &mut parameters[tensor.offset..][..tensor.shape.elements()];
            let (dtype, data) = (view.dtype(), view.data());
            let Some(behind) = self.behind else {
                floats::copy(dtype, data, numbers);
                continue;
            };
            let start = data.as_ptr().addr() - self.bytes.as_ptr().addr();
            let is_finite = floats::copy_from(behind, start as u64, dtype, numbers)
                .map_err(Error::io(self.path))?;
            if must_be_finite && !is_finite {
                // All bytes are needed to say where.
                let bytes = bytes::in_pieces(behind, self.bytes.len());
                let bytes = bytes.map_err(Error::io(self.path))?;
                let whole = WeightFile { bytes: &bytes, behind: None, ..*self };
                return whole.read(net, tensors, tensor_name, parameters);
            }
        }
        Ok(metadata)
    }

    /// The names in the file, by what the options make of them.
    fn names<'f>(&self, file: &'f SafeTensors<'_>) -> Result<BTreeMap<Cow<'f, str>, &'f str>> {
        let mut names = BTreeMap::new();
        let mut originals = file.names();
        originals.sort_unstable();
        for original in originals {
            let Some(name) = self.options.name(original) else { continue };
            if let Some(other) = names.insert(name, original) {
                let name = self.options.name(original).unwrap_or_default();
                let problem = format!("`{other}` and `{original}` would both be read as `{name}`");
                return Err(self.format(START, problem));
            }
        }
        Ok(names)
    }

    fn all_finite(
        &self,
        found: &[(&Tensor, TensorView<'_>)],
        tensor_name: &dyn Fn(&Tensor) -> String,
    ) -> Result<()> {
        let mut error = None;
        let mut tensors = 0;
        let is_wrong = |view: &TensorView<'_>| !floats::all_finite(view.dtype(), view.data());
        for (tensor, view) in found.iter().filter(|(_, view)| is_wrong(view)) {
            let (mut count, mut first) = (0, 0);
            floats::each(view.dtype(), view.data(), |at, number| {
                if !number.is_finite() {
                    first = if count == 0 { at } else { first };
                    count += 1;
                }
            });
            tensors += usize::from(count > 0);
            if count > 0 && error.is_none() {
                error = Some((tensor, view, count, first));
            }
        }
        let Some((tensor, view, count, first)) = error else { return Ok(()) };
        let mut position = vec![0; view.shape().len()];
        let mut rest = first;
        for (place, &size) in position.iter_mut().zip(view.shape()).rev() {
            *place = rest % size;
            rest /= size;
        }
        let options = self.options.clone().allow_not_finite();
        Err(Error::NotFiniteWeights {
            path: self.path.to_owned(),
            tensor: tensor_name(tensor),
            count,
            of: tensor.shape.elements(),
            position,
            value: floats::exact(view.dtype(), view.data(), first),
            others: tensors - 1,
            help: Box::new(LoadHelp {
                why: "to load them nevertheless".into(),
                call: self.call.with(self.path, &options),
            }),
        })
    }
}

/// Where and why these bytes are no safetensors file.
pub(super) fn explain(error: &SafeTensorError, bytes: &[u8]) -> (usize, String) {
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

/// What is stored beside the parameters, from the texts of a file.
pub(crate) fn read_metadata_texts(texts: &HashMap<String, String>) -> Result<Metadata, String> {
    metadata(texts)
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

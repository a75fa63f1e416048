//! safetensors files with a checksum over all their bytes, which hold more than the weights of a net.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::json;
use xxhash_rust::xxh3::Xxh3;

use super::read::explain;
use super::replace;
use crate::{Error, Result};

/// The key of the checksum in `__metadata__`, and what stands there while it is computed.
const CHECKSUM: &str = "checksum";
const NO_CHECKSUM: &str = "0000000000000000";

/// Something with a name in a file.
pub(crate) struct Entry<'a> {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) numbers: Numbers<'a>,
}

impl<'a> Entry<'a> {
    /// Numbers in a row.
    pub(crate) fn row(name: impl Into<String>, numbers: Numbers<'a>) -> Entry<'a> {
        Entry { name: name.into(), shape: vec![numbers.len()], numbers }
    }
}

/// The numbers of an entry.
#[derive(Clone, Copy)]
pub(crate) enum Numbers<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
    Bytes(&'a [u8]),
}

impl Numbers<'_> {
    fn len(&self) -> usize {
        match self {
            Numbers::F32(numbers) => numbers.len(),
            Numbers::F64(numbers) => numbers.len(),
            Numbers::Bytes(bytes) => bytes.len(),
        }
    }

    fn dtype(&self) -> (&'static str, usize) {
        match self {
            Numbers::F32(_) => ("F32", 4),
            Numbers::F64(_) => ("F64", 8),
            Numbers::Bytes(_) => ("U8", 1),
        }
    }

    /// Shows the bytes as they are in a file, in pieces.
    fn each(&self, visit: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut piece = Vec::with_capacity(1 << 16);
        match self {
            Numbers::F32(numbers) => numbers.chunks(1 << 14).try_for_each(|numbers| {
                piece.clear();
                piece.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
                visit(&piece)
            }),
            Numbers::F64(numbers) => numbers.chunks(1 << 13).try_for_each(|numbers| {
                piece.clear();
                piece.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
                visit(&piece)
            }),
            Numbers::Bytes(bytes) => visit(bytes),
        }
    }
}

/// Writes the entries in this order, with texts beside them. The file at `path` is replaced at the end, in
/// one go, and stays as it was on an error.
///
/// # Errors
/// [`Error::Io`].
pub(crate) fn write_checked(
    path: &Path,
    mut texts: BTreeMap<&'static str, String>,
    entries: &[Entry<'_>],
) -> Result<()> {
    texts.insert(CHECKSUM, NO_CHECKSUM.into());
    let mut header = BTreeMap::from([("__metadata__", json!(texts))]);
    let mut start = 0;
    for Entry { name, shape, numbers } in entries {
        let (dtype, size) = numbers.dtype();
        let end = start + size * numbers.len();
        header
            .insert(name, json!({ "dtype": dtype, "shape": shape, "data_offsets": [start, end] }));
        start = end;
    }
    let mut header = json!(header).to_string();
    // The format's own rule: numbers start at a multiple of 8 bytes.
    while header.len() % 8 != 0 {
        header.push(' ');
    }
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    let mut hash = Xxh3::new();
    hash.update(&bytes);
    let hashed = entries.iter().try_for_each(|entry| {
        entry.numbers.each(&mut |piece| {
            hash.update(piece);
            Ok(())
        })
    });
    hashed.map_err(Error::io(path))?;
    if let Some(place) = place_of_checksum(&bytes) {
        let checksum = format!("{:016x}", hash.digest());
        bytes[place..place + checksum.len()].copy_from_slice(checksum.as_bytes());
    }
    replace(path, |file| {
        file.write_all(&bytes)?;
        entries.iter().try_for_each(|entry| entry.numbers.each(&mut |piece| file.write_all(piece)))
    })
}

/// Where the digits of the checksum start, in the bytes of a header.
fn place_of_checksum(header: &[u8]) -> Option<usize> {
    // Within a text its quotes would have backslashes before them.
    let key = format!("\"{CHECKSUM}\":\"");
    let found = header.windows(key.len()).position(|bytes| bytes == key.as_bytes())?;
    let place = found + key.len();
    (place + NO_CHECKSUM.len() <= header.len()).then_some(place)
}

/// A file that was read, with the checksum that it should have.
pub(crate) struct Checked {
    path: PathBuf,
    bytes: Vec<u8>,
    pub(crate) texts: HashMap<String, String>,
}

impl Checked {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Format`] when it is no safetensors file, or was changed after it was
    /// written.
    pub(crate) fn read(path: &Path) -> Result<Checked> {
        let bytes = std::fs::read(path).map_err(Error::io(path))?;
        let format = |(offset, problem): (usize, String)| Error::Format {
            path: path.to_owned(),
            offset: offset as u64,
            problem,
        };
        let (length, metadata) =
            SafeTensors::read_metadata(&bytes).map_err(|error| format(explain(&error, &bytes)))?;
        SafeTensors::deserialize(&bytes).map_err(|error| format(explain(&error, &bytes)))?;
        let texts: HashMap<String, String> =
            metadata.metadata().iter().flatten().map(own).collect();
        if let Some(checksum) = texts.get(CHECKSUM) {
            let end = size_of::<u64>() + length;
            let place = place_of_checksum(&bytes[..end]);
            let place = place.ok_or_else(|| format((0, "its checksum cannot be found".into())))?;
            let mut hash = Xxh3::new();
            hash.update(&bytes[..place]);
            hash.update(NO_CHECKSUM.as_bytes());
            hash.update(&bytes[place + NO_CHECKSUM.len()..]);
            let found = format!("{:016x}", hash.digest());
            if *checksum != found {
                let problem = "the file is damaged: its content does not have the checksum that it \
                               was written with";
                return Err(format((place, problem.into())));
            }
        }
        Ok(Checked { path: path.to_owned(), bytes, texts })
    }

    /// An error about the content.
    pub(crate) fn problem(&self, problem: impl Into<String>) -> Error {
        Error::Format { path: self.path.clone(), offset: 0, problem: problem.into() }
    }

    /// The names of the entries, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let file = SafeTensors::deserialize(&self.bytes);
        let mut names: Vec<String> =
            file.iter().flat_map(|file| file.names()).map(String::from).collect();
        names.sort_unstable();
        names
    }

    fn entry(&self, name: &str, dtype: Dtype) -> Result<Option<(Vec<usize>, &[u8])>> {
        let file = SafeTensors::deserialize(&self.bytes);
        let found: Option<TensorView<'_>> = file.ok().and_then(|file| file.tensor(name).ok());
        let Some(view) = found else { return Ok(None) };
        if view.dtype() != dtype {
            let problem = format!("`{name}` is stored as {}, and {dtype} is needed", view.dtype());
            return Err(self.problem(problem));
        }
        Ok(Some((view.shape().to_vec(), view.data())))
    }

    /// The shape and the numbers of an entry, if there is one.
    ///
    /// # Errors
    /// [`Error::Format`] when it has another type.
    pub(crate) fn f32(&self, name: &str) -> Result<Option<(Vec<usize>, Vec<f32>)>> {
        let found = self.entry(name, Dtype::F32)?;
        Ok(found.map(|(shape, bytes)| {
            let numbers = bytes.as_chunks().0.iter().map(|&four| f32::from_le_bytes(four));
            (shape, numbers.collect())
        }))
    }

    /// As [`f32`](Self::f32).
    ///
    /// # Errors
    /// As that.
    pub(crate) fn f64(&self, name: &str) -> Result<Option<Vec<f64>>> {
        let found = self.entry(name, Dtype::F64)?;
        Ok(found.map(|(_, bytes)| {
            bytes.as_chunks().0.iter().map(|&eight| f64::from_le_bytes(eight)).collect()
        }))
    }

    /// As [`f32`](Self::f32).
    ///
    /// # Errors
    /// As that.
    pub(crate) fn bytes(&self, name: &str) -> Result<Option<&[u8]>> {
        Ok(self.entry(name, Dtype::U8)?.map(|(_, bytes)| bytes))
    }
}

/// The crate's map is not the standard library's, unless some other crate asks for that.
fn own((key, text): (&String, &String)) -> (String, String) {
    (key.clone(), text.clone())
}

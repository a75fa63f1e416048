//! The file with the decoded pixels of a folder.
//!
//! | bytes | what |
//! |---|---|
//! | 16 | `MAGIC` |
//! | 16 | the fingerprint of the folder and of what was made of it |
//! | 8, 8, 8 | the files in the folder, the bytes of an image, its channels |
//! | | the pixels of each image |
//! | | the index: of each file a byte 1, the XXH3 of its pixels, and for each channel the sum of its bytes and of their squares; or a byte 0, a length and the text of what is wrong with it |
//! | 8, 8, 16 | the length of the index, the XXH3 of header and index, `MAGIC` |
//!
//! Numbers are little-endian and have 8 bytes where nothing else is said. The index stands behind the
//! pixels because it is known last: the file is written from start to end.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use xxhash_rust::xxh3::Xxh3;

use super::decode::{Index, Recipe};
use super::positioned::read_exact_at;
use super::scan::Scan;
use crate::{Error, Result, io as files};

const MAGIC: [u8; 16] = *b"typenet images 1";
const HEADER: usize = 56;
const TRAILER: usize = 32;

/// The start of the file, which says what belongs into it.
pub(super) struct Header([u8; HEADER]);

impl Header {
    pub(super) fn new(scan: &Scan, recipe: &Recipe) -> Header {
        let Recipe { dims, options } = recipe;
        let fingerprint = scan.fingerprint(&format!("{dims:?} {options:?}"));
        let numbers = [scan.files.len(), recipe.len(), dims[0]];
        let mut bytes = [0; HEADER];
        bytes[..16].copy_from_slice(&MAGIC);
        bytes[16..32].copy_from_slice(&fingerprint.to_le_bytes());
        for (place, number) in bytes[32..].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&(number as u64).to_le_bytes());
        }
        Header(bytes)
    }
}

/// Where the pixels of an image start.
pub(super) fn offset(image: usize, len: usize) -> u64 {
    HEADER as u64 + image as u64 * len as u64
}

/// Decodes the folder into a file that takes the place of the old one once it is complete. Nothing is
/// written where a file is broken and not to be skipped; the index then names those alone.
pub(super) fn write(
    path: &Path,
    header: &Header,
    scan: &Scan,
    recipe: &Recipe,
    skip: bool,
) -> Result<Index> {
    let mut outcome = None;
    let written = files::replace(path, |out| {
        out.write_all(&header.0)?;
        let index = recipe.decode_all(scan, skip, &mut |pixels| out.write_all(pixels))?;
        let complete = index.as_ref().is_ok_and(|index| skip || index.skipped.is_empty());
        let written = match &index {
            Ok(index) if complete => write_index(out, header, scan, recipe, index),
            // So that the new file is dropped; why is told by the index.
            _ => Err(io::ErrorKind::Other.into()),
        };
        outcome = Some(index);
        written
    });
    match (outcome, written) {
        (Some(Ok(index)), Err(_)) if !skip && !index.skipped.is_empty() => Ok(index),
        (Some(Err(error)), _) | (_, Err(error)) => Err(error),
        (Some(outcome), Ok(())) => outcome,
        (None, Ok(())) => Err(Error::file(path, "the cache was not written")),
    }
}

fn write_index(
    out: &mut dyn Write,
    header: &Header,
    scan: &Scan,
    recipe: &Recipe,
    index: &Index,
) -> io::Result<()> {
    let mut bytes = Vec::new();
    let mut images = index.checksums.iter().zip(index.moments.chunks_exact(recipe.dims[0]));
    let mut skipped = index.skipped.iter().peekable();
    for file in 0..scan.files.len() {
        if let Some((_, problem)) = skipped.next_if(|(skipped, _)| *skipped == file) {
            bytes.push(0);
            bytes.extend((problem.len() as u64).to_le_bytes());
            bytes.extend(problem.as_bytes());
        } else if let Some((checksum, moments)) = images.next() {
            bytes.push(1);
            bytes.extend(checksum.to_le_bytes());
            moments.as_flattened().iter().for_each(|sum| bytes.extend(sum.to_le_bytes()));
        }
    }
    out.write_all(&bytes)?;
    out.write_all(&(bytes.len() as u64).to_le_bytes())?;
    out.write_all(&checksum(header, &bytes).to_le_bytes())?;
    out.write_all(&MAGIC)
}

fn checksum(header: &Header, index: &[u8]) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(&header.0);
    hash.update(index);
    hash.digest()
}

/// Opens the file, if it is there, has this header, and its index is not damaged.
pub(super) fn open(
    path: &Path,
    header: &Header,
    scan: &Scan,
    recipe: &Recipe,
) -> io::Result<Option<(File, Index)>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match read(&file, header, scan, recipe) {
        Ok(index) => Ok(index.map(|index| (file, index))),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(file: &File, header: &Header, scan: &Scan, recipe: &Recipe) -> io::Result<Option<Index>> {
    let metadata = file.metadata()?;
    let len = metadata.len();
    let Some(trailer_at) = len.checked_sub(TRAILER as u64) else { return Ok(None) };
    if !metadata.is_file() {
        return Err(io::Error::other("this is not a regular file"));
    }
    let mut start = [0; HEADER];
    read_exact_at(file, &mut start, 0)?;
    if start != header.0 {
        return Ok(None);
    }
    let mut trailer = [0; TRAILER];
    read_exact_at(file, &mut trailer, trailer_at)?;
    let mut rest = &trailer[..];
    let (Some(index_len), Some(expected)) = (number(&mut rest), number(&mut rest)) else {
        return Ok(None);
    };
    let index_at = trailer_at.checked_sub(index_len).filter(|&at| at >= HEADER as u64);
    let (Some(index_at), true) = (index_at, rest == MAGIC) else { return Ok(None) };
    let mut bytes = vec![0; index_len as usize];
    read_exact_at(file, &mut bytes, index_at)?;
    if checksum(header, &bytes) != expected {
        return Ok(None);
    }
    let index = parse(&bytes, scan.files.len(), recipe.dims[0]);
    let complete = |index: &Index| offset(index.checksums.len(), recipe.len()) == index_at;
    Ok(index.filter(complete))
}

fn parse(mut bytes: &[u8], files: usize, channels: usize) -> Option<Index> {
    let mut index = Index::default();
    for file in 0..files {
        if *bytes.split_off_first()? == 0 {
            let len = usize::try_from(number(&mut bytes)?).ok()?;
            let problem = std::str::from_utf8(bytes.split_off(..len)?).ok()?;
            index.skipped.push((file, problem.to_owned()));
        } else {
            index.checksums.push(number(&mut bytes)?);
            for _ in 0..channels {
                index.moments.push([number(&mut bytes)?, number(&mut bytes)?]);
            }
        }
    }
    bytes.is_empty().then_some(index)
}

/// Takes a number from the front.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*first))
}

//! The pixels of a folder, where images take them from.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use xxhash_rust::xxh3::xxh3_64;

use super::cache;
use super::decode::{Failure, Index, Recipe};
use super::positioned::read_exact_at;
use super::scan::Scan;
use crate::data::SkippedFile;
use crate::data::images::Store;
use crate::{Error, Result};

/// The decoded images of a folder.
pub(super) struct FolderStore {
    pixels: Pixels,
    recipe: Recipe,
    scan: Scan,
    index: Index,
    /// Which file of the scan an image is.
    files: Vec<usize>,
    skipped: Vec<SkippedFile>,
}

/// Where the pixels of all images stand, one after the other.
pub(super) enum Pixels {
    Memory(Vec<u8>),
    Cache { file: File, path: PathBuf, is_damaged: AtomicBool },
}

thread_local! {
    /// The pixels of an image, between the file and the numbers.
    static BYTES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl FolderStore {
    pub(super) fn new(pixels: Pixels, recipe: Recipe, scan: Scan, index: Index) -> FolderStore {
        let mut skipped = index.skipped.iter().map(|(file, _)| *file).peekable();
        let is_there = |file: &usize| skipped.next_if_eq(file).is_none();
        let files = (0..scan.files.len()).filter(is_there).collect();
        let skipped = index.skipped.iter().map(|(file, problem)| SkippedFile {
            path: scan.path(&scan.files[*file]),
            problem: problem.clone(),
        });
        let skipped = skipped.collect();
        FolderStore { pixels, recipe, scan, index, files, skipped }
    }

    pub(super) fn class_names(&self) -> &[String] {
        &self.scan.class_names
    }

    /// How many images each class has.
    pub(super) fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.class_names().len()];
        self.files.iter().for_each(|&file| counts[self.scan.files[file].class] += 1);
        counts
    }

    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    fn path(&self, image: usize) -> PathBuf {
        self.scan.path(&self.scan.files[self.files[image]])
    }

    /// Decodes an image anew whose pixels in the cache are damaged.
    fn decode_again(&self, image: usize, cache: &PathBuf) -> Result<Vec<u8>> {
        let problem = match self.recipe.decode(&self.scan, &self.scan.files[self.files[image]]) {
            Ok(pixels) if xxh3_64(&pixels) == self.index.checksums[image] => return Ok(pixels),
            Ok(_) => "it gives other pixels now".into(),
            Err(Failure::Broken(problem)) => problem,
            Err(Failure::Fatal(error)) => error.to_string(),
        };
        let path = self.path(image);
        let problem = format!(
            "the pixels of {} are damaged here, and the file is no longer what it was: {problem}",
            path.display()
        );
        Err(Error::file(cache, problem))
    }
}

impl Store for FolderStore {
    fn label(&self, index: usize) -> usize {
        self.scan.files[self.files[index]].class
    }

    fn moments(&self, index: usize, channel: usize) -> [u64; 2] {
        self.index.moments[index * self.recipe.dims[0] + channel]
    }

    fn show(&self, index: usize, see: &mut dyn FnMut(&[u8])) -> Result<()> {
        let len = self.recipe.len();
        let (file, path, is_damaged) = match &self.pixels {
            Pixels::Memory(pixels) => {
                see(&pixels[index * len..][..len]);
                return Ok(());
            }
            Pixels::Cache { file, path, is_damaged } => (file, path, is_damaged),
        };
        BYTES.with_borrow_mut(|bytes| {
            // Every byte is written anew, so those that are there need no clearing.
            bytes.resize(len, 0);
            let is_whole = match read_exact_at(file, bytes, cache::offset(index, len)) {
                Ok(()) => xxh3_64(bytes) == self.index.checksums[index],
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => false,
                Err(error) => return Err(Error::io(path)(error)),
            };
            if !is_whole {
                *bytes = self.decode_again(index, path)?;
                // The next start then makes a new one; that it may stay is no reason to stop.
                if !is_damaged.swap(true, Ordering::Relaxed) {
                    let _ = fs::remove_file(path);
                }
            }
            see(bytes);
            Ok(())
        })
    }

    fn place(&self, index: usize) -> Option<String> {
        Some(self.path(index).display().to_string())
    }

    fn skipped(&self) -> &[SkippedFile] {
        &self.skipped
    }
}

//! The binary files of CIFAR-10 and CIFAR-100 (A. Krizhevsky, "Learning multiple layers of features from
//! tiny images", 2009): an image is a byte with its label (CIFAR-100: two, of its superclass and its
//! class), then 1024 bytes of red, of green and of blue, row by row.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::Images;
use super::source::Source;
use crate::{Error, Result};

/// An image of CIFAR: `[[[f32; 32]; 32]; 3]`.
pub type CifarImage = [[[f32; 32]; 32]; 3];

const PIXELS: usize = 3 * 32 * 32;

/// How many images of a file are made room for at first; its own size may be a lie.
const AT_FIRST: usize = 10_000;

const CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// Which labels of CIFAR-100 are used.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Cifar100Labels {
    /// The 100 classes.
    #[default]
    Fine,
    /// The 20 superclasses, of 5 classes each.
    Coarse,
}

/// What the files of a set are like.
#[derive(Clone, Copy)]
struct Format {
    /// How many bytes of labels there are before the pixels.
    labels: usize,
    /// Which of them is taken.
    label: usize,
    classes: usize,
    /// The other set, for a file that may be of it.
    other: (usize, &'static str),
}

const CIFAR10: Format = Format { labels: 1, label: 0, classes: 10, other: (2, "CIFAR-100") };

fn cifar100(labels: Cifar100Labels) -> Format {
    let (label, classes) = match labels {
        Cifar100Labels::Fine => (1, 100),
        Cifar100Labels::Coarse => (0, 20),
    };
    Format { labels: 2, label, classes, other: (1, "CIFAR-10") }
}

impl Images<CifarImage> {
    /// Reads CIFAR-10 in its binary version: the 50,000 images for training and the 10,000 for testing.
    ///
    /// The folder is the one that the archive unpacks to, or its parent. It holds `data_batch_1.bin` to
    /// `data_batch_5.bin` and `test_batch.bin`. The names of the classes are those of `batches.meta.txt`,
    /// or without that file the usual ones.
    ///
    /// # Errors
    /// [`Error::Io`] when a file cannot be read; [`Error::Format`] when it does not consist of whole
    /// images; [`Error::Label`] for a label above 9; [`Error::Size`] when the file of names does not have
    /// one for each class.
    ///
    /// ```no_run
    /// use typenet_runtime::data::Images;
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let (mut train, mut test) = Images::from_cifar10("cifar-10-batches-bin")?;
    /// let statistics = train.channel_statistics()?;
    /// train.normalize(&statistics)?;
    /// test.normalize(&statistics)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_cifar10(folder: impl AsRef<Path>) -> Result<(Self, Self)> {
        let folder = inner(folder.as_ref(), "cifar-10-batches-bin");
        let train: Vec<PathBuf> =
            (1..=5).map(|number| folder.join(format!("data_batch_{number}.bin"))).collect();
        let names = names(&folder.join("batches.meta.txt"), 10)?;
        let names = names.unwrap_or_else(|| CLASSES.map(String::from).to_vec());
        both(&train, &[folder.join("test_batch.bin")], CIFAR10, names)
    }

    /// Reads CIFAR-100 in its binary version: the 50,000 images for training and the 10,000 for testing.
    ///
    /// The folder is the one that the archive unpacks to, or its parent. It holds `train.bin` and
    /// `test.bin`. The names of the classes are those of `fine_label_names.txt` or
    /// `coarse_label_names.txt`; without that file the classes have no names.
    ///
    /// # Errors
    /// As [`from_cifar10`](Self::from_cifar10), with the labels of CIFAR-100.
    ///
    /// ```no_run
    /// use typenet_runtime::data::{Cifar100Labels, Images};
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let (train, test) = Images::from_cifar100("cifar-100-binary", Cifar100Labels::Fine)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_cifar100(folder: impl AsRef<Path>, labels: Cifar100Labels) -> Result<(Self, Self)> {
        let folder = inner(folder.as_ref(), "cifar-100-binary");
        let format = cifar100(labels);
        let names_file = match labels {
            Cifar100Labels::Fine => "fine_label_names.txt",
            Cifar100Labels::Coarse => "coarse_label_names.txt",
        };
        let names = names(&folder.join(names_file), format.classes)?.unwrap_or_default();
        both(&[folder.join("train.bin")], &[folder.join("test.bin")], format, names)
    }

    /// Reads files of CIFAR-10's binary version, one after the other. A file may be compressed with gzip.
    ///
    /// # Errors
    /// As [`from_cifar10`](Self::from_cifar10).
    pub fn from_cifar10_files<P: AsRef<Path>>(files: &[P]) -> Result<Self> {
        Ok(read(files, CIFAR10)?.with_class_names(CLASSES))
    }

    /// Reads files of CIFAR-100's binary version, one after the other. A file may be compressed with
    /// gzip. The classes have no names.
    ///
    /// # Errors
    /// As [`from_cifar100`](Self::from_cifar100).
    pub fn from_cifar100_files<P: AsRef<Path>>(
        files: &[P],
        labels: Cifar100Labels,
    ) -> Result<Self> {
        read(files, cifar100(labels))
    }
}

/// The folder that the archive unpacks to, where it is in `folder`.
fn inner(folder: &Path, unpacked: &str) -> PathBuf {
    let inner = folder.join(unpacked);
    if inner.is_dir() { inner } else { folder.to_owned() }
}

fn both(
    train: &[PathBuf],
    test: &[PathBuf],
    format: Format,
    names: Vec<String>,
) -> Result<(Images<CifarImage>, Images<CifarImage>)> {
    let train = read(train, format)?.with_class_names(names.clone());
    Ok((train, read(test, format)?.with_class_names(names)))
}

fn read<P: AsRef<Path>>(files: &[P], format: Format) -> Result<Images<CifarImage>> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for file in files {
        append(file.as_ref(), format, &mut pixels, &mut labels)?;
    }
    Images::from_bytes(pixels, labels)
}

/// Appends the images of one file.
fn append(
    path: &Path,
    format: Format,
    pixels: &mut Vec<u8>,
    labels: &mut Vec<usize>,
) -> Result<()> {
    let mut source = Source::open(path)?;
    pixels.reserve(AT_FIRST * PIXELS);
    let record_len = format.labels + PIXELS;
    let mut record = vec![0; record_len];
    for number in 0.. {
        let start = source.offset();
        let found = source.fill(&mut record)?;
        if found == 0 && number > 0 {
            break;
        }
        if found < record_len {
            return Err(cut(&source, format, start, found));
        }
        let label = usize::from(record[format.label]);
        if label >= format.classes {
            // A file of the other set is soon out of step, and its pixels are then taken for labels.
            let place = format!("{}: image {number}", path.display());
            return Err(Error::Label { place, label, classes: format.classes });
        }
        labels.push(label);
        pixels.extend_from_slice(&record[format.labels..]);
    }
    Ok(())
}

/// The error for a file that ends after `found` bytes of the image that starts at `start`.
fn cut(source: &Source<'_>, format: Format, start: u64, found: usize) -> Error {
    let record_len = format.labels + PIXELS;
    if start == 0 && found == 0 {
        return source.format(0, "the file is empty");
    }
    let len = start + found as u64;
    let (labels, name) = format.other;
    let other = match len.is_multiple_of((labels + PIXELS) as u64) {
        true => format!(": it is as long as a file of {name}"),
        false => String::new(),
    };
    let problem = format!(
        "the file ends {found} bytes after the start of an image, which takes {record_len}{other}"
    );
    source.format(len, problem)
}

/// The names of the classes, one a line; nothing where there is no such file.
fn names(path: &Path, classes: usize) -> Result<Option<Vec<String>>> {
    let mut text = String::new();
    match fs::File::open(path) {
        // No list of names is so long.
        Ok(file) => file.take(1 << 16).read_to_string(&mut text).map_err(Error::io(path))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io(path)(error)),
    };
    let names: Vec<String> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(String::from).collect();
    if names.len() != classes {
        let what = format!("{}: names of classes", path.display());
        return Err(Error::size(what, classes, names.len()));
    }
    Ok(Some(names))
}

//! The IDX format of MNIST: two zero bytes, the type of the numbers (8 for unsigned bytes), the
//! number of dimensions, each dimension as four bytes, the largest first; then the numbers.

use std::io::Read;
use std::path::Path;

use typenet_shape::{MAX_RANK, Shape};

use super::source::{PIECE, Source};
use super::{ArrayShape, Dataset};
use crate::{Error, Result};

impl<I: ArrayShape> Dataset<I, usize> {
    /// Reads images and labels of `classes` classes from two IDX files (MNIST's format), compressed with
    /// gzip or not. Bytes 0..=255 become numbers 0..=1.
    ///
    /// The file of images holds unsigned bytes with the dimensions `[n, height, width]`,
    /// `[n, channels, height, width]` or `[n, features]`; without `n`, these must be those of `I`. A channel
    /// dimension of 1 may be missing on one side, and `[f32; features]` takes images of any dimensions with
    /// as many numbers. The file of labels has the dimensions `[n]`.
    ///
    /// # Errors
    /// [`Error::Io`] when a file cannot be read; [`Error::Format`] with the byte when it is no IDX file of
    /// unsigned bytes, is too short or too long, or its gzip data is damaged; [`Error::Size`] when the
    /// images have another size than `I`, or there are not as many labels as images; [`Error::Label`] for a
    /// label outside the classes; [`Error::Argument`] for 0 classes.
    ///
    /// ```no_run
    /// use typenet_runtime::data::Dataset;
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let train = Dataset::<[[[f32; 28]; 28]; 1]>::from_idx(
    ///     "train-images-idx3-ubyte.gz",
    ///     "train-labels-idx1-ubyte.gz",
    ///     10,
    /// )?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_idx(
        images: impl AsRef<Path>,
        labels: impl AsRef<Path>,
        classes: usize,
    ) -> Result<Self> {
        let images = Source::open(images.as_ref())?;
        let labels = Source::open(labels.as_ref())?;
        read(images, labels, classes)
    }

    /// As [`from_idx`](Self::from_idx), from readers; the names stand for the paths in errors.
    ///
    /// # Errors
    /// As [`from_idx`](Self::from_idx).
    pub fn from_idx_readers(
        images_name: impl AsRef<Path>,
        images: impl Read,
        labels_name: impl AsRef<Path>,
        labels: impl Read,
        classes: usize,
    ) -> Result<Self> {
        let images = Source::new(images_name.as_ref(), images)?;
        let labels = Source::new(labels_name.as_ref(), labels)?;
        read(images, labels, classes)
    }

    /// As [`from_idx`](Self::from_idx), from bytes in memory, such as `include_bytes!` gives. In
    /// errors the files are called `{name} images` and `{name} labels`.
    ///
    /// # Errors
    /// As [`from_idx`](Self::from_idx).
    ///
    /// ```
    /// use typenet_runtime::data::Dataset;
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let images = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, /* */ 0, 255, 51, 0];
    /// let labels = [0, 0, 8, 1, 0, 0, 0, 2, /* */ 1, 0];
    /// let data = Dataset::<[[[f32; 2]; 1]; 1]>::from_idx_bytes("small", &images, &labels, 2)?;
    /// assert_eq!(data.inputs(), [[[[0.0, 1.0]]], [[[0.2, 0.0]]]]);
    /// assert_eq!(data.targets(), [1, 0]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_idx_bytes(
        name: &str,
        images: &[u8],
        labels: &[u8],
        classes: usize,
    ) -> Result<Self> {
        let (images_name, labels_name) = (format!("{name} images"), format!("{name} labels"));
        Self::from_idx_readers(images_name, images, labels_name, labels, classes)
    }
}

fn read<I: ArrayShape>(
    mut images: Source<'_>,
    mut labels: Source<'_>,
    classes: usize,
) -> Result<Dataset<I, usize>> {
    if classes == 0 {
        return Err(Error::Argument {
            name: "classes",
            value: "0".into(),
            expected: "at least one class",
        });
    }
    let size = header(&mut images, "images", 2..=MAX_RANK)?;
    let (count, size) = (size[0], Shape::new(&size[1..]));
    if !fits(size, I::SHAPE) {
        let what = format!("{}: at byte 8: size of an image", images.path().display());
        return Err(Error::size(what, I::SHAPE, size));
    }
    let label_count = header(&mut labels, "labels", 1..=1)?[0];
    if label_count != count {
        let what = format!("{}: at byte 4: labels for the images", labels.path().display());
        return Err(Error::size(what, count, label_count));
    }

    let mut targets = Vec::new();
    content(&mut labels, count, |source, offset, bytes| {
        for (i, &byte) in bytes.iter().enumerate() {
            let label = usize::from(byte);
            if label >= classes {
                let place = format!("{}: at byte {}", source.path().display(), offset + i as u64);
                return Err(Error::Label { place, label, classes });
            }
            targets.push(label);
        }
        Ok(())
    })?;

    let Some(len) = count.checked_mul(I::LEN) else {
        return Err(images.format(4, format!("{count} images of {size} do not fit in memory")));
    };
    let mut numbers = Vec::new();
    content(&mut images, len, |_, _, bytes| {
        numbers.extend(bytes.iter().map(|&byte| f32::from(byte) / 255.0));
        Ok(())
    })?;
    numbers.shrink_to_fit();
    Dataset::from_flat(numbers, targets)
}

/// Whether images of the size `found` are inputs of the size `wanted`.
fn fits(found: Shape, wanted: Shape) -> bool {
    let elements = found.dims().iter().try_fold(1usize, |product, &dim| product.checked_mul(dim));
    let without_channel = |shape: Shape| match shape.dims() {
        [1, height, width] => Shape::new(&[*height, *width]),
        _ => shape,
    };
    elements == Some(wanted.elements())
        && (wanted.rank() <= 1 || without_channel(found) == without_channel(wanted))
}

/// Reads the dimensions, of which there must be a number in `ranks`.
fn header(
    source: &mut Source<'_>,
    what: &str,
    ranks: std::ops::RangeInclusive<usize>,
) -> Result<Vec<usize>> {
    let mut magic = [0; 4];
    let found = source.fill(&mut magic)?;
    if found == 0 {
        return Err(source.format(0, format!("the file is empty; expected an IDX file of {what}")));
    }
    if found < magic.len() {
        return Err(source.format(
            source.offset(),
            "the file ends here; an IDX file starts with 4 bytes of its type",
        ));
    }
    let [zero, also_zero, kind, rank] = magic;
    if (zero, also_zero) != (0, 0) {
        let problem = format!(
            "this is no IDX file: it starts with {zero:02x} {also_zero:02x}, expected 00 00"
        );
        return Err(source.format(0, problem));
    }
    if kind != 8 {
        let problem = format!("numbers of type {kind:#04x}, expected 0x08 (unsigned bytes)");
        return Err(source.format(2, problem));
    }
    let rank = usize::from(rank);
    if !ranks.contains(&rank) {
        let (least, most) = ranks.into_inner();
        let expected = if least == most { least.to_string() } else { format!("{least} to {most}") };
        return Err(source.format(3, format!("{rank} dimensions; a file of {what} has {expected}")));
    }
    let mut bytes = [0; 4 * MAX_RANK];
    let bytes = &mut bytes[..4 * rank];
    if source.fill(bytes)? < bytes.len() {
        let problem =
            format!("the file ends here; the header of {what} has {} bytes", 4 + 4 * rank);
        return Err(source.format(source.offset(), problem));
    }
    let (dims, _) = bytes.as_chunks::<4>();
    let dims: Vec<usize> = dims.iter().map(|&dim| u32::from_be_bytes(dim) as usize).collect();
    if dims[0] == 0 {
        return Err(source.format(4, format!("the file holds no {what}")));
    }
    Ok(dims)
}

/// Reads the `len` bytes after the header and the end of the file, and gives them with their offset
/// to `take`, piece by piece: memory grows with what is there, not with what the header says.
fn content(
    source: &mut Source<'_>,
    len: usize,
    mut take: impl FnMut(&Source<'_>, u64, &[u8]) -> Result<()>,
) -> Result<()> {
    let start = source.offset();
    let end = start + len as u64;
    let mut piece = vec![0; PIECE];
    let mut left = len;
    while left > 0 {
        let wanted = left.min(PIECE);
        let offset = source.offset();
        let found = source.fill(&mut piece[..wanted])?;
        take(source, offset, &piece[..found])?;
        left -= found;
        if found < wanted {
            let problem = format!("the file ends here; by its header it has {end} bytes");
            return Err(source.format(source.offset(), problem));
        }
    }
    if source.fill(&mut piece[..1])? > 0 {
        return Err(source.format(end, "the file goes on; by its header it ends here"));
    }
    Ok(())
}

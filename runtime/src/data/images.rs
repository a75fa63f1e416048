use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;

use super::examples::{check_index, check_room};
use super::scaling::{self, Table};
use super::shape::image_dims;
use super::split::stratified;
use super::{ArrayShape, Dataset, Examples, View};
use crate::{Error, Normalization, Result};

/// Images as bytes, each with the number of its class. Their pixels take a quarter of the memory of a
/// [`Dataset`], or none where they stay in a file.
///
/// `I` is the input type of the net, `[[[f32; width]; height]; channels]`. The bytes 0..=255 become
/// numbers 0..=1 when an image is asked for, and are then [normalised](Self::normalize). A trainer takes
/// them as they are ([`Examples`]); [`to_dataset`](Self::to_dataset) converts them to a [`Dataset`].
///
/// [`from_cifar10`](Self::from_cifar10) and [`from_cifar100`](Self::from_cifar100) (feature `files`) read
/// CIFAR, `ImageFolder` (feature `image`) reads a folder of PNG and JPEG files. A clone and the parts of a
/// split share the pixels.
///
/// ```
/// use typenet_runtime::data::Images;
///
/// # fn main() -> Result<(), typenet_runtime::Error> {
/// let images = Images::<[[[f32; 2]; 1]; 1]>::from_bytes(vec![0, 51, 102, 255], vec![1, 0])?
///     .with_class_names(["dark", "bright"]);
/// assert_eq!(images.len(), 2);
/// assert_eq!(images.to_dataset()?.inputs()[1], [[[0.4, 1.0]]]);
/// # Ok(())
/// # }
/// ```
pub struct Images<I> {
    store: Arc<dyn Store>,
    /// Which of the store's images belong to this set.
    indices: Arc<[usize]>,
    class_names: Arc<[String]>,
    normalization: Option<Normalization>,
    table: Table,
    kind: PhantomData<I>,
}

/// Where the pixels are.
pub(super) trait Store: Send + Sync {
    fn label(&self, index: usize) -> usize;

    /// The sum of a channel's bytes in an image, and of their squares.
    fn moments(&self, index: usize, channel: usize) -> [u64; 2];

    /// Shows the bytes of an image: channel, row, column.
    fn show(&self, index: usize, see: &mut dyn FnMut(&[u8])) -> Result<()>;

    /// Where an image is from.
    fn place(&self, index: usize) -> Option<String>;

    /// The files that were left out.
    fn skipped(&self) -> &[SkippedFile] {
        &[]
    }
}

/// A file that was left out of a data set.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SkippedFile {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: String,
}

/// The sum of some bytes and of their squares.
pub(super) fn moments(bytes: &[u8]) -> [u64; 2] {
    // In pieces whose sums fit into 32 bits, so that they are vectors of these.
    let mut sums = [0; 2];
    for piece in bytes.chunks(1 << 14) {
        let (mut sum, mut squares) = (0, 0);
        for &byte in piece {
            sum += u32::from(byte);
            squares += u32::from(byte) * u32::from(byte);
        }
        sums[0] += u64::from(sum);
        sums[1] += u64::from(squares);
    }
    sums
}

/// Pixels in memory.
struct InMemory {
    pixels: Vec<u8>,
    len: usize,
    area: usize,
    labels: Vec<usize>,
}

impl InMemory {
    fn image(&self, index: usize) -> &[u8] {
        &self.pixels[index * self.len..][..self.len]
    }
}

impl Store for InMemory {
    fn label(&self, index: usize) -> usize {
        self.labels[index]
    }

    fn moments(&self, index: usize, channel: usize) -> [u64; 2] {
        moments(&self.image(index)[channel * self.area..][..self.area])
    }

    fn show(&self, index: usize, see: &mut dyn FnMut(&[u8])) -> Result<()> {
        see(self.image(index));
        Ok(())
    }

    fn place(&self, _: usize) -> Option<String> {
        None
    }
}

impl<I: ArrayShape> Images<I> {
    /// Images from their bytes, one image after the other, each in the order channel, row, column (all of
    /// the red first), with their labels.
    ///
    /// # Errors
    /// [`Error::Size`] when there is not exactly one image for each label, or `I` is not the type of an
    /// image.
    ///
    /// ```
    /// use typenet_runtime::data::Images;
    ///
    /// type Colour = [[[f32; 2]; 2]; 3];
    /// assert!(Images::<Colour>::from_bytes(vec![0; 24], vec![0, 1]).is_ok());
    /// let error = Images::<Colour>::from_bytes(vec![0; 23], vec![0, 1]).unwrap_err();
    /// assert_eq!(error.to_string(), "bytes of the images: expected 12 for each of 2 labels, found 23");
    /// ```
    pub fn from_bytes(pixels: Vec<u8>, labels: Vec<usize>) -> Result<Self> {
        let [_, height, width] = image_dims::<I>()?;
        if labels.len().checked_mul(I::LEN) != Some(pixels.len()) {
            let expected = format!("{} for each of {} labels", I::LEN, labels.len());
            return Err(Error::size("bytes of the images", expected, pixels.len()));
        }
        let count = labels.len();
        let store = InMemory { pixels, len: I::LEN, area: height * width, labels };
        Images::new(Arc::new(store), count, Vec::new())
    }

    pub(super) fn new(
        store: Arc<dyn Store>,
        count: usize,
        class_names: Vec<String>,
    ) -> Result<Self> {
        let [channels, _, _] = image_dims::<I>()?;
        Ok(Images {
            store,
            indices: (0..count).collect(),
            class_names: class_names.into(),
            normalization: None,
            table: Table::new(channels, None)?,
            kind: PhantomData,
        })
    }

    /// The mean and the standard deviation of each channel over all images of this set, for bytes as
    /// 0..=1: the same as [`Dataset::channel_statistics`]. They are exact to the last bit of f32, in any
    /// order. For images in a cache file the sums are in its index, and no pixel is read.
    ///
    /// # Errors
    /// [`Error::Size`] when there are no images.
    ///
    /// ```
    /// use typenet_runtime::data::Images;
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let images = Images::<[[[f32; 2]; 1]; 1]>::from_bytes(vec![51, 153], vec![0])?;
    /// let statistics = images.channel_statistics()?;
    /// assert_eq!(statistics.mean, [0.4]);
    /// assert_eq!(statistics.std, [0.2]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn channel_statistics(&self) -> Result<Normalization> {
        let [channels, height, width] = image_dims::<I>()?;
        if self.is_empty() {
            return Err(Error::size("images to measure", "at least 1", 0));
        }
        let count = self.len() as u128 * (height * width) as u128;
        let mut statistics = Normalization { mean: Vec::new(), std: Vec::new() };
        for channel in 0..channels {
            let moments = |&index: &usize| self.store.moments(index, channel).map(u128::from);
            let add = |[a, b]: [u128; 2], [c, d]: [u128; 2]| [a + c, b + d];
            let [sum, squares] =
                self.indices.par_iter().with_min_len(256).map(moments).reduce(|| [0; 2], add);
            statistics.mean.push((sum as f64 / count as f64 / 255.0) as f32);
            // `n Σx² − (Σx)²` in whole numbers loses nothing.
            let spread = count * squares - sum * sum;
            let std = (spread as f64).sqrt() / count as f64 / 255.0;
            statistics.std.push(if spread == 0 { 1.0 } else { std as f32 });
        }
        Ok(statistics)
    }

    /// Turns every number `x` into `(x − mean) / std` of its channel when an image is asked for. Training
    /// stores the normalisation in the net, which then does the same to new images. Normalise the test set
    /// with the statistics of the training set.
    ///
    /// # Errors
    /// [`Error::Argument`] when the images were normalised before (a second time is nearly always a
    /// mistake), or a mean or deviation is not finite, or a deviation not positive. [`Error::Size`] when
    /// there is not one of each per channel. Nothing is changed then.
    ///
    /// ```
    /// use typenet_runtime::data::Images;
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let mut train = Images::<[[[f32; 2]; 1]; 1]>::from_bytes(vec![0, 255], vec![0])?;
    /// train.normalize(&train.channel_statistics()?)?;
    /// assert_eq!(train.to_dataset()?.inputs()[0], [[[-1.0, 1.0]]]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn normalize(&mut self, normalization: &Normalization) -> Result<()> {
        let [channels, _, _] = image_dims::<I>()?;
        scaling::check(normalization, self.normalization.as_ref(), I::LEN)?;
        self.table = Table::new(channels, Some(normalization))?;
        self.normalization = Some(normalization.clone());
        Ok(())
    }

    /// All images as `f32` numbers in memory, four bytes each.
    ///
    /// # Errors
    /// When images that are in a file cannot be read.
    pub fn to_dataset(&self) -> Result<Dataset<I>> {
        let all: Vec<usize> = (0..self.len()).collect();
        let mut numbers = vec![0.0; self.len() * I::LEN];
        let parts = numbers.par_chunks_mut(64 * I::LEN).zip(all.par_chunks(64));
        parts.try_for_each(|(numbers, all)| self.inputs_into(View::Plain, all, numbers))?;
        let names = self.class_names.iter().cloned();
        let data = Dataset::from_flat(numbers, self.labels().collect())?.with_class_names(names);
        Ok(data.normalized_before(self.normalization.clone()))
    }

    /// The images at these indices, in this order.
    ///
    /// # Errors
    /// [`Error::Argument`] when an index is not below [`len`](Self::len).
    pub fn select(&self, indices: &[usize]) -> Result<Self> {
        indices.iter().try_for_each(|&index| check_index(self.len(), index))?;
        Ok(self.part(indices))
    }
}

impl<I> Images<I> {
    /// How many images there are.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// The class of each image.
    pub fn labels(&self) -> impl Iterator<Item = usize> {
        self.indices.iter().map(|&index| self.store.label(index))
    }

    /// The names of the classes in the order of their numbers; empty where none were given.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// How many classes there are: the number of class names or the largest label plus 1, whichever is
    /// larger.
    pub fn classes(&self) -> usize {
        let needed = self.labels().max().map_or(0, |label| label.saturating_add(1));
        needed.max(self.class_names.len())
    }

    /// The same images with names for their classes, in the order of their numbers. Training stores them
    /// in the net.
    #[must_use]
    pub fn with_class_names<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        Images { class_names: names.into_iter().map(Into::into).collect(), ..self }
    }

    /// The normalisation that [`normalize`](Self::normalize) has set; `None` if none was.
    pub fn normalization(&self) -> Option<&Normalization> {
        self.normalization.as_ref()
    }

    /// The files of the folder that were left out because they are no images; see
    /// `ImageFolder::on_broken`.
    pub fn skipped(&self) -> &[SkippedFile] {
        self.store.skipped()
    }

    /// Splits the images at random in two, and keeps the classes in proportion: of each class, the
    /// second part has the share `fraction`, to within one image. Both parts share the pixels, and stay
    /// in their order.
    ///
    /// # Errors
    /// [`Error::Argument`] when not `0 ≤ fraction ≤ 1`.
    ///
    /// ```
    /// use typenet_runtime::data::Images;
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let labels = (0..100).map(|i| i % 2).collect();
    /// let images = Images::<[[[f32; 2]; 2]; 1]>::from_bytes(vec![0; 400], labels)?;
    /// let (train, validation) = images.split_stratified(0.2, 42)?;
    /// assert_eq!((train.len(), validation.len()), (80, 20));
    /// assert_eq!(validation.labels().filter(|&label| label == 1).count(), 10);
    /// # Ok(())
    /// # }
    /// ```
    pub fn split_stratified(&self, fraction: f64, seed: u64) -> Result<(Self, Self)> {
        let (first, second) = stratified(self.labels(), fraction, seed)?;
        Ok((self.part(&first), self.part(&second)))
    }

    fn part(&self, indices: &[usize]) -> Self {
        Images { indices: indices.iter().map(|&at| self.indices[at]).collect(), ..self.clone() }
    }
}

impl<I: ArrayShape> Examples<I, usize> for Images<I> {
    fn len(&self) -> usize {
        self.len()
    }

    fn class_names(&self) -> &[String] {
        self.class_names()
    }

    fn normalization(&self) -> Option<&Normalization> {
        self.normalization()
    }

    fn place(&self, index: usize) -> String {
        let place = self.indices.get(index).and_then(|&index| self.store.place(index));
        place.unwrap_or_else(|| format!("example {index}"))
    }

    fn target(&self, _: View, index: usize) -> Result<usize> {
        check_index(self.len(), index)?;
        Ok(self.store.label(self.indices[index]))
    }

    fn inputs_into(&self, _: View, indices: &[usize], numbers: &mut [f32]) -> Result<()> {
        check_room::<I>(self.len(), indices, numbers)?;
        for (numbers, &index) in numbers.chunks_exact_mut(I::LEN).zip(indices) {
            let mut convert = |bytes: &[u8]| self.table.apply(bytes, numbers);
            self.store.show(self.indices[index], &mut convert)?;
        }
        Ok(())
    }
}

impl<I> Clone for Images<I> {
    fn clone(&self) -> Self {
        Images {
            store: Arc::clone(&self.store),
            indices: Arc::clone(&self.indices),
            class_names: Arc::clone(&self.class_names),
            normalization: self.normalization.clone(),
            table: self.table.clone(),
            kind: PhantomData,
        }
    }
}

impl<I> fmt::Debug for Images<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Images")
            .field("len", &self.len())
            .field("input", &std::any::type_name::<I>())
            .field("class_names", &self.class_names)
            .field("normalization", &self.normalization)
            .finish_non_exhaustive()
    }
}

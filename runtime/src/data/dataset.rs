use std::fmt;
use std::marker::PhantomData;

use super::scaling;
use super::split::{check_fraction, first_part, split_indices, stratified};
use crate::{Error, Normalization, Result};
use typenet_engine::Flat;

/// Inputs, each with its target: a class number (`usize`), or the numbers to predict, an `f32` or
/// an array of them.
///
/// `I` is the input type of the net, `[[[f32; width]; height]; channels]` or `[f32; features]`. The
/// numbers are in one flat buffer on the heap.
///
/// ```
/// use typenet_runtime::data::Dataset;
///
/// # fn main() -> Result<(), typenet_runtime::Error> {
/// let points = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
/// let xor = Dataset::from_inputs(&points, vec![0, 1, 1, 0])?.with_class_names(["same", "different"]);
/// assert_eq!(xor.len(), 4);
/// assert_eq!(xor.inputs()[2], [1.0, 0.0]);
/// assert_eq!(xor.class_names()[xor.targets()[2]], "different");
/// # Ok(())
/// # }
/// ```
pub struct Dataset<I: Flat, T = usize> {
    inputs: Vec<f32>,
    targets: Vec<T>,
    class_names: Vec<String>,
    normalization: Option<Normalization>,
    kind: PhantomData<I>,
}

impl<I: Flat, T> Dataset<I, T> {
    /// A data set of these inputs, each with the target at the same index. For a net `N` with named inputs,
    /// `NInput::dataset` takes a slice of each; for one with heads there is `NTarget::zip`.
    ///
    /// # Errors
    /// [`Error::Size`] when there are not as many targets as inputs, or an input has no numbers.
    ///
    /// ```
    /// use typenet_runtime::data::Dataset;
    ///
    /// let two = [[0.5, 1.0], [0.0, 0.0]];
    /// assert!(Dataset::from_inputs(&two, vec![1, 0]).is_ok());
    /// let error = Dataset::from_inputs(&two, vec![1]).unwrap_err();
    /// assert_eq!(error.to_string(), "targets: expected 2, found 1");
    /// ```
    pub fn from_inputs(inputs: &[I], targets: Vec<T>) -> Result<Self> {
        if inputs.len() != targets.len() {
            return Err(Error::size("targets", inputs.len(), targets.len()));
        }
        Dataset::from_flat(I::flatten(inputs).to_vec(), targets)
    }

    /// A data set from one buffer of inputs, one after the other in row-major order: for images channel,
    /// row, column.
    ///
    /// # Errors
    /// [`Error::Size`] when there is not exactly one input for each target, or an input has no numbers.
    ///
    /// ```
    /// use typenet_runtime::data::Dataset;
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let data = Dataset::<[f32; 2], f32>::from_flat(vec![1.0, 2.0, 3.0, 4.0], vec![3.0, 7.0])?;
    /// assert_eq!(data.inputs(), [[1.0, 2.0], [3.0, 4.0]]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_flat(inputs: Vec<f32>, targets: Vec<T>) -> Result<Self> {
        if I::LEN == 0 {
            return Err(Error::size("numbers of an input", "at least 1", 0));
        }
        if targets.len().checked_mul(I::LEN) != Some(inputs.len()) {
            let expected = format!("{} for each of {} targets", I::LEN, targets.len());
            return Err(Error::size("numbers of the inputs", expected, inputs.len()));
        }
        Ok(Dataset {
            inputs,
            targets,
            class_names: Vec::new(),
            normalization: None,
            kind: PhantomData,
        })
    }

    /// How many examples there are.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there are no examples.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// The inputs in order.
    pub fn inputs(&self) -> &[I] {
        I::slice_from_flat(&self.inputs).unwrap_or_default()
    }

    /// The target of each input.
    pub fn targets(&self) -> &[T] {
        &self.targets
    }

    /// The names of the classes in the order of their numbers; empty where none were given.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The same data with names for its classes, in the order of their numbers. Training stores
    /// them in the net.
    ///
    /// ```
    /// use typenet_runtime::data::Dataset;
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let pets = Dataset::from_inputs(&[[0.1], [0.9]], vec![0, 1])?.with_class_names(["cat", "dog"]);
    /// assert_eq!(pets.class_names(), ["cat", "dog"]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_class_names<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        Dataset { class_names: names.into_iter().map(Into::into).collect(), ..self }
    }

    /// The normalisation that [`normalize`](Self::normalize) applied; `None` if none was.
    pub fn normalization(&self) -> Option<&Normalization> {
        self.normalization.as_ref()
    }

    /// The same data, whose inputs were normalised before they came here.
    pub(super) fn normalized_before(self, normalization: Option<Normalization>) -> Self {
        Dataset { normalization, ..self }
    }

    /// The mean and the standard deviation of each channel over all inputs, in f64. The deviation is
    /// that of the data at hand: `√(Σ (x − mean)² / n)`, without Bessel's correction. A constant
    /// channel has a deviation of 1 here, so that it can be divided by.
    ///
    /// `channels` is the first dimension of an image; use 1 for one mean over all numbers, and the
    /// number of features for one each.
    ///
    /// # Errors
    /// [`Error::Size`] when there are no examples, or an input does not divide into `channels`.
    ///
    /// ```
    /// use typenet_runtime::data::Dataset;
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let data = Dataset::from_inputs(&[[1.0, 8.0], [3.0, 8.0]], vec![0, 1])?;
    /// let statistics = data.channel_statistics(2)?;
    /// assert_eq!(statistics.mean, [2.0, 8.0]);
    /// assert_eq!(statistics.std, [1.0, 1.0]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn channel_statistics(&self, channels: usize) -> Result<Normalization> {
        let area = scaling::area(I::LEN, channels)?;
        if self.is_empty() {
            return Err(Error::size("examples to measure", "at least 1", 0));
        }
        let count = (self.len() * area) as f64;
        let mut statistics = Normalization { mean: Vec::new(), std: Vec::new() };
        for channel in 0..channels {
            let numbers = || {
                let images = self.inputs.chunks_exact(I::LEN);
                images.flat_map(move |image| &image[channel * area..][..area]).copied()
            };
            let mean = numbers().map(f64::from).sum::<f64>() / count;
            let squares = numbers().map(|x| (f64::from(x) - mean).powi(2)).sum::<f64>();
            // Compared exactly: rounding of the mean would leave a tiny deviation.
            let constant = numbers().all(|x| x == self.inputs[channel * area]);
            let std = (squares / count).sqrt() as f32;
            statistics.mean.push(mean as f32);
            statistics.std.push(if constant || std == 0.0 { 1.0 } else { std });
        }
        Ok(statistics)
    }

    /// Turns every number `x` into `(x − mean) / std` of its channel, and remembers the normalisation:
    /// training stores it in the net, which then does the same to new images. Normalise the test set with
    /// the statistics of the training set.
    ///
    /// # Errors
    /// [`Error::Argument`] when the inputs were normalised before (a second time is nearly always a
    /// mistake), or a mean or deviation is not finite, or a deviation not positive.
    /// [`Error::Size`] when `mean` and `std` have different lengths, or an input does not divide into
    /// this many channels. Nothing is changed then.
    ///
    /// ```
    /// use typenet_runtime::data::Dataset;
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let mut train = Dataset::from_inputs(&[[1.0], [5.0]], vec![0, 1])?;
    /// let mut test = Dataset::from_inputs(&[[3.0]], vec![0])?;
    /// let statistics = train.channel_statistics(1)?;
    /// train.normalize(&statistics)?;
    /// test.normalize(&statistics)?;
    /// assert_eq!(train.inputs(), [[-1.0], [1.0]]);
    /// assert_eq!(test.inputs(), [[0.0]]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn normalize(&mut self, normalization: &Normalization) -> Result<()> {
        let channels = scaling::check(normalization, self.normalization(), I::LEN)?;
        for image in self.inputs.chunks_exact_mut(I::LEN) {
            normalization.apply(image, channels)?;
        }
        self.normalization = Some(normalization.clone());
        Ok(())
    }

    /// Copies the examples at `indices` into the caller's buffers, and replaces what these held. Buffers
    /// that have grown to their size are not allocated again.
    ///
    /// # Panics
    /// When an index is not below [`len`](Self::len).
    ///
    /// ```
    /// use typenet_runtime::data::Dataset;
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let data = Dataset::from_inputs(&[[1.0], [2.0], [3.0]], vec![10, 20, 30])?;
    /// let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    /// data.gather(&[2, 0], &mut inputs, &mut targets);
    /// assert_eq!((inputs, targets), (vec![3.0, 1.0], vec![30, 10]));
    /// # Ok(())
    /// # }
    /// ```
    pub fn gather(&self, indices: &[usize], inputs: &mut Vec<f32>, targets: &mut Vec<T>)
    where
        T: Clone,
    {
        inputs.clear();
        targets.clear();
        inputs.reserve(indices.len() * I::LEN);
        targets.reserve(indices.len());
        for &index in indices {
            assert!(index < self.len(), "example {index} of a data set of {}", self.len());
            inputs.extend_from_slice(&self.inputs[index * I::LEN..][..I::LEN]);
            // A slice of one is copied without a target on the stack, which may be too small for it.
            targets.extend_from_slice(std::slice::from_ref(&self.targets[index]));
        }
    }

    /// Splits the examples at random in two: the first part has the share `1 − fraction`, the second
    /// the share `fraction`, rounded to the nearest example. The same seed gives the same parts.
    /// Class names and normalisation are those of the whole.
    ///
    /// # Errors
    /// [`Error::Argument`] when not `0 ≤ fraction ≤ 1`.
    ///
    /// ```
    /// use typenet_runtime::data::Dataset;
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let data = Dataset::from_flat(vec![0.0; 100], (0..100).collect())?;
    /// let data: Dataset<[f32; 1]> = data;
    /// let (train, test) = data.split(0.2, 42)?;
    /// assert_eq!((train.len(), test.len()), (80, 20));
    /// # Ok(())
    /// # }
    /// ```
    pub fn split(&self, fraction: f64, seed: u64) -> Result<(Self, Self)>
    where
        T: Clone,
    {
        check_fraction(fraction)?;
        self.split_at(first_part(self.len(), fraction), seed)
    }

    /// Splits the examples at random in two: `n` in the first part, the others in the second.
    ///
    /// # Errors
    /// [`Error::Size`] when there are fewer than `n`.
    ///
    /// ```
    /// use typenet_runtime::data::Dataset;
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let data = Dataset::from_inputs(&[[1.0], [2.0], [3.0]], vec![1, 2, 3])?;
    /// let (two, one) = data.split_at(2, 7)?;
    /// assert_eq!((two.len(), one.len()), (2, 1));
    /// assert!(data.split_at(4, 7).is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn split_at(&self, n: usize, seed: u64) -> Result<(Self, Self)>
    where
        T: Clone,
    {
        if n > self.len() {
            return Err(Error::size("examples to split", format!("at least {n}"), self.len()));
        }
        let [first, second] = split_indices(self.len(), n, seed);
        Ok((self.select(&first), self.select(&second)))
    }

    /// The first `n` examples, or all if there are fewer.
    ///
    /// ```
    /// use typenet_runtime::data::Dataset;
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let data = Dataset::from_inputs(&[[1.0], [2.0], [3.0]], vec![1, 2, 3])?;
    /// assert_eq!(data.take(2).targets(), [1, 2]);
    /// assert_eq!(data.take(9).len(), 3);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn take(&self, n: usize) -> Self
    where
        T: Clone,
    {
        let n = n.min(self.len());
        Dataset {
            inputs: self.inputs[..n * I::LEN].to_vec(),
            targets: self.targets[..n].to_vec(),
            class_names: self.class_names.clone(),
            normalization: self.normalization.clone(),
            kind: PhantomData,
        }
    }

    fn select(&self, indices: &[usize]) -> Self
    where
        T: Clone,
    {
        let (mut inputs, mut targets) = (Vec::new(), Vec::new());
        self.gather(indices, &mut inputs, &mut targets);
        Dataset {
            inputs,
            targets,
            class_names: self.class_names.clone(),
            normalization: self.normalization.clone(),
            kind: PhantomData,
        }
    }
}

impl<I: Flat> Dataset<I, usize> {
    /// Splits the examples at random in two, as [`split`](Self::split), and keeps the classes in
    /// proportion: of each class, the second part has the share `fraction`, to within one example.
    /// Within the parts, examples stay in their order.
    ///
    /// # Errors
    /// [`Error::Argument`] when not `0 ≤ fraction ≤ 1`.
    ///
    /// ```
    /// use typenet_runtime::data::Dataset;
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let labels = (0..100).map(|i| usize::from(i >= 90)).collect();
    /// let data = Dataset::<[f32; 1]>::from_flat(vec![0.0; 100], labels)?;
    /// let (train, validation) = data.split_stratified(0.2, 42)?;
    /// let rare = |data: &Dataset<_>| data.targets().iter().sum::<usize>();
    /// assert_eq!((train.len(), rare(&train)), (80, 8));
    /// assert_eq!((validation.len(), rare(&validation)), (20, 2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn split_stratified(&self, fraction: f64, seed: u64) -> Result<(Self, Self)> {
        let labels = self.targets().iter().copied();
        let (first, second) = stratified(labels, fraction, seed)?;
        Ok((self.select(&first), self.select(&second)))
    }
    /// How many classes there are: the number of class names or the largest label plus 1, whichever is
    /// larger.
    ///
    /// ```
    /// use typenet_runtime::data::Dataset;
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let data = Dataset::from_inputs(&[[0.1], [0.9]], vec![0, 2])?;
    /// assert_eq!(data.classes(), 3);
    /// # Ok(())
    /// # }
    /// ```
    pub fn classes(&self) -> usize {
        let needed = self.targets.iter().max().map_or(0, |label| label.saturating_add(1));
        needed.max(self.class_names.len())
    }
}

impl<I: Flat, T: Clone> Clone for Dataset<I, T> {
    fn clone(&self) -> Self {
        self.take(self.len())
    }
}

impl<I: Flat, T: PartialEq> PartialEq for Dataset<I, T> {
    fn eq(&self, other: &Self) -> bool {
        self.inputs == other.inputs
            && self.targets == other.targets
            && self.class_names == other.class_names
            && self.normalization == other.normalization
    }
}

impl<I: Flat, T> fmt::Debug for Dataset<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dataset")
            .field("len", &self.len())
            .field("input", &std::any::type_name::<I>())
            .field("class_names", &self.class_names)
            .field("normalization", &self.normalization)
            .finish_non_exhaustive()
    }
}

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use typenet_engine::Flat;

use super::{Dataset, Sampler};

/// The inputs of a minibatch. It derefs to the slice `[I]`, also mutably.
pub struct Inputs<I> {
    numbers: Vec<f32>,
    kind: PhantomData<I>,
}

impl<I: Flat> Deref for Inputs<I> {
    type Target = [I];
    fn deref(&self) -> &[I] {
        I::slice_from_flat(&self.numbers).unwrap_or_default()
    }
}

impl<I: Flat> DerefMut for Inputs<I> {
    fn deref_mut(&mut self) -> &mut [I] {
        I::slice_from_flat_mut(&mut self.numbers).unwrap_or_default()
    }
}

impl<I> Clone for Inputs<I> {
    fn clone(&self) -> Inputs<I> {
        Inputs { numbers: self.numbers.clone(), kind: PhantomData }
    }
}

impl<I> PartialEq for Inputs<I> {
    fn eq(&self, other: &Inputs<I>) -> bool {
        self.numbers == other.numbers
    }
}

impl<I: Flat> fmt::Debug for Inputs<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inputs").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// A few examples of a data set, for one training step. It is a copy: changes to it, by random shifts for
/// example, leave the data set as it is.
///
/// ```
/// use typenet_runtime::data::Dataset;
///
/// # fn main() -> Result<(), typenet_runtime::Error> {
/// let data = Dataset::from_inputs(&[[1.0, 2.0], [3.0, 4.0]], vec![0, 1])?;
/// for mut batch in data.minibatches(2, 7) {
///     for (input, label) in batch.inputs.iter_mut().zip(&mut batch.labels) {
///         input.reverse();
///         *label += 1;
///     }
///     assert!(batch.inputs.contains(&[2.0, 1.0]) && batch.labels.contains(&2));
/// }
/// assert_eq!(data.inputs()[0], [1.0, 2.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Minibatch<I: Flat, T = usize> {
    /// The inputs, one after the other.
    pub inputs: Inputs<I>,
    /// The target of each input: its class, or the numbers to predict.
    pub labels: Vec<T>,
}

/// The minibatches of a data set in random order: what [`Dataset::minibatches`] returns.
#[derive(Debug)]
pub struct Minibatches<'a, I: Flat, T = usize> {
    dataset: &'a Dataset<I, T>,
    sampler: Sampler,
    next: usize,
}

impl<I: Flat, T> Dataset<I, T> {
    /// The examples in random order, `batch` at a time, each once; the last minibatch is shorter where
    /// `batch` does not divide their number. The same seed gives the same order: use another seed for every
    /// epoch. A `batch` of 0 is taken as 1.
    ///
    /// ```
    /// use typenet_runtime::data::Dataset;
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let data = Dataset::from_inputs(&[[1.0], [2.0], [3.0]], vec![1, 2, 3])?;
    /// for epoch in 0..2 {
    ///     for batch in data.minibatches(2, epoch) {
    ///         let inputs: &[[f32; 1]] = &batch.inputs;
    ///         assert_eq!(inputs[0][0], batch.labels[0] as f32);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn minibatches(&self, batch: usize, seed: u64) -> Minibatches<'_, I, T> {
        Minibatches::new(self, batch, seed)
    }
}

impl<'a, I: Flat, T> Minibatches<'a, I, T> {
    pub(super) fn new(dataset: &'a Dataset<I, T>, batch: usize, seed: u64) -> Self {
        let mut sampler = Sampler::new(dataset.len(), batch, seed);
        sampler.shuffle(0);
        Minibatches { dataset, sampler, next: 0 }
    }
}

impl<I: Flat, T: Clone> Iterator for Minibatches<'_, I, T> {
    type Item = Minibatch<I, T>;

    fn next(&mut self) -> Option<Minibatch<I, T>> {
        let indices = self.sampler.batches().nth(self.next)?;
        self.next += 1;
        let (mut numbers, mut labels) = (Vec::new(), Vec::new());
        self.dataset.gather(indices, &mut numbers, &mut labels);
        Some(Minibatch { inputs: Inputs { numbers, kind: PhantomData }, labels })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.sampler.batches().len() - self.next;
        (left, Some(left))
    }
}

impl<I: Flat, T: Clone> ExactSizeIterator for Minibatches<'_, I, T> {}

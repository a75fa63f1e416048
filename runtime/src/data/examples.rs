//! What a trainer needs from its data, wherever they are.

mod augmented;
mod map_targets;
mod mixup;
mod subset;

use typenet_engine::Flat;

use super::{ArrayShape, Augment, Dataset};
use crate::{Error, Normalization, Result};

pub use augmented::Augmented;
pub use map_targets::MapTargets;
pub use mixup::Mixup;
pub use subset::Subset;

/// How examples are read: as they are, or for an epoch of training.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum View {
    /// As they are: for evaluation.
    #[default]
    Plain,
    /// As in this epoch of training, counted from 0: augmented, where the source augments.
    Epoch(usize),
}

/// A source of examples for a trainer: inputs of type `I`, each with a target of type `T`.
///
/// A [`Dataset`] is the simple form, in memory. A source of your own implements [`len`](Self::len),
/// [`target`](Self::target) and [`inputs_into`](Self::inputs_into). Several threads call these at once,
/// and the order of the calls must not change the results: augmentation depends on the view, the index and
/// a seed alone.
///
/// ```
/// use typenet_runtime::data::{Examples, View};
/// use typenet_runtime::Result;
///
/// /// Points of the line y = 2x.
/// struct Line;
///
/// impl Examples<[f32; 1], f32> for Line {
///     fn len(&self) -> usize {
///         1000
///     }
///     fn target(&self, _: View, index: usize) -> Result<f32> {
///         Ok(2.0 * index as f32)
///     }
///     fn inputs_into(&self, _: View, indices: &[usize], numbers: &mut [f32]) -> Result<()> {
///         for (number, &index) in numbers.iter_mut().zip(indices) {
///             *number = index as f32;
///         }
///         Ok(())
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let (mut inputs, mut targets) = (Vec::new(), Vec::new());
/// Line.batch_into(View::Plain, &[3, 1], &mut inputs, &mut targets)?;
/// assert_eq!((inputs, targets), (vec![3.0, 1.0], vec![6.0, 2.0]));
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no examples with inputs of type `{I}` and targets of type `{T}`",
    label = "no examples for this net",
    note = "help: the inputs are those of the net: `Dataset<Input<Net>>`; labels are `usize`"
)]
pub trait Examples<I: Flat, T>: Sync {
    /// How many examples there are.
    fn len(&self) -> usize;

    /// Whether there are no examples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of the classes in the order of their numbers; empty where there are none.
    fn class_names(&self) -> &[String] {
        &[]
    }

    /// The normalisation of the inputs, which new inputs need too before the net sees them; `None` if there
    /// is none.
    fn normalization(&self) -> Option<&Normalization> {
        None
    }

    /// Whether inputs are in memory in their final form, so that fetching them ahead gains nothing; `false`
    /// by default.
    fn is_at_hand(&self) -> bool {
        false
    }

    /// Where an example is from, for messages: its file, say.
    fn place(&self, index: usize) -> String {
        format!("example {index}")
    }

    /// The target of an example. It must not take reading the input: a trainer checks all targets before
    /// the first step.
    ///
    /// # Errors
    /// [`Error::Argument`] when the index is not below [`len`](Self::len).
    fn target(&self, view: View, index: usize) -> Result<T>;

    /// Writes the inputs at `indices` to `numbers`, one after the other; images in the order channel, row,
    /// column.
    ///
    /// # Errors
    /// [`Error::Argument`] when an index is not below [`len`](Self::len), [`Error::Size`] when `numbers`
    /// does not have exactly the length of the inputs; errors from reading them.
    fn inputs_into(&self, view: View, indices: &[usize], numbers: &mut [f32]) -> Result<()>;

    /// Replaces the contents of `targets` by the targets at `indices`. A source whose targets may be too
    /// large for the stack implements this without [`target`](Self::target).
    ///
    /// # Errors
    /// As [`target`](Self::target); the contents of the buffer are then unspecified.
    fn targets_into(&self, view: View, indices: &[usize], targets: &mut Vec<T>) -> Result<()> {
        targets.clear();
        for &index in indices {
            targets.push(self.target(view, index)?);
        }
        Ok(())
    }

    /// Replaces the contents of the two buffers by the inputs at `indices` and their targets. Buffers that
    /// have grown to their size are not allocated again.
    ///
    /// # Errors
    /// As [`target`](Self::target) and [`inputs_into`](Self::inputs_into); the contents of the buffers are
    /// then unspecified.
    fn batch_into(
        &self,
        view: View,
        indices: &[usize],
        inputs: &mut Vec<f32>,
        targets: &mut Vec<T>,
    ) -> Result<()> {
        self.targets_into(view, indices, targets)?;
        // Every number is written anew, so those that are there need no clearing.
        inputs.resize(indices.len() * I::LEN, 0.0);
        self.inputs_into(view, indices, inputs)
    }

    /// The same examples, augmented anew in every epoch; the seed decides how. Call `(&data).augmented(…)`
    /// to keep the data themselves.
    ///
    /// # Errors
    /// [`Error::Argument`] when an argument of a change is out of range, [`Error::Size`] when `I` is not
    /// the type of an image, or has a number of channels that a change does not take.
    ///
    /// ```
    /// use typenet_runtime::data::{Augment, Dataset, Examples};
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let data = Dataset::from_inputs(&[[[[0.5; 32]; 32]; 3]; 2], vec![0, 1])?;
    /// let train = (&data).augmented(Augment::new().random_crop(4).horizontal_flip(), 7)?;
    /// assert_eq!(train.len(), 2);
    /// assert!(data.augmented(Augment::new().random_crop(33), 7).is_err());
    /// # Ok(())
    /// # }
    /// ```
    fn augmented(self, augment: Augment, seed: u64) -> Result<Augmented<Self>>
    where
        Self: Sized,
        I: ArrayShape,
    {
        Augmented::new(self, augment, seed)
    }

    /// Mixes each example with another one of the set, drawn anew in every epoch. The input becomes
    /// `λ x + (1 − λ) x'` and the label likewise, with `λ` drawn from Beta(`alpha`, `alpha`) (H. Zhang et
    /// al., "mixup: Beyond empirical risk minimization", 2018: 0.1 to 0.4 for ImageNet, 1 for CIFAR-10).
    /// Evaluation sees the examples as they are.
    ///
    /// The labels become [`MixedLabel`](super::MixedLabel)s, which
    /// [`CrossEntropy`](crate::loss::CrossEntropy) takes. `test.map_targets(MixedLabel::from)` gives a test
    /// set such labels too.
    ///
    /// # Errors
    /// [`Error::Argument`] when `alpha` is not a finite number above 0.
    ///
    /// ```
    /// use typenet_runtime::data::{Dataset, Examples, View};
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let train = Dataset::from_inputs(&[[0.0], [1.0]], vec![0, 1])?.mixup(1.0, 7)?;
    /// let mixed = train.target(View::Epoch(0), 1)?;
    /// let mut number = [0.0];
    /// train.inputs_into(View::Epoch(0), &[1], &mut number)?;
    /// assert_eq!(number[0], mixed.share * mixed.label as f32 + (1.0 - mixed.share) * mixed.other as f32);
    /// # Ok(())
    /// # }
    /// ```
    fn mixup(self, alpha: f64, seed: u64) -> Result<Mixup<Self>>
    where
        Self: Sized + Examples<I, usize>,
    {
        Mixup::new(self, alpha, seed)
    }

    /// The same examples, with the function applied to each target.
    ///
    /// ```
    /// use typenet_runtime::data::{Dataset, Examples, View};
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let digits = Dataset::from_inputs(&[[0.1], [0.2]], vec![3, 8])?;
    /// let parity = digits.map_targets(|digit: usize| digit % 2);
    /// assert_eq!(parity.target(View::Plain, 0)?, 1);
    /// # Ok(())
    /// # }
    /// ```
    fn map_targets<U, F>(self, function: F) -> MapTargets<Self, T, F>
    where
        Self: Sized,
        F: Fn(T) -> U + Sync,
    {
        MapTargets::new(self, function)
    }

    /// The examples at these indices, in this order.
    ///
    /// # Errors
    /// [`Error::Argument`] when an index is not below [`len`](Self::len).
    ///
    /// ```
    /// use typenet_runtime::data::{Dataset, Examples, View};
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let data = Dataset::from_inputs(&[[0.1], [0.2], [0.3]], vec![10, 20, 30])?;
    /// let some = data.subset(vec![2, 0])?;
    /// assert_eq!((some.len(), some.target(View::Plain, 0)?), (2, 30));
    /// # Ok(())
    /// # }
    /// ```
    fn subset(self, indices: Vec<usize>) -> Result<Subset<Self>>
    where
        Self: Sized,
    {
        Subset::new(self, indices)
    }
}

/// Checks the arguments of [`Examples::inputs_into`].
pub(crate) fn check_room<I: Flat>(len: usize, indices: &[usize], numbers: &[f32]) -> Result<()> {
    indices.iter().try_for_each(|&index| check_index(len, index))?;
    let needed = indices.len() * I::LEN;
    if numbers.len() == needed {
        return Ok(());
    }
    let what = format!("numbers for {} inputs", indices.len());
    Err(Error::size(what, needed, numbers.len()))
}

/// Checks the index of an example.
pub(crate) fn check_index(len: usize, index: usize) -> Result<()> {
    if index < len {
        return Ok(());
    }
    let value = format!("{index} of {len} examples");
    Err(Error::Argument { name: "index", value, expected: "a number below that of the examples" })
}

impl<I: Flat, T: Clone + Sync> Examples<I, T> for Dataset<I, T> {
    fn len(&self) -> usize {
        self.len()
    }

    fn class_names(&self) -> &[String] {
        self.class_names()
    }

    fn normalization(&self) -> Option<&Normalization> {
        self.normalization()
    }

    fn is_at_hand(&self) -> bool {
        true
    }

    fn target(&self, _: View, index: usize) -> Result<T> {
        check_index(self.len(), index)?;
        Ok(self.targets()[index].clone())
    }

    fn targets_into(&self, _: View, indices: &[usize], targets: &mut Vec<T>) -> Result<()> {
        targets.clear();
        for &index in indices {
            check_index(self.len(), index)?;
            // A slice of one is copied without a target on the stack.
            targets.extend_from_slice(std::slice::from_ref(&self.targets()[index]));
        }
        Ok(())
    }

    fn inputs_into(&self, _: View, indices: &[usize], numbers: &mut [f32]) -> Result<()> {
        check_room::<I>(self.len(), indices, numbers)?;
        let inputs = self.inputs();
        for (numbers, &index) in numbers.chunks_exact_mut(I::LEN).zip(indices) {
            numbers.copy_from_slice(inputs[index].as_flat());
        }
        Ok(())
    }
}

/// A reference is as good a source as what it points to.
impl<I: Flat, T, S: Examples<I, T> + ?Sized> Examples<I, T> for &S {
    fn len(&self) -> usize {
        (**self).len()
    }

    fn is_empty(&self) -> bool {
        (**self).is_empty()
    }

    fn class_names(&self) -> &[String] {
        (**self).class_names()
    }

    fn normalization(&self) -> Option<&Normalization> {
        (**self).normalization()
    }

    fn is_at_hand(&self) -> bool {
        (**self).is_at_hand()
    }

    fn place(&self, index: usize) -> String {
        (**self).place(index)
    }

    fn target(&self, view: View, index: usize) -> Result<T> {
        (**self).target(view, index)
    }

    fn inputs_into(&self, view: View, indices: &[usize], numbers: &mut [f32]) -> Result<()> {
        (**self).inputs_into(view, indices, numbers)
    }

    fn targets_into(&self, view: View, indices: &[usize], targets: &mut Vec<T>) -> Result<()> {
        (**self).targets_into(view, indices, targets)
    }

    fn batch_into(
        &self,
        view: View,
        indices: &[usize],
        inputs: &mut Vec<f32>,
        targets: &mut Vec<T>,
    ) -> Result<()> {
        (**self).batch_into(view, indices, inputs, targets)
    }
}

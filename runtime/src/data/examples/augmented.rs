use std::cell::RefCell;

use super::{Examples, View};
use crate::data::ArrayShape;
use crate::data::augment::{Augment, EpochSeed, Scratch};
use crate::{Normalization, Result};

/// Examples with data augmentation: what [`Examples::augmented`] returns.
#[derive(Clone, PartialEq, Debug)]
pub struct Augmented<S> {
    source: S,
    augment: Augment,
    seed: u64,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl<S> Augmented<S> {
    pub(super) fn new<I: ArrayShape, T>(source: S, augment: Augment, seed: u64) -> Result<Self>
    where
        S: Examples<I, T>,
    {
        augment.check::<I>(source.normalization())?;
        Ok(Augmented { source, augment, seed })
    }

    /// The examples without augmentation.
    pub fn source(&self) -> &S {
        &self.source
    }
}

impl<I: ArrayShape, T, S: Examples<I, T>> Examples<I, T> for Augmented<S> {
    fn len(&self) -> usize {
        self.source.len()
    }

    fn class_names(&self) -> &[String] {
        self.source.class_names()
    }

    fn normalization(&self) -> Option<&Normalization> {
        self.source.normalization()
    }

    fn place(&self, index: usize) -> String {
        self.source.place(index)
    }

    fn target(&self, view: View, index: usize) -> Result<T> {
        self.source.target(view, index)
    }

    fn targets_into(&self, view: View, indices: &[usize], targets: &mut Vec<T>) -> Result<()> {
        self.source.targets_into(view, indices, targets)
    }

    fn inputs_into(&self, view: View, indices: &[usize], numbers: &mut [f32]) -> Result<()> {
        self.source.inputs_into(view, indices, numbers)?;
        let View::Epoch(epoch) = view else { return Ok(()) };
        // Checked anew, because a source may be of several types of images.
        let dims = self.augment.check::<I>(self.source.normalization())?;
        let seed = EpochSeed::new(self.seed, epoch);
        SCRATCH.with_borrow_mut(|scratch| {
            for (image, &index) in numbers.chunks_exact_mut(I::LEN).zip(indices) {
                let normalization = self.source.normalization();
                self.augment.change(image, dims, normalization, seed.image(index), scratch);
            }
        });
        Ok(())
    }
}

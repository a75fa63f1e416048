//! Training images and those that are held back from them.

use rand::seq::SliceRandom;

use crate::data::{Examples, View};
use crate::{Normalization, Result, random};
use typenet_engine::Flat;

/// The stream of a seed that splits data sets: as in [`Dataset::split`](crate::data::Dataset::split).
const SPLIT: u64 = 1 << 63;

/// Some examples of a source, by their indices there.
#[derive(Debug)]
pub(super) struct Part<'a, S: ?Sized> {
    source: &'a S,
    indices: Vec<usize>,
}

/// Two parts, the second with the share `fraction` of all.
pub(super) fn split<I: Flat, T, S: Examples<I, T> + ?Sized>(
    source: &S,
    fraction: f64,
    seed: u64,
) -> [Part<'_, S>; 2] {
    let len = source.len();
    let held_back = ((len as f64 * fraction).round() as usize).min(len);
    let mut indices: Vec<usize> = (0..len).collect();
    indices.shuffle(&mut random::generator(seed, SPLIT));
    let second = indices.split_off(len - held_back);
    [indices, second].map(|indices| Part { source, indices })
}

impl<I: Flat, T, S: Examples<I, T> + ?Sized> Examples<I, T> for Part<'_, S> {
    fn len(&self) -> usize {
        self.indices.len()
    }

    fn class_names(&self) -> &[String] {
        self.source.class_names()
    }

    fn normalization(&self) -> Option<&Normalization> {
        self.source.normalization()
    }

    fn place(&self, index: usize) -> String {
        self.source.place(self.indices[index])
    }

    fn target(&self, view: View, index: usize) -> Result<T> {
        self.source.target(view, self.indices[index])
    }

    fn inputs_into(&self, view: View, indices: &[usize], numbers: &mut [f32]) -> Result<()> {
        let indices: Vec<usize> = indices.iter().map(|&index| self.indices[index]).collect();
        self.source.inputs_into(view, &indices, numbers)
    }

    fn batch_into(
        &self,
        view: View,
        indices: &[usize],
        inputs: &mut Vec<f32>,
        targets: &mut Vec<T>,
    ) -> Result<()> {
        let indices: Vec<usize> = indices.iter().map(|&index| self.indices[index]).collect();
        self.source.batch_into(view, &indices, inputs, targets)
    }
}

use std::cell::RefCell;

use typenet_engine::Flat;

use super::{Examples, View, check_index};
use crate::{Normalization, Result};

/// Some of the examples of a source: what [`Examples::subset`] returns.
#[derive(Clone, PartialEq, Debug)]
pub struct Subset<S> {
    source: S,
    indices: Vec<usize>,
}

thread_local! {
    /// The indices in the source.
    static INDICES: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

impl<S> Subset<S> {
    pub(super) fn new<I: Flat, T>(source: S, indices: Vec<usize>) -> Result<Self>
    where
        S: Examples<I, T>,
    {
        indices.iter().try_for_each(|&index| check_index(source.len(), index))?;
        Ok(Subset { source, indices })
    }

    /// Asks for these examples by the source's indices.
    fn of_source(&self, indices: &[usize], ask: impl FnOnce(&[usize]) -> Result<()>) -> Result<()> {
        indices.iter().try_for_each(|&index| check_index(self.indices.len(), index))?;
        // Taken, not borrowed: the source may be a subset as well.
        let mut inner = INDICES.take();
        inner.clear();
        inner.extend(indices.iter().map(|&index| self.indices[index]));
        let done = ask(&inner);
        INDICES.set(inner);
        done
    }
}

impl<I: Flat, T, S: Examples<I, T>> Examples<I, T> for Subset<S> {
    fn len(&self) -> usize {
        self.indices.len()
    }

    fn class_names(&self) -> &[String] {
        self.source.class_names()
    }

    fn normalization(&self) -> Option<&Normalization> {
        self.source.normalization()
    }

    fn is_at_hand(&self) -> bool {
        self.source.is_at_hand()
    }

    fn place(&self, index: usize) -> String {
        match self.indices.get(index) {
            Some(&index) => self.source.place(index),
            None => format!("example {index}"),
        }
    }

    fn target(&self, view: View, index: usize) -> Result<T> {
        check_index(self.len(), index)?;
        self.source.target(view, self.indices[index])
    }

    fn targets_into(&self, view: View, indices: &[usize], targets: &mut Vec<T>) -> Result<()> {
        self.of_source(indices, |indices| self.source.targets_into(view, indices, targets))
    }

    fn inputs_into(&self, view: View, indices: &[usize], numbers: &mut [f32]) -> Result<()> {
        self.of_source(indices, |indices| self.source.inputs_into(view, indices, numbers))
    }
}

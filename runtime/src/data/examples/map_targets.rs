use std::fmt;
use std::marker::PhantomData;

use typenet_engine::Flat;

use super::{Examples, View};
use crate::{Normalization, Result};

/// Examples with other targets: what [`Examples::map_targets`] returns.
pub struct MapTargets<S, T, F> {
    source: S,
    function: F,
    kind: PhantomData<fn(T)>,
}

impl<S, T, F> MapTargets<S, T, F> {
    pub(super) fn new(source: S, function: F) -> Self {
        MapTargets { source, function, kind: PhantomData }
    }
}

impl<I, T, U, S, F> Examples<I, U> for MapTargets<S, T, F>
where
    I: Flat,
    S: Examples<I, T>,
    F: Fn(T) -> U + Sync,
{
    fn len(&self) -> usize {
        self.source.len()
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
        self.source.place(index)
    }

    fn target(&self, view: View, index: usize) -> Result<U> {
        self.source.target(view, index).map(&self.function)
    }

    fn inputs_into(&self, view: View, indices: &[usize], numbers: &mut [f32]) -> Result<()> {
        self.source.inputs_into(view, indices, numbers)
    }
}

impl<S: fmt::Debug, T, F> fmt::Debug for MapTargets<S, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapTargets").field("source", &self.source).finish_non_exhaustive()
    }
}

//! What a kernel does with its sums: in the tile, while they are in registers, where possible; else in a pass
//! over the result.

use std::ops::Range;

use typenet_shape::Activation;

use super::fused::Fused;
use super::team::{Crew, chunks, chunks_mut};
use super::{Isa, LANES, Lanes, Statistics, activation};

/// What the forward pass of a convolution does with its sums: `y = f(sum + bias + add)`, and the
/// statistics of `y`. By [`Default`], nothing.
#[derive(Debug)]
pub struct Epilogue<'a> {
    /// A number for each output channel.
    pub bias: Option<&'a [f32]>,
    /// A value as long as `y`.
    pub add: Option<&'a [Lanes]>,
    /// Whether what stands in `y` is added, in place of `add`.
    pub accumulate: bool,
    /// `f`
    pub activation: Activation,
    /// Where the statistics of `y` go if a batch norm after it needs them. They are gathered while `y` is in
    /// cache.
    pub statistics: Option<Statistics<'a>>,
}

impl Default for Epilogue<'_> {
    fn default() -> Self {
        let activation = Activation::Identity;
        Epilogue { bias: None, add: None, accumulate: false, activation, statistics: None }
    }
}

impl<'a> Epilogue<'a> {
    /// What the tiles do, and what comes after them.
    pub(super) fn split(self) -> (Finish<'a>, Behind<'a>) {
        let (fused, activation) = Fused::split(self.activation);
        let plus = if self.accumulate { Plus::Own } else { Plus::value(self.add) };
        let finish = Finish { bias: self.bias, plus, fused };
        (finish, Behind { activation, statistics: self.statistics })
    }
}

/// What comes after the tiles.
#[derive(Debug)]
pub(super) struct Behind<'a> {
    activation: Option<Activation>,
    statistics: Option<Statistics<'a>>,
}

impl<'a> Behind<'a> {
    /// The statistics, for a kernel that gathers them itself: not where `y` is still to be activated.
    pub(super) fn take_statistics(&mut self) -> Option<Statistics<'a>> {
        if self.activation.is_some() { None } else { self.statistics.take() }
    }

    /// As [`run`](Self::run), by a crew. Statistics that the kernel would gather itself are gathered in the same
    /// `bands` of pixels.
    pub(super) fn run_by(
        self,
        isa: Isa,
        crew: &mut Crew<'_>,
        channels: usize,
        bands: impl Iterator<Item = Range<usize>> + Clone + Sync,
        y: &mut [Lanes],
    ) {
        let parts = crew.threads();
        if let Some(f) = self.activation {
            crew.for_each(chunks_mut(y, y.len().div_ceil(parts).max(1)), |_, _, y| {
                activation::forward_in_place(isa, f, y);
            });
        }
        let Some(Statistics { images, numbers }) = self.statistics else { return };
        let pixels = y.len() / channels;
        // Four channels cost hardly more than one.
        let some = channels.div_ceil(parts).next_multiple_of(4);
        let parts = (chunks(y, (some * pixels).max(1)), chunks_mut(numbers, 2 * some));
        crew.for_each(parts, |_, _, (y, numbers)| {
            let mut statistics = Statistics { images, numbers };
            if self.activation.is_some() {
                return statistics.add(isa, y, pixels, 0..pixels);
            }
            for band in bands.clone() {
                statistics.add(isa, y, pixels, band);
            }
        });
    }

    /// Does what is left of it, for a value of this many channels.
    pub(super) fn run(self, isa: Isa, channels: usize, y: &mut [Lanes]) {
        if let Some(f) = self.activation {
            activation::forward_in_place(isa, f, y);
        }
        if let Some(mut statistics) = self.statistics {
            let pixels = y.len() / channels;
            statistics.add(isa, y, pixels, 0..pixels);
        }
    }
}

/// What is done with each sum before it is stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finish<'a> {
    pub(super) bias: Option<&'a [f32]>,
    pub(super) plus: Plus<'a>,
    pub(super) fused: Fused,
}

/// What is added to each channel.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bias<'a> {
    /// Nothing.
    None,
    /// A number for each channel: the same for all images.
    Numbers(&'a [f32]),
    /// A vector for each block of channels of one image.
    Vectors(&'a [Lanes]),
}

impl<'a> Bias<'a> {
    pub(super) fn numbers(numbers: Option<&'a [f32]>) -> Bias<'a> {
        numbers.map_or(Bias::None, Bias::Numbers)
    }

    /// What is added to a channel, or a block of them.
    #[inline(always)]
    pub(super) fn of(&self, channel: usize) -> Lanes {
        match self {
            Bias::None => Lanes::ZERO,
            Bias::Numbers(numbers) => Lanes([numbers[channel]; LANES]),
            Bias::Vectors(vectors) => vectors[channel],
        }
    }
}

/// What is added to a result before it is activated and stored.
#[derive(Clone, Copy, Debug)]
pub(super) enum Plus<'a> {
    Nothing,
    /// A value as long as the result.
    Value(&'a [Lanes]),
    /// What stands where the result goes.
    Own,
}

impl<'a> Plus<'a> {
    pub(super) fn value(value: Option<&'a [Lanes]>) -> Plus<'a> {
        value.map_or(Plus::Nothing, Plus::Value)
    }

    /// The result is added to what stands in its place, or overwrites it.
    pub(super) fn own_if(accumulates: bool) -> Plus<'a> {
        if accumulates { Plus::Own } else { Plus::Nothing }
    }

    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Plus::Nothing)
    }

    /// From this place of the result on.
    pub(super) fn from(self, start: usize) -> Plus<'a> {
        match self {
            Plus::Value(value) => Plus::Value(&value[start..]),
            Plus::Nothing | Plus::Own => self,
        }
    }

    /// # Panics
    /// When what is added is not as long as the result.
    pub(super) fn check(&self, len: usize) {
        if let Plus::Value(value) = self {
            assert_eq!(value.len(), len, "the added value's length");
        }
    }
}

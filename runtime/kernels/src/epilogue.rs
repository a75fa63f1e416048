//! What is done with a product's sums behind it: in the tile that has them in registers where that can
//! be, else in a pass over the result.

use typenet_shape::Activation;

use super::fused::Fused;
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
    /// Where the statistics of `y` go if a batch norm behind it needs them. They are gathered while `y` is
    /// in cache.
    pub statistics: Option<Statistics<'a>>,
}

impl Default for Epilogue<'_> {
    fn default() -> Self {
        let activation = Activation::Identity;
        Epilogue { bias: None, add: None, accumulate: false, activation, statistics: None }
    }
}

impl<'a> Epilogue<'a> {
    /// What the tiles do, and what comes behind them.
    pub(super) fn split(self) -> (Finish<'a>, Behind<'a>) {
        let (fused, activation) = Fused::split(self.activation);
        let plus = if self.accumulate { Plus::Own } else { Plus::value(self.add) };
        let finish = Finish { bias: self.bias, plus, fused };
        (finish, Behind { activation, statistics: self.statistics })
    }
}

/// What comes behind the tiles.
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

//! The random numbers of an image in an epoch.

use chacha20::ChaCha8Rng;
use rand::{Rng, RngExt};

use crate::random;

/// The streams of a seed that change images start here, apart from those that shuffle and split.
const EPOCHS: u64 = 3 << 61;
/// The stream for what stays the same in all epochs.
const FIXED: u64 = EPOCHS - 1;

/// What decides the random changes of an image: the same three give the same changes, whatever the
/// threads, the batch or the images before.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Draw {
    /// The seed of the training run.
    pub seed: u64,
    /// The epoch, counted from 0.
    pub epoch: usize,
    /// The index of the image in the set.
    pub index: usize,
}

/// The seeds of all images in an epoch.
#[derive(Clone, Copy)]
pub(in crate::data) struct EpochSeed {
    own: u64,
    fixed: u64,
    epoch: usize,
}

impl EpochSeed {
    pub(in crate::data) fn new(seed: u64, epoch: usize) -> EpochSeed {
        let first = |stream| random::generator(seed, stream).next_u64();
        let own = first(EPOCHS.wrapping_add(epoch as u64));
        EpochSeed { own, fixed: first(FIXED), epoch }
    }

    pub(in crate::data) fn image(&self, index: usize) -> Dice {
        let own = random::generator(self.own, index as u64);
        Dice { own, epoch: *self, index }
    }
}

/// The random numbers of one image in one epoch.
pub(in crate::data) struct Dice {
    own: ChaCha8Rng,
    epoch: EpochSeed,
    index: usize,
}

impl Dice {
    pub(super) fn of(draw: Draw) -> Dice {
        EpochSeed::new(draw.seed, draw.epoch).image(draw.index)
    }

    /// A number from `low` to `high`, both possible for whole numbers.
    pub(super) fn whole(&mut self, low: usize, high: usize) -> usize {
        self.own.random_range(low..=high)
    }

    /// A number `low ≤ x ≤ high`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        let x: f64 = self.own.random();
        low + (high - low) * x
    }

    /// Whether something of this probability happens.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        let x: f64 = self.own.random();
        x < probability
    }

    /// A coin that falls on one side in one epoch and on the other in the next.
    pub(super) fn alternates(&self) -> bool {
        let first = random::generator(self.epoch.fixed, self.index as u64).next_u32() & 1 == 1;
        first != (self.epoch.epoch % 2 == 1)
    }

    pub(in crate::data) fn generator(&mut self) -> &mut ChaCha8Rng {
        &mut self.own
    }
}

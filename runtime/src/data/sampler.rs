use std::slice::Chunks;

use rand::RngExt;
use rand::seq::SliceRandom;

use crate::random;

/// The streams of a seed that shuffle epochs start here, apart from those that draw weights.
const EPOCHS: u64 = 1 << 62;

/// Shuffles the indices of a data set's examples for every epoch, and splits them into minibatches.
///
/// The order depends on the seed and the epoch alone: not on threads, nor on the epochs before.
///
/// ```
/// use typenet_runtime::data::Sampler;
///
/// let mut sampler = Sampler::new(10, 4, 42);
/// sampler.shuffle(0);
/// let sizes: Vec<usize> = sampler.batches().map(|indices| indices.len()).collect();
/// assert_eq!(sizes, [4, 4, 2]);
///
/// let mut seen: Vec<usize> = sampler.batches().flatten().copied().collect();
/// seen.sort();
/// assert_eq!(seen, (0..10).collect::<Vec<usize>>());
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sampler {
    indices: Vec<usize>,
    batch: usize,
    seed: u64,
    replacement: bool,
}

impl Sampler {
    /// Draws `len` examples into minibatches of `batch`, without replacement: each comes once an epoch, and
    /// the last minibatch is shorter where `batch` does not divide `len`. A `batch` of 0 is taken as 1.
    /// Until the first [`shuffle`](Self::shuffle) the examples come in their own order.
    pub fn new(len: usize, batch: usize, seed: u64) -> Sampler {
        Sampler { indices: (0..len).collect(), batch: batch.max(1), seed, replacement: false }
    }

    /// Whether each of the `len` draws of an epoch is from all examples, so that some come several
    /// times and some not at all; `false` by default. It takes effect at the next
    /// [`shuffle`](Self::shuffle).
    #[must_use]
    pub fn with_replacement(self, replacement: bool) -> Sampler {
        Sampler { replacement, ..self }
    }

    /// Draws the order of this epoch.
    pub fn shuffle(&mut self, epoch: usize) {
        let mut random = random::generator(self.seed, EPOCHS.wrapping_add(epoch as u64));
        let len = self.indices.len();
        if self.replacement {
            self.indices.fill_with(|| random.random_range(0..len));
        } else {
            // From the same start every time, so that no epoch depends on those before it.
            for (i, index) in self.indices.iter_mut().enumerate() {
                *index = i;
            }
            self.indices.shuffle(&mut random);
        }
    }

    /// The minibatches of the epoch, each as the indices of its examples.
    pub fn batches(&self) -> Chunks<'_, usize> {
        self.indices.chunks(self.batch)
    }
}

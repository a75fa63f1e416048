//! Random numbers that are the same on every machine for the same seed.

use chacha20::ChaCha8Rng;
use chacha20::rand_core::SeedableRng;

/// A generator for this seed and stream. The streams of one seed are independent of each other.
pub(crate) fn generator(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(stream);
    generator
}

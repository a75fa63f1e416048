//! Where random numbers come from: ChaCha with 8 rounds, counted from a seed and a stream, so that
//! every use has numbers of its own that no other use, and no thread, can shift.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// The random numbers of one stream of a seed.
pub(crate) fn generator(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(stream);
    generator
}

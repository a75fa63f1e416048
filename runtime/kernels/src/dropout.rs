//! Dropout (Srivastava and others, 2014), scaled while training: `y = x / (1 − p)` where a number
//! is kept, else 0.
//!
//! The mask is not stored: a counter-based generator draws the same numbers for the same [`Key`],
//! in the backward pass as in the forward pass, whichever thread runs it.

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use super::simd::{Kernel, Simd};
use super::{Isa, LANES, Lanes};

/// Which random numbers a pass draws: the same key draws the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    /// The workspace's seed.
    pub seed: u64,
    /// The number of the forward pass.
    pub pass: u64,
    /// The layer.
    pub node: u64,
    /// The group of images.
    pub group: u64,
}

impl Key {
    /// ChaCha with 8 rounds, whose 256-bit key is the whole of this one: so no two keys share a stretch of
    /// one stream.
    fn generator(self) -> ChaCha8Rng {
        let mut seed = [0; 32];
        let numbers = [self.seed, self.pass, self.node, self.group];
        for (bytes, number) in seed.chunks_exact_mut(8).zip(numbers) {
            bytes.copy_from_slice(&number.to_le_bytes());
        }
        ChaCha8Rng::from_seed(seed)
    }
}

/// `y = x / (1 − p)` where kept, else 0; each number is kept with probability `1 − p`.
///
/// # Panics
/// When the lengths differ, `p` is not in `0..1`, or this machine lacks `isa`.
pub fn forward(isa: Isa, p: f32, key: Key, x: &[Lanes], y: &mut [Lanes]) {
    assert!((0.0..1.0).contains(&p), "a probability below 1");
    assert_eq!(x.len(), y.len(), "the lengths of input and output");
    isa.run(Masked { p, key, x, y });
}

/// `dx = dy / (1 − p)` where kept, else 0: overwrites `dx`.
///
/// # Panics
/// As [`forward`].
pub fn backward(isa: Isa, p: f32, key: Key, dy: &[Lanes], dx: &mut [Lanes]) {
    forward(isa, p, key, dy, dx);
}

struct Masked<'a> {
    p: f32,
    key: Key,
    x: &'a [Lanes],
    y: &'a mut [Lanes],
}

impl Kernel for Masked<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _s: S) {
        let mut generator = self.key.generator();
        let scale = 1.0 / (1.0 - self.p);
        // Drops as many of the 2³² words as p says; exact, since p has 24 bits.
        let dropped = (f64::from(self.p) * 4_294_967_296.0) as u32;
        for (x, y) in self.x.iter().zip(self.y) {
            let mut bytes = [[0; 4]; LANES];
            generator.fill_bytes(bytes.as_flattened_mut());
            for l in 0..LANES {
                y.0[l] = if u32::from_le_bytes(bytes[l]) >= dropped { x.0[l] * scale } else { 0.0 };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Masks and initial weights of the past depend on it.
    #[test]
    fn the_numbers_are_those_of_rand_chacha() {
        let key = Key { seed: 1, pass: u64::MAX, node: 3, group: 1 << 40 };
        let mut own = [key.generator(), ChaCha8Rng::seed_from_u64(42)];
        own[1].set_stream(0x0123_4567_89ab_cdef);
        let seed = own[0].get_seed();
        let mut others =
            [rand_chacha::ChaCha8Rng::from_seed(seed), rand_chacha::ChaCha8Rng::seed_from_u64(42)];
        others[1].set_stream(0x0123_4567_89ab_cdef);
        for (own, other) in own.iter_mut().zip(&mut others) {
            for round in 0..1000 {
                let (mut bytes, mut expected) = ([0; 64], [0; 64]);
                own.fill_bytes(&mut bytes[..round % 65]);
                other.fill_bytes(&mut expected[..round % 65]);
                assert_eq!(bytes, expected, "round {round}");
                assert_eq!(own.next_u32(), other.next_u32(), "round {round}");
                assert_eq!(own.next_u64(), other.next_u64(), "round {round}");
            }
        }
    }
}

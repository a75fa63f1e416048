//! Means and variances, of each image by itself or of all together.

use std::ops::Range;

use super::simd::Simd;
use super::{LANES, Lanes};

/// How many [`Lanes`] are summed in `f32`; these sums are added up in `f64`.
pub(super) const BLOCK: usize = 64;

/// The mean of each lane, and the sum of squared deviations from it.
pub(super) struct Moments {
    /// The numbers of a lane.
    pub(super) count: f64,
    pub(super) means: [f64; LANES],
    pub(super) squares: [f64; LANES],
}

impl Moments {
    /// Makes one pass over memory: each block is summed after subtracting the mean of the blocks before it,
    /// and merged with them (Chan and others, 1979). The rounding error of the sums stays small, however far
    /// the mean is from zero, or a block from the ones before.
    #[inline(always)]
    pub(super) fn of<S: Simd>(s: S, x: &[Lanes]) -> Moments {
        let mut all = Moments { count: 0.0, means: [0.0; LANES], squares: [0.0; LANES] };
        let mut shift = Lanes::ZERO;
        for block in x.chunks(BLOCK) {
            let count = block.len() as f64;
            if all.count == 0.0 {
                let [sum, _] = deviations(s, block, &Lanes::ZERO);
                let factor = 1.0 / block.len() as f32;
                shift.0 = sum.0.map(|sum| sum * factor);
            }
            let [sum, squares] = deviations(s, block, &shift);
            let inverse = 1.0 / count;
            let share = count / (all.count + count);
            let both = all.count * share;
            for l in 0..LANES {
                let sum = f64::from(sum.0[l]);
                let mean = f64::from(shift.0[l]) + sum * inverse;
                let delta = mean - all.means[l];
                let own = f64::from(squares.0[l]) - sum * sum * inverse;
                all.means[l] += delta * share;
                all.squares[l] += own + delta * delta * both;
                shift.0[l] = all.means[l] as f32;
            }
            all.count += count;
        }
        all
    }

    /// The mean and `1 / sqrt(var + eps)` of each lane, with the biased variance.
    #[inline(always)]
    pub(super) fn mean_and_rstd(&self, eps: f32) -> [Lanes; 2] {
        let rstd =
            |squares: f64| 1.0 / (not_negative(squares) / self.count + f64::from(eps)).sqrt();
        [self.means, self.squares.map(rstd)].map(|numbers| Lanes(numbers.map(|n| n as f32)))
    }

    /// Those of some lanes together.
    #[inline(always)]
    pub(super) fn together(&self, lanes: Range<usize>) -> Joint {
        let mean = self.means[lanes.clone()].iter().sum::<f64>() / lanes.len() as f64;
        let mut squares = self.squares;
        for l in 0..LANES {
            let delta = self.means[l] - mean;
            squares[l] += self.count * delta * delta;
        }
        let squares = not_negative(squares[lanes.clone()].iter().sum());
        Joint { count: self.count * lanes.len() as f64, mean, squares }
    }
}

/// The mean of many numbers, and the sum of squared deviations from it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Joint {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Joint {
    /// Takes in other numbers.
    pub(super) fn join(&mut self, other: Joint) {
        let share = other.count / (self.count + other.count);
        let delta = other.mean - self.mean;
        self.mean += delta * share;
        self.squares += other.squares + delta * delta * self.count * share;
        self.count += other.count;
    }

    /// The mean and `1 / sqrt(var + eps)`, with the biased variance.
    pub(super) fn mean_and_rstd(&self, eps: f32) -> [f32; 2] {
        let rstd = 1.0 / (self.squares / self.count + f64::from(eps)).sqrt();
        [self.mean as f32, rstd as f32]
    }
}

/// A sum of squares, which rounding may have made negative, as 0 at least; NaN stays.
#[inline(always)]
pub(super) fn not_negative(squares: f64) -> f64 {
    if squares < 0.0 { 0.0 } else { squares }
}

/// The sum of the lanes that the mask keeps, for each of four [`Lanes`].
#[inline(always)]
pub(super) fn totals<S: Simd>(s: S, mask: &Lanes, values: &[Lanes; 4]) -> [f32; 4] {
    let mut vectors = [s.splat(0.0); 4];
    for part in 0..S::PARTS {
        let mask = s.load(mask, part);
        for i in 0..4 {
            vectors[i] = s.add(vectors[i], masked(s, mask, s.load(&values[i], part)));
        }
    }
    s.sums(vectors)
}

/// `Σ (x − shift)` and `Σ (x − shift)²`, of each lane.
#[inline(always)]
pub(super) fn deviations<S: Simd>(s: S, x: &[Lanes], shift: &Lanes) -> [Lanes; 2] {
    let mut out = [Lanes::ZERO; 2];
    let (fours, rest) = x.as_chunks::<4>();
    for part in 0..S::PARTS {
        let shift = s.load(shift, part);
        // Four accumulators each, so that additions do not wait for each other.
        let (mut sums, mut squares) = ([s.splat(0.0); 4], [s.splat(0.0); 4]);
        for four in fours {
            for i in 0..4 {
                let d = s.sub(s.load(&four[i], part), shift);
                sums[i] = s.add(sums[i], d);
                squares[i] = s.fma(d, d, squares[i]);
            }
        }
        for x in rest {
            let d = s.sub(s.load(x, part), shift);
            sums[0] = s.add(sums[0], d);
            squares[0] = s.fma(d, d, squares[0]);
        }
        for (out, [a, b, c, d]) in out.iter_mut().zip([sums, squares]) {
            s.store(out, part, s.add(s.add(a, b), s.add(c, d)));
        }
    }
    out
}

/// The most vectors that a [`Lanes`] is on any instruction set.
pub(super) const PARTS: usize = 4;

/// The vectors of a [`Lanes`], for a loop that visits all parts at each step: one loop for each
/// part would fetch every line of a large value again.
#[inline(always)]
pub(super) fn parts<S: Simd>(s: S, lanes: &Lanes) -> [S::V; PARTS] {
    let mut vectors = [s.splat(0.0); PARTS];
    for part in 0..S::PARTS {
        vectors[part] = s.load(lanes, part);
    }
    vectors
}

/// Which lanes hold an image: 1 there, 0 elsewhere.
pub(super) fn mask(images: usize) -> Lanes {
    assert!((1..=LANES).contains(&images), "1 to 16 images");
    let mut mask = Lanes::ZERO;
    mask.0[..images].fill(1.0);
    mask
}

/// `v` where the mask is 1, 0 where it is 0, whatever stands there.
#[inline(always)]
pub(super) fn masked<S: Simd>(s: S, mask: S::V, v: S::V) -> S::V {
    let zero = s.splat(0.0);
    s.select_lt(zero, mask, v, zero)
}

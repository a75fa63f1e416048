//! Softmax of one image, over the channels, for each pixel.

use super::super::math;
use super::super::moments::{masked, parts};
use super::super::simd::{Kernel, Simd};
use super::super::{Isa, LANES, Lanes};
use super::layout::blocks;

/// As [`softmax::forward`](super::super::softmax::forward), or with `log` its logarithm; overwrites `y`.
///
/// # Panics
/// When a slice has a wrong length, or this machine lacks `isa`.
pub fn softmax(isa: Isa, channels: usize, log: bool, x: &[Lanes], y: &mut [Lanes]) {
    assert_eq!(x.len(), y.len(), "the lengths of input and output");
    let whole = channels > 0 && x.len().is_multiple_of(blocks(channels));
    assert!(whole, "pixels of each block of channels");
    isa.run(Softmax { channels, log, x, y });
}

struct Softmax<'a> {
    channels: usize,
    log: bool,
    x: &'a [Lanes],
    y: &'a mut [Lanes],
}

impl Kernel for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Softmax { channels, log, x, y } = self;
        let blocks = blocks(channels);
        let area = x.len() / blocks;
        // Which channels of the last block there are: 1 there, 0 elsewhere.
        let mut last = Lanes::ZERO;
        last.0[..channels - (blocks - 1) * LANES].fill(1.0);
        let mask = |block: usize| if block + 1 < blocks { Lanes([1.0; LANES]) } else { last };
        let zero = s.splat(0.0);
        for pixel in 0..area {
            let mut tops = parts(s, &Lanes([f32::NEG_INFINITY; LANES]));
            for block in 0..blocks {
                let mask = mask(block);
                for part in 0..S::PARTS {
                    let v = s.load(&x[block * area + pixel], part);
                    let v = s.select_lt(zero, s.load(&mask, part), v, tops[part]);
                    tops[part] = math::max(s, tops[part], v);
                }
            }
            let top = s.splat(largest(&stored(s, tops)));
            let mut sums = [zero; 4];
            for block in 0..blocks {
                let mask = mask(block);
                for part in 0..S::PARTS {
                    let v = s.load(&x[block * area + pixel], part);
                    let e = math::exp(s, s.sub(v, top));
                    let e = masked(s, s.load(&mask, part), e);
                    sums[part] = s.add(sums[part], e);
                    s.store(&mut y[block * area + pixel], part, e);
                }
            }
            let sum: f64 = stored(s, sums).0.iter().map(|&sum| f64::from(sum)).sum();
            let (sum, log_sum) = (s.splat(sum as f32), s.splat(sum.ln() as f32));
            for block in 0..blocks {
                let mask = mask(block);
                for part in 0..S::PARTS {
                    let y = &mut y[block * area + pixel];
                    let v = if log {
                        let v = s.sub(s.load(&x[block * area + pixel], part), top);
                        masked(s, s.load(&mask, part), s.sub(v, log_sum))
                    } else {
                        s.div(s.load(y, part), sum)
                    };
                    s.store(y, part, v);
                }
            }
        }
    }
}

#[inline(always)]
fn stored<S: Simd>(s: S, vectors: [S::V; 4]) -> Lanes {
    let mut lanes = Lanes::ZERO;
    for part in 0..S::PARTS {
        s.store(&mut lanes, part, vectors[part]);
    }
    lanes
}

/// The largest number; NaN if one is.
fn largest(lanes: &Lanes) -> f32 {
    let larger = |top: f32, v: f32| if v > top || v.is_nan() { v } else { top };
    lanes
        .0
        .into_iter()
        .fold(f32::NEG_INFINITY, |top, v| if top.is_nan() { top } else { larger(top, v) })
}

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

/// The gradient of a softmax's input from its output `y`: `dx = y · (dy − Σ y dy)`, or of its logarithm
/// `dx = dy − eʸ Σ dy`; overwrites `dx`.
///
/// # Panics
/// As [`softmax`].
pub fn softmax_backward(
    isa: Isa,
    channels: usize,
    log: bool,
    y: &[Lanes],
    dy: &[Lanes],
    dx: &mut [Lanes],
) {
    assert!(y.len() == dy.len() && y.len() == dx.len(), "the lengths of output and gradients");
    let whole = channels > 0 && y.len().is_multiple_of(blocks(channels));
    assert!(whole, "pixels of each block of channels");
    isa.run(SoftmaxBackward { channels, log, y, dy, dx });
}

struct SoftmaxBackward<'a> {
    channels: usize,
    log: bool,
    y: &'a [Lanes],
    dy: &'a [Lanes],
    dx: &'a mut [Lanes],
}

impl Kernel for SoftmaxBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let SoftmaxBackward { channels, log, y, dy, dx } = self;
        let blocks = blocks(channels);
        let area = y.len() / blocks;
        for pixel in 0..area {
            let mut sum = 0.0;
            for block in 0..blocks {
                let at = block * area + pixel;
                let count = (channels - block * LANES).min(LANES);
                for (y, d) in y[at].0.iter().zip(&dy[at].0).take(count) {
                    sum += f64::from(*d) * if log { 1.0 } else { f64::from(*y) };
                }
            }
            let sum = s.splat(sum as f32);
            for block in 0..blocks {
                let at = block * area + pixel;
                for part in 0..S::PARTS {
                    let (y, d) = (s.load(&y[at], part), s.load(&dy[at], part));
                    let d = if log {
                        s.sub(d, s.mul(math::exp(s, y), sum))
                    } else {
                        s.mul(y, s.sub(d, sum))
                    };
                    s.store(&mut dx[at], part, d);
                }
            }
        }
    }
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

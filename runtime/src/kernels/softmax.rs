//! Softmax: `y[c] = e^x[c] / Σ e^x`, over the channels, for each position.

use super::math;
use super::simd::{Kernel, Simd};
use super::{Isa, Lanes};

/// Softmax over `channels` (the first dimension), for each of the `x.len() / channels` positions.
/// The largest number is subtracted first, so that nothing overflows.
///
/// # Panics
/// When the lengths differ or are no multiple of `channels`, or this machine lacks `isa`.
pub fn forward(isa: Isa, channels: usize, x: &[Lanes], y: &mut [Lanes]) {
    assert_eq!(x.len(), y.len(), "the lengths of input and output");
    assert!(channels > 0 && x.len().is_multiple_of(channels), "whole positions");
    isa.run(Forward { channels, x, y });
}

/// `dx = y (dy − Σ y dy)`; overwrites `dx`.
///
/// # Panics
/// As [`forward`].
pub fn backward(isa: Isa, channels: usize, y: &[Lanes], dy: &[Lanes], dx: &mut [Lanes]) {
    assert!(y.len() == dx.len() && dy.len() == dx.len(), "the lengths of output and gradients");
    assert!(channels > 0 && y.len().is_multiple_of(channels), "whole positions");
    isa.run(Backward { channels, y, dy, dx });
}

struct Forward<'a> {
    channels: usize,
    x: &'a [Lanes],
    y: &'a mut [Lanes],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Forward { channels, x, y } = self;
        let positions = x.len() / channels;
        for position in 0..positions {
            for part in 0..S::PARTS {
                let mut largest = s.load(&x[position], part);
                for c in 1..channels {
                    largest = math::max(s, largest, s.load(&x[c * positions + position], part));
                }
                let mut sum = s.splat(0.0);
                for c in 0..channels {
                    let v = s.load(&x[c * positions + position], part);
                    let e = math::exp(s, s.sub(v, largest));
                    sum = s.add(sum, e);
                    s.store(&mut y[c * positions + position], part, e);
                }
                for c in 0..channels {
                    let y = &mut y[c * positions + position];
                    let v = s.div(s.load(y, part), sum);
                    s.store(y, part, v);
                }
            }
        }
    }
}

struct Backward<'a> {
    channels: usize,
    y: &'a [Lanes],
    dy: &'a [Lanes],
    dx: &'a mut [Lanes],
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Backward { channels, y, dy, dx } = self;
        let positions = y.len() / channels;
        for position in 0..positions {
            for part in 0..S::PARTS {
                let mut sum = s.splat(0.0);
                for c in 0..channels {
                    let at = c * positions + position;
                    sum = s.fma(s.load(&y[at], part), s.load(&dy[at], part), sum);
                }
                for c in 0..channels {
                    let at = c * positions + position;
                    let v = s.mul(s.load(&y[at], part), s.sub(s.load(&dy[at], part), sum));
                    s.store(&mut dx[at], part, v);
                }
            }
        }
    }
}

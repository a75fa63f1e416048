//! Softmax: `y[c] = e^x[c] / Σ e^x`, over the channels, for each position; and its logarithm.

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

/// The logarithm of [`forward`], `y = x − ln Σ eˣ`, which is finite also where a softmax is 0.
///
/// # Panics
/// As [`forward`].
pub fn log_forward(isa: Isa, channels: usize, x: &[Lanes], y: &mut [Lanes]) {
    assert_eq!(x.len(), y.len(), "the lengths of input and output");
    assert!(channels > 0 && x.len().is_multiple_of(channels), "whole positions");
    isa.run(LogForward { channels, x, y });
}

/// `dx = dy − eʸ Σ dy`, from the logarithms; overwrites `dx`.
///
/// # Panics
/// As [`forward`].
pub fn log_backward(isa: Isa, channels: usize, y: &[Lanes], dy: &[Lanes], dx: &mut [Lanes]) {
    assert!(y.len() == dx.len() && dy.len() == dx.len(), "the lengths of output and gradients");
    assert!(channels > 0 && y.len().is_multiple_of(channels), "whole positions");
    isa.run(LogBackward { channels, y, dy, dx });
}

/// The derivative of [`log_forward`] along `tx`: `ty = tx − Σ eʸ tx`, from the logarithms; overwrites `ty`.
/// That of [`forward`] is [`backward`], since its Jacobian is symmetric.
///
/// # Panics
/// As [`forward`].
pub fn log_jvp(isa: Isa, channels: usize, y: &[Lanes], tx: &[Lanes], ty: &mut [Lanes]) {
    assert!(y.len() == tx.len() && ty.len() == tx.len(), "the lengths of output and tangents");
    assert!(channels > 0 && y.len().is_multiple_of(channels), "whole positions");
    isa.run(LogJvp { channels, y, tx, ty });
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

struct LogForward<'a> {
    channels: usize,
    x: &'a [Lanes],
    y: &'a mut [Lanes],
}

/// How many numbers are summed by themselves first, so that long sums lose less precision.
const BLOCK: usize = 32;

impl Kernel for LogForward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let LogForward { channels, x, y } = self;
        let positions = x.len() / channels;
        for position in 0..positions {
            let at = |c: usize| c * positions + position;
            let (mut top, mut log_sum) = (Lanes::ZERO, Lanes::ZERO);
            for part in 0..S::PARTS {
                let mut largest = s.load(&x[position], part);
                for c in 1..channels {
                    largest = math::max(s, largest, s.load(&x[at(c)], part));
                }
                let mut sum = s.splat(0.0);
                for first in (0..channels).step_by(BLOCK) {
                    let mut of_block = s.splat(0.0);
                    for c in first..(first + BLOCK).min(channels) {
                        let v = s.load(&x[at(c)], part);
                        of_block = s.add(of_block, math::exp(s, s.sub(v, largest)));
                    }
                    sum = s.add(sum, of_block);
                }
                s.store(&mut top, part, largest);
                s.store(&mut log_sum, part, sum);
            }
            // One logarithm for all channels.
            log_sum.0.iter_mut().for_each(|sum| *sum = sum.ln());
            for part in 0..S::PARTS {
                let (top, log_sum) = (s.load(&top, part), s.load(&log_sum, part));
                for c in 0..channels {
                    let v = s.sub(s.sub(s.load(&x[at(c)], part), top), log_sum);
                    s.store(&mut y[at(c)], part, v);
                }
            }
        }
    }
}

struct LogBackward<'a> {
    channels: usize,
    y: &'a [Lanes],
    dy: &'a [Lanes],
    dx: &'a mut [Lanes],
}

impl Kernel for LogBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let LogBackward { channels, y, dy, dx } = self;
        let positions = y.len() / channels;
        for position in 0..positions {
            let at = |c: usize| c * positions + position;
            for part in 0..S::PARTS {
                let mut sum = s.splat(0.0);
                for first in (0..channels).step_by(BLOCK) {
                    let mut of_block = s.splat(0.0);
                    for c in first..(first + BLOCK).min(channels) {
                        of_block = s.add(of_block, s.load(&dy[at(c)], part));
                    }
                    sum = s.add(sum, of_block);
                }
                for c in 0..channels {
                    let e = math::exp(s, s.load(&y[at(c)], part));
                    let v = s.sub(s.load(&dy[at(c)], part), s.mul(e, sum));
                    s.store(&mut dx[at(c)], part, v);
                }
            }
        }
    }
}

struct LogJvp<'a> {
    channels: usize,
    y: &'a [Lanes],
    tx: &'a [Lanes],
    ty: &'a mut [Lanes],
}

impl Kernel for LogJvp<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let LogJvp { channels, y, tx, ty } = self;
        let positions = y.len() / channels;
        for position in 0..positions {
            let at = |c: usize| c * positions + position;
            for part in 0..S::PARTS {
                let mut mean = s.splat(0.0);
                for first in (0..channels).step_by(BLOCK) {
                    let mut of_block = s.splat(0.0);
                    for c in first..(first + BLOCK).min(channels) {
                        let e = math::exp(s, s.load(&y[at(c)], part));
                        of_block = s.fma(e, s.load(&tx[at(c)], part), of_block);
                    }
                    mean = s.add(mean, of_block);
                }
                for c in 0..channels {
                    let v = s.sub(s.load(&tx[at(c)], part), mean);
                    s.store(&mut ty[at(c)], part, v);
                }
            }
        }
    }
}

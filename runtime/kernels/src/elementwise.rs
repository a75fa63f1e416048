//! Sums and products of values, and multiples of one.

use typenet_shape::Activation;

use super::activation::forward_in_place;
use super::simd::{Kernel, Simd};
use super::{Isa, Lanes};

/// `y += x`
///
/// # Panics
/// When the lengths differ, or this machine lacks `isa`.
pub fn add(isa: Isa, x: &[Lanes], y: &mut [Lanes]) {
    assert_eq!(x.len(), y.len(), "the lengths of two values");
    isa.run(Add { x, y });
}

/// `y = f(y + x)`
///
/// # Panics
/// As [`add`].
pub fn add_activated(isa: Isa, x: &[Lanes], f: Activation, y: &mut [Lanes]) {
    add(isa, x, y);
    forward_in_place(isa, f, y);
}

/// `y *= x`, where `x` is as long as `y`, or has one number for each of its channels, which all
/// pixels of the channel share.
///
/// # Panics
/// When `y` is no multiple of `x` in length, or this machine lacks `isa`.
pub fn multiply(isa: Isa, x: &[Lanes], y: &mut [Lanes]) {
    let pixels = pixels(y.len(), x.len());
    isa.run(Multiply { x, y, pixels });
}

/// `y[c] += Σ x[c]` over the pixels of each channel; with one pixel a channel it is [`add`].
///
/// # Panics
/// When `x` is no multiple of `y` in length, or this machine lacks `isa`.
pub fn add_channels(isa: Isa, x: &[Lanes], y: &mut [Lanes]) {
    let pixels = pixels(x.len(), y.len());
    isa.run(AddChannels { x, y, pixels });
}

/// `y = factor · x`; overwrites `y`. Applied to the gradient, it is also the backward pass.
///
/// # Panics
/// When the lengths differ, or this machine lacks `isa`.
pub fn scale(isa: Isa, factor: f32, x: &[Lanes], y: &mut [Lanes]) {
    assert_eq!(x.len(), y.len(), "the lengths of two values");
    isa.run(Scale { factor, x, y });
}

fn pixels(whole: usize, channels: usize) -> usize {
    let pixels = whole.checked_div(channels).unwrap_or(0);
    assert_eq!(pixels * channels, whole, "pixels of each channel");
    pixels
}

struct Add<'a> {
    x: &'a [Lanes],
    y: &'a mut [Lanes],
}

impl Kernel for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (x, y) in self.x.iter().zip(self.y) {
            for part in 0..S::PARTS {
                let sum = s.add(s.load(y, part), s.load(x, part));
                s.store(y, part, sum);
            }
        }
    }
}

struct Multiply<'a> {
    x: &'a [Lanes],
    y: &'a mut [Lanes],
    pixels: usize,
}

impl Kernel for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (x, y) in self.x.iter().zip(self.y.chunks_exact_mut(self.pixels.max(1))) {
            for part in 0..S::PARTS {
                let factor = s.load(x, part);
                for y in &mut *y {
                    let product = s.mul(s.load(y, part), factor);
                    s.store(y, part, product);
                }
            }
        }
    }
}

struct AddChannels<'a> {
    x: &'a [Lanes],
    y: &'a mut [Lanes],
    pixels: usize,
}

impl Kernel for AddChannels<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (y, x) in self.y.iter_mut().zip(self.x.chunks_exact(self.pixels.max(1))) {
            for part in 0..S::PARTS {
                let mut sum = s.load(y, part);
                for x in x {
                    sum = s.add(sum, s.load(x, part));
                }
                s.store(y, part, sum);
            }
        }
    }
}

struct Scale<'a> {
    factor: f32,
    x: &'a [Lanes],
    y: &'a mut [Lanes],
}

impl Kernel for Scale<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let factor = s.splat(self.factor);
        for (x, y) in self.x.iter().zip(self.y) {
            for part in 0..S::PARTS {
                let product = s.mul(s.load(x, part), factor);
                s.store(y, part, product);
            }
        }
    }
}

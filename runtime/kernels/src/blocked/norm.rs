//! Normalisations of one image.

use typenet_shape::Activation;

use super::super::fused::Fused;
use super::super::moments::{Moments, parts};
use super::super::simd::{Kernel, Simd};
use super::super::{Isa, LANES, Lanes, activation, elementwise};
use super::layout::blocks;

/// `y = f(x · scale + shift + other)`, with one [`Lanes`] of factors for each block of channels: a batch
/// norm of inference that no convolution before it could take up. Overwrites `y`.
///
/// # Panics
/// When `x` is not so many blocks, a slice has a wrong length, or this machine lacks `isa`.
pub fn affine(
    isa: Isa,
    x: &[Lanes],
    scale: &[Lanes],
    shift: &[Lanes],
    other: Option<&[Lanes]>,
    f: Activation,
    y: &mut [Lanes],
) {
    let blocks = scale.len();
    let area = x.len().checked_div(blocks).unwrap_or(0);
    assert!(area > 0 && area * blocks == x.len(), "pixels of each block of channels");
    assert!(shift.len() == blocks && y.len() == x.len(), "the lengths of shift and output");
    assert!(other.is_none_or(|other| other.len() == y.len()), "the added value's length");
    // A sum costs a pass of its own here: this is the rare norm with no convolution before it.
    let (fused, after) = Fused::split(if other.is_some() { Activation::Identity } else { f });
    isa.run(Affine { area, x, scale, shift, fused, y });
    if let Some(other) = other {
        return elementwise::add_activated(isa, other, f, y);
    }
    if let Some(f) = after {
        activation::forward_in_place(isa, f, y);
    }
}

/// A layer norm over the whole value: see [`group_norm`](super::super::group_norm), whose groups
/// of channels have no kernel for one image.
#[derive(Clone, Copy, Debug)]
pub struct LayerNorm<'a> {
    /// Of the value; the length of one of shape `[f]`.
    pub channels: usize,
    /// Added to the variance.
    pub eps: f32,
    /// One for each number of the value, laid out as the value is; ones, when left out.
    pub weight: Option<&'a [Lanes]>,
    /// Likewise; zeros, when left out.
    pub bias: Option<&'a [Lanes]>,
}

/// `y = f((x − mean) / sqrt(var + eps) · weight + bias)`; overwrites `y`. Two passes over `x`.
///
/// # Panics
/// When a slice has a wrong length, or this machine lacks `isa`.
pub fn layer_norm(isa: Isa, norm: &LayerNorm<'_>, x: &[Lanes], f: Activation, y: &mut [Lanes]) {
    let blocks = blocks(norm.channels);
    let area = x.len().checked_div(blocks).unwrap_or(0);
    assert!(area > 0 && area * blocks == x.len(), "pixels of each block of channels");
    assert_eq!(y.len(), x.len(), "the output's length");
    for numbers in [norm.weight, norm.bias].into_iter().flatten() {
        assert_eq!(numbers.len(), x.len(), "the length of weight or bias");
    }
    let (fused, after) = Fused::split(f);
    isa.run(Normalise { norm, area, x, fused, y });
    if let Some(f) = after {
        activation::forward_in_place(isa, f, y);
    }
}

struct Affine<'a> {
    area: usize,
    x: &'a [Lanes],
    scale: &'a [Lanes],
    shift: &'a [Lanes],
    fused: Fused,
    y: &'a mut [Lanes],
}

impl Kernel for Affine<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Affine { area, x, scale, shift, fused, y } = self;
        let blocks = x.chunks_exact(area).zip(y.chunks_exact_mut(area));
        for ((x, y), factors) in blocks.zip(scale.iter().zip(shift)) {
            // One loop for each function, which then asks nothing within.
            match fused {
                Fused::Identity => affine_block(s, Fused::Identity, factors, x, y),
                Fused::Relu => affine_block(s, Fused::Relu, factors, x, y),
                Fused::Leaky(_) => affine_block(s, fused, factors, x, y),
                Fused::Relu6 => affine_block(s, Fused::Relu6, factors, x, y),
            }
        }
    }
}

#[inline(always)]
fn affine_block<S: Simd>(
    s: S,
    fused: Fused,
    (scale, shift): (&Lanes, &Lanes),
    x: &[Lanes],
    y: &mut [Lanes],
) {
    let (scale, shift) = (parts(s, scale), parts(s, shift));
    for (x, y) in x.iter().zip(y) {
        for part in 0..S::PARTS {
            let v = s.fma(s.load(x, part), scale[part], shift[part]);
            s.store(y, part, fused.apply(s, v));
        }
    }
}

struct Normalise<'a> {
    norm: &'a LayerNorm<'a>,
    area: usize,
    x: &'a [Lanes],
    fused: Fused,
    y: &'a mut [Lanes],
}

impl Kernel for Normalise<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Normalise { norm, area, x, fused, y } = self;
        let (mean, rstd) = statistics(s, norm, area, x);
        let (mean, rstd) = (s.splat(mean as f32), s.splat(rstd as f32));
        for (at, (x, y)) in x.iter().zip(y).enumerate() {
            for part in 0..S::PARTS {
                let mut v = s.mul(s.sub(s.load(x, part), mean), rstd);
                if let Some(weight) = norm.weight {
                    v = s.mul(v, s.load(&weight[at], part));
                }
                if let Some(bias) = norm.bias {
                    v = s.add(v, s.load(&bias[at], part));
                }
                s.store(y, part, fused.apply(s, v));
            }
        }
    }
}

/// Mean and `1 / sqrt(var + eps)`; of the last block only the channels that there are.
#[inline(always)]
fn statistics<S: Simd>(s: S, norm: &LayerNorm<'_>, area: usize, x: &[Lanes]) -> (f64, f64) {
    let (whole, last) = x.split_at(norm.channels / LANES * area);
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for (part, lanes) in [(whole, LANES), (last, norm.channels % LANES)] {
        if part.is_empty() {
            continue;
        }
        let (own_mean, own_squares) = Moments::of(s, part).together(lanes);
        let own = (part.len() * lanes) as f64;
        let share = own / (count + own);
        let delta = own_mean - mean;
        mean += delta * share;
        squares += own_squares + delta * delta * count * share;
        count += own;
    }
    (mean, 1.0 / (squares / count + f64::from(norm.eps)).sqrt())
}

//! A value that a convolution normalises while it reads it, so that the norm's own value is never stored.

use typenet_shape::Shape;

use super::super::fused::Fused;
use super::super::simd::{Kernel, Simd};
use super::super::{Isa, LANES, Lanes};
use super::apply;
use super::forward::apply_some;
use super::layer::BatchNorm;

/// What a convolution of a group of images reads.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// A value.
    pub x: &'a [Lanes],
    /// What makes the convolution's input of it; the value itself is the input, when left out.
    pub norm: Option<BatchNorm<'a>>,
}

impl<'a> From<&'a [Lanes]> for Input<'a> {
    fn from(x: &'a [Lanes]) -> Input<'a> {
        Input { x, norm: None }
    }
}

impl<'a> Input<'a> {
    /// Checks the value's length, and that the norm is one of such a value, with an activation that kernels compute in
    /// registers.
    pub(crate) fn check(&self, shape: Shape) {
        assert_eq!(self.x.len(), shape.elements(), "the input's length");
        if let Some(norm) = &self.norm {
            norm.check(self.x.len());
            assert!(norm.mean.len() == shape.dim(0) && norm.f.is_simple(), "a norm of the input");
        }
    }

    /// Some channels as the convolution reads them: where they stand, or in `scratch`.
    pub(crate) fn channels<'s>(
        &self,
        isa: Isa,
        channels: std::ops::Range<usize>,
        pixels: usize,
        scratch: &'s mut [Lanes],
    ) -> &'s [Lanes]
    where
        'a: 's,
    {
        let x = &self.x[channels.start * pixels..channels.end * pixels];
        let Some(norm) = &self.norm else { return x };
        let scratch = &mut scratch[..x.len()];
        apply(isa, &norm.of(&channels), x, None, scratch);
        scratch
    }
}

/// Copies some neighbouring pixels of a channel, normalised.
#[inline(always)]
pub(crate) fn copy_some<S: Simd>(
    s: S,
    norm: Option<&BatchNorm<'_>>,
    channel: usize,
    x: &[Lanes],
    to: &mut [Lanes],
) {
    match norm {
        None => to.copy_from_slice(x),
        Some(norm) => apply_some(s, norm, channel, Fused::split(norm.f).0, x, None, to),
    }
}

/// Normalises numbers that have 16 channels side by side from channel `first` on. Missing channels are 0 and stay
/// so: each of these activations is 0 at 0.
#[derive(Debug)]
pub(crate) struct SideBySide<'a, 'b> {
    pub(crate) norm: &'a BatchNorm<'b>,
    pub(crate) first: usize,
    pub(crate) numbers: &'a mut [[Lanes; LANES]],
}

impl Kernel for SideBySide<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let SideBySide { norm, first, numbers } = self;
        let mut factors = [Lanes::ZERO; 3];
        let some = LANES.min(norm.mean.len() - first);
        for lane in 0..some {
            let channel = first + lane;
            factors[0].0[lane] = norm.mean[channel];
            factors[1].0[lane] = norm.scale(channel);
            factors[2].0[lane] = norm.bias.map_or(0.0, |bias| bias[channel]);
        }
        match Fused::split(norm.f).0 {
            Fused::Identity => side_by_side(s, Fused::Identity, &factors, numbers),
            Fused::Relu => side_by_side(s, Fused::Relu, &factors, numbers),
            Fused::Relu6 => side_by_side(s, Fused::Relu6, &factors, numbers),
            fused @ Fused::Leaky(_) => side_by_side(s, fused, &factors, numbers),
        }
    }
}

#[inline(always)]
fn side_by_side<S: Simd>(s: S, fused: Fused, factors: &[Lanes; 3], numbers: &mut [[Lanes; LANES]]) {
    for part in 0..S::PARTS {
        let [mean, scale, bias] = [0, 1, 2].map(|i| s.load(&factors[i], part));
        for numbers in numbers.iter_mut().flatten() {
            let v = s.fma(s.sub(s.load(numbers, part), mean), scale, bias);
            s.store(numbers, part, fused.apply(s, v));
        }
    }
}

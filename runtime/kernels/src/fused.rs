//! Activations of vectors: all of them, and those that a kernel applies at each store.

use typenet_shape::Activation;

use super::gated::gated;
use super::math::{at_least, at_most, sigmoid, tanh};
use super::simd::Simd;

/// `f(v)`; NaN stays NaN.
#[inline(always)]
pub(super) fn activate<S: Simd>(s: S, f: Activation, v: S::V) -> S::V {
    match f {
        Activation::Sigmoid => sigmoid(s, v),
        Activation::Tanh => tanh(s, v),
        Activation::Gelu { .. } | Activation::Silu | Activation::Hardswish => gated(s, f, v),
        _ => Fused::split(f).0.apply(s, v),
    }
}

/// The activations cheap enough to be done at each store of a tile.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Fused {
    /// `v`
    Identity,
    /// `v` where positive, this times `v` elsewhere.
    Leaky(f32),
    /// `v` where positive, 0 elsewhere.
    Relu,
    /// `v` where between 0 and 6, the nearer of these elsewhere.
    Relu6,
}

impl Fused {
    /// What to do at each store, and what in a pass afterwards.
    pub(super) fn split(f: Activation) -> (Fused, Option<Activation>) {
        match f {
            Activation::Identity => (Fused::Identity, None),
            Activation::Relu => (Fused::Relu, None),
            Activation::LeakyRelu { negative_slope } => (Fused::Leaky(negative_slope), None),
            Activation::Relu6 => (Fused::Relu6, None),
            Activation::Sigmoid
            | Activation::Tanh
            | Activation::Gelu { .. }
            | Activation::Silu
            | Activation::Hardswish => (Fused::Identity, Some(f)),
        }
    }

    #[inline(always)]
    pub(super) fn apply<S: Simd>(self, s: S, v: S::V) -> S::V {
        let zero = s.splat(0.0);
        match self {
            Fused::Identity => v,
            Fused::Relu => at_least(s, 0.0, v),
            // The comparison is false for NaN, which so stays.
            Fused::Leaky(slope) => s.select_lt(v, zero, s.mul(v, s.splat(slope)), v),
            Fused::Relu6 => at_most(s, 6.0, at_least(s, 0.0, v)),
        }
    }

    /// [`apply`](Self::apply) to each; asks only once which function it is, so that the loops stay small.
    #[inline(always)]
    pub(super) fn apply_to_all<S: Simd, const N: usize>(
        self,
        s: S,
        mut all: [S::V; N],
    ) -> [S::V; N] {
        macro_rules! with {
            ($f:expr) => {
                for i in 0..N {
                    all[i] = $f.apply(s, all[i]);
                }
            };
        }
        match self {
            Fused::Identity => {}
            Fused::Relu => with!(Fused::Relu),
            Fused::Relu6 => with!(Fused::Relu6),
            Fused::Leaky(slope) => with!(Fused::Leaky(slope)),
        }
        all
    }

    /// `d · f'(v)` from `y = f(v)`.
    #[inline(always)]
    pub(super) fn gradient<S: Simd>(self, s: S, y: S::V, d: S::V) -> S::V {
        let zero = s.splat(0.0);
        match self {
            Fused::Identity => d,
            // Where y is NaN the gradient passes, rather than hide it.
            Fused::Relu => s.select_lt(zero, y, d, s.unless_nan(y, zero)),
            Fused::Leaky(slope) => s.select_lt(zero, y, d, s.mul(d, s.splat(slope))),
            Fused::Relu6 => {
                let inside = s.select_lt(zero, y, d, s.unless_nan(y, zero));
                s.select_lt(y, s.splat(6.0), inside, s.unless_nan(y, zero))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use typenet_shape::Approximate;

    use super::*;

    #[test]
    fn simple_activations_are_those_of_a_store() {
        for f in [
            Activation::Identity,
            Activation::Relu,
            Activation::LeakyRelu { negative_slope: 0.1 },
            Activation::Relu6,
            Activation::Sigmoid,
            Activation::Tanh,
            Activation::Gelu { approximate: Approximate::None },
            Activation::Silu,
            Activation::Hardswish,
        ] {
            assert_eq!(Fused::split(f).1.is_none(), f.is_simple(), "{f:?}");
        }
    }
}

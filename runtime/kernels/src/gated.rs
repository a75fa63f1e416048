//! Activations that are their input times a gate: gelu, silu, hardswish.
//!
//! Gates that are smooth steps from 0 to 1 are computed as `max(x, 0) − t · gate(−t)` with `t = |x|`:
//! so small results stay exact, on both sides of 0 and far out, and nothing is infinite times 0. Where `t` is
//! clamped, `gate(−t)` is already 0 in an f32.

use typenet_shape::{Activation, Approximate};

use super::math::{absolute, at_least, at_most, reduce, round, scaled, series, split_exponent};
use super::simd::Simd;

/// `f(x)` for the functions of this module, `x` for others; NaN stays NaN.
#[inline(always)]
pub(super) fn gated<S: Simd>(s: S, f: Activation, x: S::V) -> S::V {
    let zero = s.splat(0.0);
    let positive = s.select_lt(x, zero, zero, x);
    match f {
        Activation::Silu => {
            let t = at_most(s, 110.0, absolute(s, x));
            s.sub(positive, times_logistic(s, t, t))
        }
        Activation::Gelu { approximate: Approximate::Tanh } => {
            let t = at_most(s, 11.0, absolute(s, x));
            let (z, _) = doubled_cubic(s, t);
            s.sub(positive, times_logistic(s, t, z))
        }
        Activation::Gelu { approximate: Approximate::None } => {
            let t = at_most(s, 15.0, absolute(s, x));
            let tail = times_gaussian(s, s.mul(t, mills(s, t)), t);
            s.sub(positive, tail)
        }
        Activation::Hardswish => {
            let gate = at_most(s, 6.0, at_least(s, 0.0, s.add(x, s.splat(3.0))));
            let y = s.mul(x, s.mul(gate, s.splat(1.0 / 6.0)));
            s.select_lt(x, s.splat(-3.0), zero, y)
        }
        _ => x,
    }
}

/// `f'(x)` for the functions of this module, 1 for others. At hardswish's corners it is that of the
/// side without a gate, as in PyTorch.
#[inline(always)]
pub(super) fn slope<S: Simd>(s: S, f: Activation, x: S::V) -> S::V {
    let (zero, one) = (s.splat(0.0), s.splat(1.0));
    // The slopes at x and at -x add up to 1.
    let of_negative = match f {
        Activation::Silu => {
            let t = at_most(s, 110.0, absolute(s, x));
            logistic_slope(s, t, t)
        }
        Activation::Gelu { approximate: Approximate::Tanh } => {
            let t = at_most(s, 11.0, absolute(s, x));
            let (z, step) = doubled_cubic(s, t);
            logistic_slope(s, s.mul(t, step), z)
        }
        Activation::Gelu { approximate: Approximate::None } => {
            let t = at_most(s, 15.0, absolute(s, x));
            // Φ(−t) − t φ(t), both with the factor e^(−t²/2).
            const DENSITY: f32 = 0.398_942_3;
            times_gaussian(s, s.fma(t, s.splat(-DENSITY), mills(s, t)), t)
        }
        Activation::Hardswish => {
            let inside = s.fma(x, s.splat(1.0 / 3.0), s.splat(0.5));
            let inside = s.select_lt(x, s.splat(3.0), inside, s.unless_nan(x, one));
            return s.select_lt(s.splat(-3.0), x, inside, s.unless_nan(x, zero));
        }
        _ => return one,
    };
    s.select_lt(x, zero, of_negative, s.sub(one, of_negative))
}

/// `a / (1 + eᶻ)` for `z` from 0 to 110.
#[inline(always)]
fn times_logistic<S: Simd>(s: S, a: S::V, z: S::V) -> S::V {
    let one = s.splat(1.0);
    let (n, less_one) = split_exponent(s, s.sub(s.splat(0.0), z));
    let e = s.add(less_one, one);
    s.div(scaled(s, s.mul(a, e), n), s.add(scaled(s, e, n), one))
}

/// `q (1 − a (1 − q))` with `q = 1 / (1 + eᶻ)`: the slope at `−t` of `x` times a logistic gate of
/// `z`, where `a` is `t` times the slope of `z`.
#[inline(always)]
fn logistic_slope<S: Simd>(s: S, a: S::V, z: S::V) -> S::V {
    let one = s.splat(1.0);
    let q = times_logistic(s, one, z);
    let rest = s.sub(one, q);
    s.mul(q, s.sub(one, s.mul(a, rest)))
}

/// `2 √(2/π) (t + 0.044715 t³)` and its slope: the gate `(1 + tanh z) / 2` is a logistic one of `2 z`.
#[inline(always)]
fn doubled_cubic<S: Simd>(s: S, t: S::V) -> (S::V, S::V) {
    const LINEAR: f32 = 1.595_769_2;
    const CUBIC: f32 = LINEAR * 0.044_715;
    let square = s.mul(t, t);
    let z = s.mul(t, s.fma(square, s.splat(CUBIC), s.splat(LINEAR)));
    (z, s.fma(square, s.splat(3.0 * CUBIC), s.splat(LINEAR)))
}

/// `a · e^(−t²/2)` for `t` from 0 to 15.
#[inline(always)]
fn times_gaussian<S: Simd>(s: S, a: S::V, t: S::V) -> S::V {
    // t² has more bits than an f32: so t = near + rest, where the square of `near`, a multiple of
    // 1/64, is exact, and t² = near² + rest (t + near), of which the second is small.
    let near = s.mul(round(s, s.mul(t, s.splat(64.0))), s.splat(1.0 / 64.0));
    let half = s.splat(-0.5);
    let small = s.mul(s.mul(s.sub(t, near), s.add(t, near)), half);
    let (n, rest) = reduce(s, s.mul(s.mul(near, near), half));
    let less_one = series(s, s.add(rest, small));
    scaled(s, s.mul(a, s.add(less_one, s.splat(1.0))), n)
}

/// `e^(t²/2) · Φ(−t)` for `t` from 0 to 15, `Φ` being the normal distribution: a polynomial in
/// `u = 1 / (1 + 0.35 t)` without constant term, fitted for the least relative error, 3e-8.
#[inline(always)]
fn mills<S: Simd>(s: S, t: S::V) -> S::V {
    const FACTORS: [f32; 8] = [
        0.144_060_84,
        -0.255_901_93,
        0.159_392_98,
        -0.023_263_887,
        0.105_574_824,
        0.119_815_49,
        0.139_864_34,
        0.139_621_26,
    ];
    let u = s.div(s.splat(1.0), s.fma(t, s.splat(0.35), s.splat(1.0)));
    let mut sum = s.splat(-0.029_163_932);
    for factor in FACTORS {
        sum = s.fma(sum, u, s.splat(factor));
    }
    s.mul(sum, u)
}

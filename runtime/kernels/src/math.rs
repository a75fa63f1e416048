//! Functions of vectors.

use super::simd::Simd;

/// The larger of two; NaN if one is.
#[inline(always)]
pub(super) fn max<S: Simd>(s: S, a: S::V, b: S::V) -> S::V {
    s.unless_nan(a, s.max(a, b))
}

/// `low` where `v` is less; NaN stays.
#[inline(always)]
pub(super) fn at_least<S: Simd>(s: S, low: f32, v: S::V) -> S::V {
    s.max(s.splat(low), v)
}

/// `high` where `v` is more; NaN stays.
#[inline(always)]
pub(super) fn at_most<S: Simd>(s: S, high: f32, v: S::V) -> S::V {
    s.min(s.splat(high), v)
}

/// `|v|`
#[inline(always)]
pub(super) fn absolute<S: Simd>(s: S, v: S::V) -> S::V {
    let zero = s.splat(0.0);
    s.select_lt(v, zero, s.sub(zero, v), v)
}

/// The nearest whole number, for numbers below 2²².
#[inline(always)]
pub(super) fn round<S: Simd>(s: S, v: S::V) -> S::V {
    // A number of this size has no bits for fractions, so the addition rounds them off.
    let shift = s.splat(12_582_912.0);
    s.sub(s.add(v, shift), shift)
}

/// `(n, r)` with `v = n ln 2 + r`, `n` whole and `|r| <= ln 2 / 2`.
#[inline(always)]
pub(super) fn reduce<S: Simd>(s: S, v: S::V) -> (S::V, S::V) {
    // ln 2 in two parts, the first short enough for exact products with n.
    const HIGH: f32 = 355.0 / 512.0;
    const LOW: f32 = -2.121_944_4e-4;
    let n = round(s, s.mul(v, s.splat(std::f32::consts::LOG2_E)));
    let r = s.fma(n, s.splat(-HIGH), v);
    (n, s.fma(n, s.splat(-LOW), r))
}

/// `e^r - 1` for `|r|` up to 0.46.
#[inline(always)]
pub(super) fn series<S: Simd>(s: S, r: S::V) -> S::V {
    // The Taylor series: the first term left out is below 5e-8 of `e^r`.
    let mut sum = s.splat(1.0 / 5040.0);
    for factorial in [720.0, 120.0, 24.0, 6.0, 2.0] {
        sum = s.fma(sum, r, s.splat(1.0 / factorial));
    }
    s.fma(s.mul(sum, r), r, r)
}

/// `(n, e^r - 1)` with `v = n ln 2 + r`, `n` whole and `|r| <= ln 2 / 2`.
#[inline(always)]
pub(super) fn split_exponent<S: Simd>(s: S, v: S::V) -> (S::V, S::V) {
    let (n, r) = reduce(s, v);
    (n, series(s, r))
}

/// `v · 2ⁿ`, `n` whole, from -252 to 254, also where 2ⁿ itself lies beyond the normal numbers.
#[inline(always)]
pub(super) fn scaled<S: Simd>(s: S, v: S::V, n: S::V) -> S::V {
    let half = round(s, s.mul(n, s.splat(0.5)));
    s.mul(s.mul(v, s.power_of_two(half)), s.power_of_two(s.sub(n, half)))
}

/// `eᵛ`, to about 1e-7 of itself; 0 and ∞ where an `f32` ends.
#[inline(always)]
pub(super) fn exp<S: Simd>(s: S, v: S::V) -> S::V {
    let (n, less_one) = split_exponent(s, at_most(s, 89.0, at_least(s, -104.0, v)));
    scaled(s, s.add(less_one, s.splat(1.0)), n)
}

/// `1 / (1 + e⁻ᵛ)`
#[inline(always)]
pub(super) fn sigmoid<S: Simd>(s: S, v: S::V) -> S::V {
    let zero = s.splat(0.0);
    let minus = s.sub(zero, v);
    // e^-|v| cannot overflow; `numerator` keeps what is near 0 exact.
    let e = exp(s, s.select_lt(zero, v, minus, v));
    let numerator = s.select_lt(zero, v, s.splat(1.0), e);
    s.div(numerator, s.add(e, s.splat(1.0)))
}

/// `tanh v = m / (m + 2)` with `m = e²ᵛ - 1`, computed without cancellation near 0.
#[inline(always)]
pub(super) fn tanh<S: Simd>(s: S, v: S::V) -> S::V {
    let (zero, size) = (s.splat(0.0), absolute(s, v));
    // From 10 on the result is 1 in an f32.
    let (n, less_one) = split_exponent(s, at_most(s, 20.0, s.add(size, size)));
    let power = s.power_of_two(n);
    let m = s.fma(power, less_one, s.sub(power, s.splat(1.0)));
    let result = s.div(m, s.add(m, s.splat(2.0)));
    s.select_lt(v, zero, s.sub(zero, result), result)
}

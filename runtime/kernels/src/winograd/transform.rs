//! Winograd's transforms along one axis, for tiles that read `N` numbers: of `R` = 3 taps, 2 outputs
//! (`N` = 4) or 4 (`N` = 6); of `R` = 5 taps, 2 outputs (`N` = 6).
//!
//! With the matrices below, `Aᵀ [(G g) ⊙ (Bᵀ d)]` are the `N − R + 1` products of the `R` taps `g`
//! with neighbours in `d`: polynomials multiplied at the points 0, 1, −1, (2, −2) and ∞. `B` follows
//! from the points alone. All these maps are linear in `g`, so a gradient goes back through the
//! transposed ones.
//! (Lavin and Gray, *Fast Algorithms for Convolutional Neural Networks*, 2015.)

use super::super::simd::Simd;

/// `Bᵀ d`, a tile's input at the points:
///
/// ```text
///                     4  0 −5  0  1  0
///  1  0 −1  0         0 −4 −4  1  1  0
///  0  1  1  0         0  4 −4 −1  1  0
///  0 −1  1  0         0 −2 −1  2  1  0
///  0 −1  0  1         0  2 −1 −2  1  0
///                     0  4  0 −5  0  1
/// ```
#[inline(always)]
pub(super) fn input<S: Simd, const N: usize>(s: S, d: [S::V; N]) -> [S::V; N] {
    let mut v = [s.splat(0.0); N];
    if const { N == 4 } {
        v[0] = s.sub(d[0], d[2]);
        v[1] = s.add(d[2], d[1]);
        v[2] = s.sub(d[2], d[1]);
        v[3] = s.sub(d[3], d[1]);
        return v;
    }
    let (four, minus_four) = (s.splat(4.0), s.splat(-4.0));
    let (two, minus_two) = (s.splat(2.0), s.splat(-2.0));
    let even = s.sub(d[4], d[2]);
    let odd = s.sub(d[3], d[1]);
    v[0] = s.fma(four, s.sub(d[0], d[2]), even);
    let (a, b) = (s.fma(minus_four, d[2], d[4]), s.fma(minus_four, d[1], d[3]));
    v[1] = s.add(a, b);
    v[2] = s.sub(a, b);
    v[3] = s.fma(two, odd, even);
    v[4] = s.fma(minus_two, odd, even);
    v[5] = s.fma(minus_four, odd, s.sub(d[5], d[3]));
    v
}

/// `Aᵀ m`, the `N − R + 1` outputs from the products at the points; the rest of the array means
/// nothing:
///
/// ```text
///  1  1  1  0         1  1  1  1  1  0         1  1  1  1  1  0
///  0  1 −1  1         0  1 −1  2 −2  0         0  1 −1  2 −2  1
///                     0  1  1  4  4  0
///                     0  1 −1  8 −8  1            (R = 5)
/// ```
#[inline(always)]
pub(super) fn output<S: Simd, const N: usize, const R: usize>(s: S, m: [S::V; N]) -> [S::V; N] {
    let mut y = m;
    let (sum, difference) = (s.add(m[1], m[2]), s.sub(m[1], m[2]));
    if const { N == 4 } {
        y[0] = s.add(m[0], sum);
        y[1] = s.add(difference, m[3]);
        return y;
    }
    let (sum2, difference2) = (s.add(m[3], m[4]), s.sub(m[3], m[4]));
    y[0] = s.add(s.add(m[0], sum), sum2);
    y[1] = s.fma(s.splat(2.0), difference2, difference);
    if const { R == 5 } {
        y[1] = s.add(y[1], m[5]);
        return y;
    }
    y[2] = s.fma(s.splat(4.0), sum2, sum);
    y[3] = s.add(s.fma(s.splat(8.0), difference2, difference), m[5]);
    y
}

/// `A y`, the gradient of [`output`]; reads `N − R + 1` numbers.
#[inline(always)]
pub(super) fn output_gradient<S: Simd, const N: usize, const R: usize>(
    s: S,
    y: [S::V; N],
) -> [S::V; N] {
    let mut m = y;
    if const { N == 4 } {
        m[0] = y[0];
        m[1] = s.add(y[0], y[1]);
        m[2] = s.sub(y[0], y[1]);
        m[3] = y[1];
        return m;
    }
    if const { R == 5 } {
        m[0] = y[0];
        m[1] = s.add(y[0], y[1]);
        m[2] = s.sub(y[0], y[1]);
        m[3] = s.fma(s.splat(2.0), y[1], y[0]);
        m[4] = s.fma(s.splat(-2.0), y[1], y[0]);
        m[5] = y[1];
        return m;
    }
    let (even, odd) = (s.add(y[0], y[2]), s.add(y[1], y[3]));
    let four = s.splat(4.0);
    let (even2, odd2) = (s.fma(four, y[2], y[0]), s.fma(four, y[3], y[1]));
    m[0] = y[0];
    m[1] = s.add(even, odd);
    m[2] = s.sub(even, odd);
    m[3] = s.fma(s.splat(2.0), odd2, even2);
    m[4] = s.fma(s.splat(-2.0), odd2, even2);
    m[5] = y[3];
    m
}

/// `G g`, the taps at the points:
///
/// ```text
///                     1/4    0     0         1/4    0     0     0     0
///   1   0   0        −1/6  −1/6  −1/6       −1/6  −1/6  −1/6  −1/6  −1/6
///  1/2 1/2 1/2       −1/6   1/6  −1/6       −1/6   1/6  −1/6   1/6  −1/6
///  1/2 −1/2 1/2      1/24  1/12   1/6       1/24  1/12   1/6   1/3   2/3
///   0   0   1        1/24 −1/12   1/6       1/24 −1/12   1/6  −1/3   2/3
///                      0     0     1          0     0     0     0     1
/// ```
#[inline(always)]
pub(super) fn weight<S: Simd, const N: usize, const R: usize>(s: S, g: [S::V; R]) -> [S::V; N] {
    let mut u = [s.splat(0.0); N];
    u[N - 1] = g[R - 1];
    if const { R == 5 } {
        let minus_sixth = s.splat(-1.0 / 6.0);
        let (even, odd) = (s.add(s.add(g[0], g[2]), g[4]), s.add(g[1], g[3]));
        u[0] = s.mul(s.splat(0.25), g[0]);
        u[1] = s.mul(minus_sixth, s.add(even, odd));
        u[2] = s.mul(minus_sixth, s.sub(even, odd));
        let (twenty_fourth, four) = (s.splat(1.0 / 24.0), s.splat(4.0));
        let even = s.mul(twenty_fourth, s.fma(four, s.fma(four, g[4], g[2]), g[0]));
        let odd = s.mul(s.splat(1.0 / 12.0), s.fma(four, g[3], g[1]));
        u[3] = s.add(even, odd);
        u[4] = s.sub(even, odd);
        return u;
    }
    let ends = s.add(g[0], g[2]);
    if const { N == 4 } {
        let half = s.splat(0.5);
        u[0] = g[0];
        u[1] = s.mul(half, s.add(ends, g[1]));
        u[2] = s.mul(half, s.sub(ends, g[1]));
        return u;
    }
    let minus_sixth = s.splat(-1.0 / 6.0);
    u[0] = s.mul(s.splat(0.25), g[0]);
    u[1] = s.mul(minus_sixth, s.add(ends, g[1]));
    u[2] = s.mul(minus_sixth, s.sub(ends, g[1]));
    let even = s.fma(s.splat(1.0 / 6.0), g[2], s.mul(s.splat(1.0 / 24.0), g[0]));
    let twelfth = s.splat(1.0 / 12.0);
    u[3] = s.fma(twelfth, g[1], even);
    u[4] = s.sub(even, s.mul(twelfth, g[1]));
    u
}

/// `Gᵀ u`, the gradient of [`weight`].
#[inline(always)]
pub(super) fn weight_gradient<S: Simd, const N: usize, const R: usize>(
    s: S,
    u: [S::V; N],
) -> [S::V; R] {
    let mut g = [s.splat(0.0); R];
    let (sum, difference) = (s.add(u[1], u[2]), s.sub(u[1], u[2]));
    if const { N == 4 } {
        let half = s.splat(0.5);
        let sum = s.mul(half, sum);
        g[0] = s.add(u[0], sum);
        g[1] = s.mul(half, difference);
        g[2] = s.add(sum, u[3]);
        return g;
    }
    let (sum2, difference2) = (s.add(u[3], u[4]), s.sub(u[3], u[4]));
    let (sixth, minus_sixth) = (s.splat(1.0 / 6.0), s.splat(-1.0 / 6.0));
    let first = s.fma(s.splat(0.25), u[0], s.mul(s.splat(1.0 / 24.0), sum2));
    g[0] = s.fma(minus_sixth, sum, first);
    g[1] = s.fma(minus_sixth, difference, s.mul(s.splat(1.0 / 12.0), difference2));
    g[2] = s.mul(sixth, s.sub(sum2, sum));
    if const { R == 5 } {
        g[3] = s.fma(minus_sixth, difference, s.mul(s.splat(1.0 / 3.0), difference2));
        g[4] = s.fma(minus_sixth, sum, s.mul(s.splat(2.0 / 3.0), sum2));
    }
    g[R - 1] = s.add(g[R - 1], u[N - 1]);
    g
}

#[cfg(test)]
mod tests {
    use super::super::super::simd::portable::Portable;
    use super::super::super::simd::{Kernel, Simd};
    use super::*;

    struct Check<const N: usize, const R: usize>;

    impl<const N: usize, const R: usize> Kernel for Check<N, R> {
        type Output = ();

        fn run<S: Simd>(self, s: S) {
            let splat = |numbers: [f32; N]| numbers.map(|number| s.splat(number));
            let first = |v: S::V| s.sums([v; 4])[0] / S::WIDTH as f32;
            // Each entry of the three matrices appears for some pair of unit vectors.
            for tap in 0..R {
                let mut g = [s.splat(0.0); R];
                g[tap] = s.splat(1.0);
                for place in 0..N {
                    let mut d = [0.0; N];
                    d[place] = 1.0;
                    let u = weight::<S, N, R>(s, g);
                    let v = input(s, splat(d));
                    let mut m = v;
                    for n in 0..N {
                        m[n] = s.mul(u[n], v[n]);
                    }
                    let y = output::<S, N, R>(s, m);
                    for k in 0..=N - R {
                        let expected = if k + tap == place { 1.0 } else { 0.0 };
                        assert!((first(y[k]) - expected).abs() <= 1e-6, "output {k}");
                        // The gradients: ⟨A y, u ⊙ v⟩ = ⟨y, Aᵀ (u ⊙ v)⟩, and so on.
                        let mut dy = [0.0; N];
                        dy[k] = 1.0;
                        let mut du = output_gradient::<S, N, R>(s, splat(dy));
                        for n in 0..N {
                            du[n] = s.mul(du[n], v[n]);
                        }
                        let dg = weight_gradient::<S, N, R>(s, du);
                        assert!((first(dg[tap]) - expected).abs() <= 1e-6, "gradient {k}");
                    }
                }
            }
        }
    }

    #[test]
    fn products_at_the_points_are_the_convolution() {
        Portable.run(Check::<4, 3>);
        Portable.run(Check::<6, 3>);
        Portable.run(Check::<6, 5>);
    }
}

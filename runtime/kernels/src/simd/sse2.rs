//! SSE2, which every x86-64 machine has: vectors of 4. Gives the same results, number by number, as
//! [`portable`](super::portable) on other machines; the tests compare them. The compiler has far less work
//! than with `portable`, where it has to find the vectors in groups of four numbers.

use std::arch::x86_64::*;

use super::{Kernel, LANES, Lanes, Simd};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Sse2;

/// Intrinsics that touch no memory.
macro_rules! intrinsics {
    ($call:expr) => {
        // SAFETY: every x86-64 machine has these instructions.
        #[allow(unused_unsafe)]
        unsafe {
            $call
        }
    };
}

/// `yes` where all bits of `mask` are set, `no` where none is.
#[inline(always)]
fn select(mask: __m128, yes: __m128, no: __m128) -> __m128 {
    intrinsics!(_mm_or_ps(_mm_and_ps(mask, yes), _mm_andnot_ps(mask, no)))
}

/// Rows of four numbers as columns.
#[inline(always)]
fn transposed([a, b, c, d]: [__m128; 4]) -> [__m128; 4] {
    intrinsics!({
        let (ab, cd) = (_mm_unpacklo_ps(a, b), _mm_unpacklo_ps(c, d));
        let (ab2, cd2) = (_mm_unpackhi_ps(a, b), _mm_unpackhi_ps(c, d));
        [
            _mm_movelh_ps(ab, cd),
            _mm_movehl_ps(cd, ab),
            _mm_movelh_ps(ab2, cd2),
            _mm_movehl_ps(cd2, ab2),
        ]
    })
}

impl Simd for Sse2 {
    type V = __m128;
    const WIDTH: usize = 4;
    const ACCUMULATORS: usize = 12;
    const FALLBACK: bool = true;

    #[inline(never)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(always)]
    fn splat(self, number: f32) -> __m128 {
        intrinsics!(_mm_set1_ps(number))
    }
    #[inline(always)]
    unsafe fn read(self, from: *const f32) -> __m128 {
        // SAFETY: the caller vouches for 4 numbers.
        unsafe { _mm_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn write(self, to: *mut f32, v: __m128) {
        // SAFETY: the caller vouches for 4 numbers.
        unsafe { _mm_storeu_ps(to, v) }
    }
    #[inline(always)]
    fn add(self, a: __m128, b: __m128) -> __m128 {
        intrinsics!(_mm_add_ps(a, b))
    }
    #[inline(always)]
    fn sub(self, a: __m128, b: __m128) -> __m128 {
        intrinsics!(_mm_sub_ps(a, b))
    }
    #[inline(always)]
    fn mul(self, a: __m128, b: __m128) -> __m128 {
        intrinsics!(_mm_mul_ps(a, b))
    }
    #[inline(always)]
    fn div(self, a: __m128, b: __m128) -> __m128 {
        intrinsics!(_mm_div_ps(a, b))
    }
    #[inline(always)]
    fn fma(self, a: __m128, b: __m128, c: __m128) -> __m128 {
        // Rounded twice: there is no instruction that rounds once.
        intrinsics!(_mm_add_ps(_mm_mul_ps(a, b), c))
    }
    #[inline(always)]
    fn select_lt(self, a: __m128, b: __m128, yes: __m128, no: __m128) -> __m128 {
        select(intrinsics!(_mm_cmplt_ps(a, b)), yes, no)
    }
    #[inline(always)]
    fn max(self, a: __m128, b: __m128) -> __m128 {
        intrinsics!(_mm_max_ps(a, b))
    }
    #[inline(always)]
    fn min(self, a: __m128, b: __m128) -> __m128 {
        intrinsics!(_mm_min_ps(a, b))
    }
    #[inline(always)]
    fn unless_nan(self, v: __m128, number: __m128) -> __m128 {
        select(intrinsics!(_mm_cmpunord_ps(v, v)), v, number)
    }
    #[inline(always)]
    fn power_of_two(self, n: __m128) -> __m128 {
        intrinsics!(_mm_castsi128_ps(_mm_slli_epi32::<23>(_mm_add_epi32(
            _mm_cvtps_epi32(n),
            _mm_set1_epi32(127)
        ))))
    }
    #[inline(always)]
    fn sums(self, vectors: [__m128; 4]) -> [f32; 4] {
        let [a, b, c, d] = transposed(vectors);
        let mut out = [0.0; 4];
        // SAFETY: `out` takes 4 numbers.
        unsafe { self.write(out.as_mut_ptr(), self.add(self.add(a, b), self.add(c, d))) }
        out
    }

    // Not inlined: it is called in so many places that the copies would be most of what there is to compile.
    #[inline(never)]
    unsafe fn transpose_strided(self, from: *const f32, step: usize, to: &mut [Lanes; LANES]) {
        // 16 blocks of 4×4.
        for top in [0, 4, 8, 12] {
            for left in [0, 4, 8, 12] {
                // SAFETY: the caller vouches for each row of `from`; each access is to a quarter of a
                // row.
                unsafe {
                    let mut rows = [self.splat(0.0); 4];
                    for i in 0..4 {
                        rows[i] = self.read(from.add((top + i) * step + left));
                    }
                    let columns = transposed(rows);
                    for i in 0..4 {
                        self.write(to[left + i].0.as_mut_ptr().add(top), columns[i]);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::portable::Portable;
    use super::*;

    /// What every operation makes of four vectors, as bits; NaN is as good as any other.
    struct All<'a>(&'a [[f32; 4]; 4]);

    impl Kernel for All<'_> {
        type Output = Vec<u32>;

        fn run<S: Simd>(self, s: S) -> Vec<u32> {
            // SAFETY: a vector is four numbers here.
            let [a, b, c, d] = self.0.map(|numbers| unsafe { s.read(numbers.as_ptr()) });
            let whole = self.0[0].map(|number| number.clamp(-126.0, 127.0).round());
            // SAFETY: likewise.
            let whole = unsafe { s.read(whole.as_ptr()) };
            let vectors = [
                s.add(a, b),
                s.sub(a, b),
                s.mul(a, b),
                s.div(a, b),
                s.fma(a, b, c),
                s.select_lt(a, b, c, d),
                s.max(a, b),
                s.min(a, b),
                s.unless_nan(a, b),
                s.splat(self.0[0][1]),
                s.power_of_two(whole),
            ];
            let mut numbers = s.sums([a, b, c, d]).to_vec();
            for v in vectors {
                let mut to = [0.0; 4];
                // SAFETY: likewise.
                unsafe { s.write(to.as_mut_ptr(), v) };
                numbers.extend(to);
            }
            let mut from = [Lanes::ZERO; LANES];
            for (i, row) in from.iter_mut().enumerate() {
                row.0 = std::array::from_fn(|j| (16 * i + j) as f32);
            }
            let mut to = from;
            s.transpose(&from, &mut to);
            numbers.extend(to.iter().flat_map(|row| row.0));
            numbers
                .iter()
                .map(|number| if number.is_nan() { f32::NAN } else { *number }.to_bits())
                .collect()
        }
    }

    #[test]
    fn each_operation_has_the_bits_of_plain_rust() {
        const SPECIAL: [f32; 10] = [
            0.0,
            -0.0,
            1.0,
            -1.5,
            3.0e38,
            -1.0e-40,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::NAN,
            7.25,
        ];
        let mut state = 1_u32;
        for round in 0..2000 {
            let mut number = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                match state >> 29 {
                    0..4 => SPECIAL[(state >> 8) as usize % SPECIAL.len()],
                    _ => (state >> 8) as f32 / 4096.0 - 2048.0,
                }
            };
            let vectors: [[f32; 4]; 4] = std::array::from_fn(|_| std::array::from_fn(|_| number()));
            let (own, plain) = (Sse2.run(All(&vectors)), Portable.run(All(&vectors)));
            assert_eq!(own, plain, "round {round}: {vectors:?}");
        }
    }
}

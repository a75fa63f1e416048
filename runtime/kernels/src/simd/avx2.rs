//! AVX2 and FMA: a [`Lanes`] is two vectors.

use std::arch::asm;
use std::arch::x86_64::*;

use super::{Kernel, LANES, Lanes, Simd};

/// Exists only where the machine has AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// Asks the machine; the standard library remembers the answer.
    #[inline]
    pub(crate) fn new() -> Option<Avx2> {
        let all = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        all.then_some(Avx2(()))
    }
}

/// Intrinsics that touch no memory.
macro_rules! intrinsics {
    ($call:expr) => {
        // SAFETY: `self` exists only where the machine has these instructions.
        unsafe { $call }
    };
}

/// Returns `v`, but hides its origin from the compiler. Otherwise, where a selection is stored where one of
/// its sides was read, the compiler makes a masked store, which takes AMD's cores many cycles.
#[inline]
#[target_feature(enable = "avx")]
fn hidden(mut v: __m256) -> __m256 {
    // SAFETY: this is no instruction at all.
    unsafe {
        asm!("/* {0} */", inout(ymm_reg) v, options(pure, nomem, nostack, preserves_flags));
    }
    v
}

impl Simd for Avx2 {
    type V = __m256;
    const WIDTH: usize = 8;
    const ACCUMULATORS: usize = 12;

    // Never inlined, and neither is `compiled`, whose instructions this function may not use itself. The
    // attribute stands here because on a function with target features the compiler applies it only to
    // callers that have these features too.
    #[inline(never)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,fma")]
        fn compiled<K: Kernel>(kernel: K, s: Avx2) -> K::Output {
            kernel.run(s)
        }
        // SAFETY: `self` exists only where the machine has these instructions.
        unsafe { compiled(kernel, self) }
    }

    #[inline(always)]
    fn splat(self, number: f32) -> __m256 {
        intrinsics!(_mm256_set1_ps(number))
    }
    #[inline(always)]
    unsafe fn read(self, from: *const f32) -> __m256 {
        // SAFETY: the caller vouches for 8 numbers.
        unsafe { _mm256_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn write(self, to: *mut f32, v: __m256) {
        // SAFETY: the caller vouches for 8 numbers.
        unsafe { _mm256_storeu_ps(to, v) }
    }
    #[inline(always)]
    fn prefetch(self, at: *const f32) {
        intrinsics!(_mm_prefetch::<_MM_HINT_T0>(at.cast()));
    }
    #[inline(always)]
    fn prefetch_far(self, at: *const f32) {
        intrinsics!(_mm_prefetch::<_MM_HINT_T1>(at.cast()));
    }
    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        intrinsics!(_mm256_add_ps(a, b))
    }
    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        intrinsics!(_mm256_sub_ps(a, b))
    }
    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        intrinsics!(_mm256_mul_ps(a, b))
    }
    #[inline(always)]
    fn div(self, a: __m256, b: __m256) -> __m256 {
        intrinsics!(_mm256_div_ps(a, b))
    }
    #[inline(always)]
    fn fma(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        intrinsics!(_mm256_fmadd_ps(a, b, c))
    }
    #[inline(always)]
    fn select_lt(self, a: __m256, b: __m256, yes: __m256, no: __m256) -> __m256 {
        intrinsics!(hidden(_mm256_blendv_ps(no, yes, _mm256_cmp_ps::<_CMP_LT_OQ>(a, b))))
    }
    #[inline(always)]
    fn max(self, a: __m256, b: __m256) -> __m256 {
        intrinsics!(_mm256_max_ps(a, b))
    }
    #[inline(always)]
    fn min(self, a: __m256, b: __m256) -> __m256 {
        intrinsics!(_mm256_min_ps(a, b))
    }
    #[inline(always)]
    fn unless_nan(self, v: __m256, number: __m256) -> __m256 {
        intrinsics!(_mm256_blendv_ps(number, v, _mm256_cmp_ps::<_CMP_UNORD_Q>(v, v)))
    }
    #[inline(always)]
    fn power_of_two(self, n: __m256) -> __m256 {
        intrinsics!(_mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_add_epi32(
            _mm256_cvtps_epi32(n),
            _mm256_set1_epi32(127)
        ))))
    }
    #[inline(always)]
    fn sums(self, [a, b, c, d]: [__m256; 4]) -> [f32; 4] {
        // SAFETY: `self` exists only where the machine has these instructions; `out` takes 4 numbers.
        unsafe {
            let abcd = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
            let sum = _mm_add_ps(_mm256_castps256_ps128(abcd), _mm256_extractf128_ps::<1>(abcd));
            let mut out = [0.0; 4];
            _mm_storeu_ps(out.as_mut_ptr(), sum);
            out
        }
    }

    #[inline(always)]
    unsafe fn transpose_strided(self, from: *const f32, step: usize, to: &mut [Lanes; LANES]) {
        // SAFETY: `self` exists only where the machine has these instructions; the caller vouches for
        // each row of `from`.
        unsafe { transpose_strided(from, step, to) }
    }
}

/// Not inlined: it is called in so many places that the copies would be most of what there is to compile.
///
/// # Safety
/// As [`Simd::transpose_strided`].
#[inline(never)]
#[target_feature(enable = "avx2,fma")]
unsafe fn transpose_strided(from: *const f32, step: usize, to: &mut [Lanes; LANES]) {
    // Four blocks of 8×8.
    for top in [0, 8] {
        for left in [0, 8] {
            // SAFETY: `self` exists only where the machine has these instructions; the caller
            // vouches for each row of `from`; each access is to half a row, at 0 or 8.
            unsafe {
                let mut r = [_mm256_setzero_ps(); 8];
                for i in 0..8 {
                    r[i] = _mm256_loadu_ps(from.add((top + i) * step + left));
                }
                // Blocks of 4×4 within the two halves of the vectors.
                let mut b = [_mm256_setzero_ps(); 8];
                for q in 0..2 {
                    let low = _mm256_castps_pd(_mm256_unpacklo_ps(r[4 * q], r[4 * q + 1]));
                    let high = _mm256_castps_pd(_mm256_unpackhi_ps(r[4 * q], r[4 * q + 1]));
                    let low2 = _mm256_castps_pd(_mm256_unpacklo_ps(r[4 * q + 2], r[4 * q + 3]));
                    let high2 = _mm256_castps_pd(_mm256_unpackhi_ps(r[4 * q + 2], r[4 * q + 3]));
                    b[4 * q] = _mm256_castpd_ps(_mm256_unpacklo_pd(low, low2));
                    b[4 * q + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(low, low2));
                    b[4 * q + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(high, high2));
                    b[4 * q + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(high, high2));
                }
                for c in 0..4 {
                    let low = _mm256_permute2f128_ps::<0x20>(b[c], b[4 + c]);
                    let high = _mm256_permute2f128_ps::<0x31>(b[c], b[4 + c]);
                    _mm256_storeu_ps(to[left + c].0.as_mut_ptr().add(top), low);
                    _mm256_storeu_ps(to[left + 4 + c].0.as_mut_ptr().add(top), high);
                }
            }
        }
    }
}

//! AVX-512: a [`Lanes`] is one vector.

use std::arch::x86_64::*;

use super::{Kernel, LANES, Lanes, Simd};

/// Exists only where the machine has AVX-512 F, BW, DQ and VL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// Asks the machine; the standard library remembers the answer.
    #[inline]
    pub(crate) fn new() -> Option<Avx512> {
        let all = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        all.then_some(Avx512(()))
    }
}

/// Intrinsics that touch no memory.
macro_rules! intrinsics {
    ($call:expr) => {
        // SAFETY: `self` exists only where the machine has these instructions.
        unsafe { $call }
    };
}

impl Simd for Avx512 {
    type V = __m512;
    const WIDTH: usize = 16;
    const ACCUMULATORS: usize = 24;

    // Never inlined, and neither is `compiled`, whose instructions this function may not use itself. The
    // attribute stands here because on a function with target features the compiler applies it only to
    // callers that have these features too.
    #[inline(never)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
        fn compiled<K: Kernel>(kernel: K, s: Avx512) -> K::Output {
            kernel.run(s)
        }
        // SAFETY: `self` exists only where the machine has these instructions.
        unsafe { compiled(kernel, self) }
    }

    #[inline(always)]
    fn splat(self, number: f32) -> __m512 {
        intrinsics!(_mm512_set1_ps(number))
    }
    #[inline(always)]
    unsafe fn read(self, from: *const f32) -> __m512 {
        // SAFETY: the caller vouches for 16 numbers.
        unsafe { _mm512_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn write(self, to: *mut f32, v: __m512) {
        // SAFETY: the caller vouches for 16 numbers.
        unsafe { _mm512_storeu_ps(to, v) }
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
    fn add(self, a: __m512, b: __m512) -> __m512 {
        intrinsics!(_mm512_add_ps(a, b))
    }
    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        intrinsics!(_mm512_sub_ps(a, b))
    }
    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        intrinsics!(_mm512_mul_ps(a, b))
    }
    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        intrinsics!(_mm512_div_ps(a, b))
    }
    #[inline(always)]
    fn fma(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        intrinsics!(_mm512_fmadd_ps(a, b, c))
    }
    #[inline(always)]
    fn select_lt(self, a: __m512, b: __m512, yes: __m512, no: __m512) -> __m512 {
        intrinsics!(_mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), no, yes))
    }
    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        intrinsics!(_mm512_max_ps(a, b))
    }
    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        intrinsics!(_mm512_min_ps(a, b))
    }
    #[inline(always)]
    fn unless_nan(self, v: __m512, number: __m512) -> __m512 {
        intrinsics!(_mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_UNORD_Q>(v, v), number, v))
    }
    #[inline(always)]
    fn power_of_two(self, n: __m512) -> __m512 {
        intrinsics!(_mm512_castsi512_ps(_mm512_slli_epi32::<23>(_mm512_add_epi32(
            _mm512_cvtps_epi32(n),
            _mm512_set1_epi32(127)
        ))))
    }
    #[inline(always)]
    fn sums(self, [a, b, c, d]: [__m512; 4]) -> [f32; 4] {
        // 16 to 8 numbers each, then pairs of neighbours twice, then the two halves.
        macro_rules! fold {
            ($v:ident) => {
                _mm256_add_ps(_mm512_castps512_ps256($v), _mm512_extractf32x8_ps::<1>($v))
            };
        }
        // SAFETY: `self` exists only where the machine has these instructions; `out` takes 4 numbers.
        unsafe {
            let ab = _mm256_hadd_ps(fold!(a), fold!(b));
            let cd = _mm256_hadd_ps(fold!(c), fold!(d));
            let abcd = _mm256_hadd_ps(ab, cd);
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
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn transpose_strided(from: *const f32, step: usize, to: &mut [Lanes; LANES]) {
    // SAFETY: `self` exists only where the machine has these instructions; the caller vouches
    // for each row of `from`, and each of `to` is 16 numbers.
    unsafe {
        let mut r = [_mm512_setzero_ps(); LANES];
        for i in 0..LANES {
            r[i] = _mm512_loadu_ps(from.add(i * step));
        }
        // Blocks of 4×4 within the four quarters of the vectors: afterwards quarter k of
        // b[4q + c] is column 4k + c of rows 4q to 4q + 3.
        let mut b = [_mm512_setzero_ps(); LANES];
        for q in 0..4 {
            let low = _mm512_castps_pd(_mm512_unpacklo_ps(r[4 * q], r[4 * q + 1]));
            let high = _mm512_castps_pd(_mm512_unpackhi_ps(r[4 * q], r[4 * q + 1]));
            let low2 = _mm512_castps_pd(_mm512_unpacklo_ps(r[4 * q + 2], r[4 * q + 3]));
            let high2 = _mm512_castps_pd(_mm512_unpackhi_ps(r[4 * q + 2], r[4 * q + 3]));
            b[4 * q] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, low2));
            b[4 * q + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, low2));
            b[4 * q + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high, high2));
            b[4 * q + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high, high2));
        }
        // The same with quarters in the place of numbers.
        for c in 0..4 {
            let low = _mm512_shuffle_f32x4::<0x44>(b[c], b[4 + c]);
            let high = _mm512_shuffle_f32x4::<0xEE>(b[c], b[4 + c]);
            let low2 = _mm512_shuffle_f32x4::<0x44>(b[8 + c], b[12 + c]);
            let high2 = _mm512_shuffle_f32x4::<0xEE>(b[8 + c], b[12 + c]);
            r[c] = _mm512_shuffle_f32x4::<0x88>(low, low2);
            r[4 + c] = _mm512_shuffle_f32x4::<0xDD>(low, low2);
            r[8 + c] = _mm512_shuffle_f32x4::<0x88>(high, high2);
            r[12 + c] = _mm512_shuffle_f32x4::<0xDD>(high, high2);
        }
        for i in 0..LANES {
            _mm512_storeu_ps(to[i].0.as_mut_ptr(), r[i]);
        }
    }
}

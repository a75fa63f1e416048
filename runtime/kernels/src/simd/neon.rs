//! NEON: a [`Lanes`] is four vectors.
// On AArch64 the compiler takes NEON as given, and then finds these blocks not needed.
#![allow(unused_unsafe)]

use std::arch::aarch64::*;
use std::arch::asm;

use super::{Kernel, LANES, Lanes, Simd};

/// Exists only where the machine has NEON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Neon(());

impl Neon {
    /// Asks the machine; the standard library remembers the answer.
    #[inline]
    pub(crate) fn new() -> Option<Neon> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Neon(()))
    }
}

/// Intrinsics that touch no memory.
macro_rules! intrinsics {
    ($call:expr) => {
        // SAFETY: `self` exists only where the machine has these instructions.
        unsafe { $call }
    };
}

impl Simd for Neon {
    type V = float32x4_t;
    const WIDTH: usize = 4;
    const ACCUMULATORS: usize = 24;

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[inline(never)]
        #[target_feature(enable = "neon")]
        fn compiled<K: Kernel>(kernel: K, s: Neon) -> K::Output {
            kernel.run(s)
        }
        intrinsics!(compiled(kernel, self))
    }

    #[inline(always)]
    fn apart(self, mut step: usize) -> usize {
        // SAFETY: this is no instruction at all.
        unsafe {
            asm!("/* {0} */", inout(reg) step, options(pure, nomem, nostack, preserves_flags));
        }
        step
    }
    #[inline(always)]
    fn prefetch(self, at: *const f32) {
        // SAFETY: a prefetch of any address changes nothing that a program sees.
        unsafe {
            asm!("prfm pldl1keep, [{0}]", in(reg) at, options(nomem, nostack, preserves_flags));
        }
    }
    #[inline(always)]
    fn prefetch_far(self, at: *const f32) {
        // SAFETY: as in `prefetch`.
        unsafe {
            asm!("prfm pldl2keep, [{0}]", in(reg) at, options(nomem, nostack, preserves_flags));
        }
    }
    #[inline(always)]
    fn splat(self, number: f32) -> float32x4_t {
        intrinsics!(vdupq_n_f32(number))
    }
    #[inline(always)]
    unsafe fn read(self, from: *const f32) -> float32x4_t {
        // SAFETY: the caller vouches for 4 numbers.
        unsafe { vld1q_f32(from) }
    }
    #[inline(always)]
    unsafe fn write(self, to: *mut f32, v: float32x4_t) {
        // SAFETY: the caller vouches for 4 numbers.
        unsafe { vst1q_f32(to, v) }
    }
    #[inline(always)]
    fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        intrinsics!(vaddq_f32(a, b))
    }
    #[inline(always)]
    fn sub(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        intrinsics!(vsubq_f32(a, b))
    }
    #[inline(always)]
    fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        intrinsics!(vmulq_f32(a, b))
    }
    #[inline(always)]
    fn div(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        intrinsics!(vdivq_f32(a, b))
    }
    #[inline(always)]
    fn fma(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        intrinsics!(vfmaq_f32(c, a, b))
    }
    #[inline(always)]
    fn select_lt(
        self,
        a: float32x4_t,
        b: float32x4_t,
        yes: float32x4_t,
        no: float32x4_t,
    ) -> float32x4_t {
        intrinsics!(vbslq_f32(vcltq_f32(a, b), yes, no))
    }
    #[inline(always)]
    fn max(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        intrinsics!(vbslq_f32(vcgtq_f32(a, b), a, b))
    }
    #[inline(always)]
    fn min(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        intrinsics!(vbslq_f32(vcltq_f32(a, b), a, b))
    }
    #[inline(always)]
    fn unless_nan(self, v: float32x4_t, number: float32x4_t) -> float32x4_t {
        intrinsics!(vbslq_f32(vceqq_f32(v, v), number, v))
    }
    #[inline(always)]
    fn power_of_two(self, n: float32x4_t) -> float32x4_t {
        intrinsics!(vreinterpretq_f32_s32(vshlq_n_s32::<23>(vaddq_s32(
            vcvtnq_s32_f32(n),
            vdupq_n_s32(127)
        ))))
    }
    #[inline(always)]
    fn sums(self, [a, b, c, d]: [float32x4_t; 4]) -> [f32; 4] {
        let sum = intrinsics!(vpaddq_f32(vpaddq_f32(a, b), vpaddq_f32(c, d)));
        let mut out = [0.0; 4];
        // SAFETY: `out` takes 4 numbers.
        unsafe { self.write(out.as_mut_ptr(), sum) };
        out
    }

    #[inline(always)]
    unsafe fn transpose_strided(self, from: *const f32, step: usize, to: &mut [Lanes; LANES]) {
        // Sixteen blocks of 4×4: swap within pairs of numbers, then pairs of pairs.
        for top in [0, 4, 8, 12] {
            for left in [0, 4, 8, 12] {
                // SAFETY: `self` exists only where the machine has these instructions; the caller
                // vouches for each row of `from`; each access is to a quarter of a row.
                unsafe {
                    let mut r = [vdupq_n_f32(0.0); 4];
                    for i in 0..4 {
                        r[i] = vld1q_f32(from.add((top + i) * step + left));
                    }
                    let even = vreinterpretq_f64_f32(vtrn1q_f32(r[0], r[1]));
                    let odd = vreinterpretq_f64_f32(vtrn2q_f32(r[0], r[1]));
                    let even2 = vreinterpretq_f64_f32(vtrn1q_f32(r[2], r[3]));
                    let odd2 = vreinterpretq_f64_f32(vtrn2q_f32(r[2], r[3]));
                    let columns = [
                        vtrn1q_f64(even, even2),
                        vtrn1q_f64(odd, odd2),
                        vtrn2q_f64(even, even2),
                        vtrn2q_f64(odd, odd2),
                    ];
                    for c in 0..4 {
                        let column = vreinterpretq_f32_f64(columns[c]);
                        vst1q_f32(to[left + c].0.as_mut_ptr().add(top), column);
                    }
                }
            }
        }
    }
}

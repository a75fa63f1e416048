//! WebAssembly's vectors of 4, where the program is compiled for them. Gives the same results as
//! [`portable`](super::portable), number by number.

use std::arch::wasm32::*;

use super::{Kernel, LANES, Lanes, Simd};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Simd128;

/// Rows of four numbers as columns.
#[inline(always)]
fn transposed([a, b, c, d]: [v128; 4]) -> [v128; 4] {
    let (ab, cd) = (i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<0, 4, 1, 5>(c, d));
    let (ab2, cd2) = (i32x4_shuffle::<2, 6, 3, 7>(a, b), i32x4_shuffle::<2, 6, 3, 7>(c, d));
    [
        i64x2_shuffle::<0, 2>(ab, cd),
        i64x2_shuffle::<1, 3>(ab, cd),
        i64x2_shuffle::<0, 2>(ab2, cd2),
        i64x2_shuffle::<1, 3>(ab2, cd2),
    ]
}

impl Simd for Simd128 {
    type V = v128;
    const WIDTH: usize = 4;
    const ACCUMULATORS: usize = 12;
    // Each tile size adds to the download.
    const FALLBACK: bool = true;

    #[inline(never)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(always)]
    fn splat(self, number: f32) -> v128 {
        f32x4_splat(number)
    }
    #[inline(always)]
    unsafe fn read(self, from: *const f32) -> v128 {
        // SAFETY: the caller vouches for 4 numbers.
        unsafe { v128_load(from.cast()) }
    }
    #[inline(always)]
    unsafe fn write(self, to: *mut f32, v: v128) {
        // SAFETY: the caller vouches for 4 numbers.
        unsafe { v128_store(to.cast(), v) }
    }
    #[inline(always)]
    fn add(self, a: v128, b: v128) -> v128 {
        f32x4_add(a, b)
    }
    #[inline(always)]
    fn sub(self, a: v128, b: v128) -> v128 {
        f32x4_sub(a, b)
    }
    #[inline(always)]
    fn mul(self, a: v128, b: v128) -> v128 {
        f32x4_mul(a, b)
    }
    #[inline(always)]
    fn div(self, a: v128, b: v128) -> v128 {
        f32x4_div(a, b)
    }
    #[inline(always)]
    fn fma(self, a: v128, b: v128, c: v128) -> v128 {
        // Rounded twice: only the relaxed instructions round once, on some machines.
        f32x4_add(f32x4_mul(a, b), c)
    }
    #[inline(always)]
    fn select_lt(self, a: v128, b: v128, yes: v128, no: v128) -> v128 {
        v128_bitselect(yes, no, f32x4_lt(a, b))
    }
    #[inline(always)]
    fn max(self, a: v128, b: v128) -> v128 {
        // `b < a ? a : b`
        f32x4_pmax(b, a)
    }
    #[inline(always)]
    fn min(self, a: v128, b: v128) -> v128 {
        // `a < b ? a : b`
        f32x4_pmin(b, a)
    }
    #[inline(always)]
    fn unless_nan(self, v: v128, number: v128) -> v128 {
        v128_bitselect(number, v, f32x4_eq(v, v))
    }
    #[inline(always)]
    fn power_of_two(self, n: v128) -> v128 {
        i32x4_shl(i32x4_add(i32x4_trunc_sat_f32x4(f32x4_nearest(n)), i32x4_splat(127)), 23)
    }
    #[inline(always)]
    fn sums(self, vectors: [v128; 4]) -> [f32; 4] {
        let [a, b, c, d] = transposed(vectors);
        let mut out = [0.0; 4];
        // SAFETY: `out` takes 4 numbers.
        unsafe { self.write(out.as_mut_ptr(), self.add(self.add(a, b), self.add(c, d))) }
        out
    }

    // Not inlined, for the program's size.
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

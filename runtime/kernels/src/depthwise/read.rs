//! The numbers of a row that neighbouring outputs read.
#![allow(unsafe_code)]

use super::super::LANES;
use super::super::simd::Simd;

/// The most numbers of a row that a block reads.
pub(super) const MOST: usize = 20;

/// The numbers of a row that `P` neighbouring outputs read, from column `left` on, where `x` points;
/// zeros where they lie outside.
///
/// # Safety
/// Those inside can be read, and none but the first and last `K - 1` lies outside.
#[inline(always)]
pub(super) unsafe fn numbers<S: Simd, const K: usize, const T: usize, const P: usize>(
    s: S,
    x: *const f32,
    left: isize,
    width: usize,
) -> [S::V; MOST] {
    let mut xs = [s.splat(0.0); MOST];
    let count = (P - 1) * T + K;
    for l in 0..count {
        let is_edge = l + 1 < K || l + K > count;
        if !is_edge || (0..width as isize).contains(&(left + l as isize)) {
            // SAFETY: it is inside, and the caller vouches for those.
            xs[l] = unsafe { s.read(x.wrapping_add(l * LANES)) };
        }
    }
    xs
}

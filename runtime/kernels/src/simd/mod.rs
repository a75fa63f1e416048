//! The vector operations that the kernels are written with, one file for each instruction set.
//!
//! A kernel is a struct of its arguments whose [`Kernel::run`] is generic over [`Simd`] and always
//! inlined; [`Simd::run`] is the thin function compiled for the instruction set that it is
//! inlined into. A value of a `Simd` type is the proof that the machine has the instructions, so
//! arithmetic is safe and only raw memory access is not.
#![allow(unsafe_code)]

use super::{LANES, Lanes};

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
#[cfg(target_arch = "aarch64")]
pub(crate) mod neon;
#[cfg(any(
    test,
    not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128")))
))]
pub(crate) mod portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) mod simd128;
#[cfg(target_arch = "x86_64")]
pub(crate) mod sse2;

/// What runs on every machine of this architecture.
#[cfg(not(any(
    target_arch = "x86_64",
    all(target_arch = "wasm32", target_feature = "simd128")
)))]
pub(crate) use portable::Portable as Baseline;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) use simd128::Simd128 as Baseline;
#[cfg(target_arch = "x86_64")]
pub(crate) use sse2::Sse2 as Baseline;

/// Repeats the body for each number `$i` below `$n`, 12 at most. The compiler sees `$i` as a constant from
/// the beginning. In a loop too large for it to unroll, an array of accumulators would stay in memory, even
/// in the inner loop.
macro_rules! unrolled {
    ($i:ident < $n:expr, $body:block) => {
        unrolled!(@ $i, $n, $body, 0 1 2 3 4 5 6 7 8 9 10 11)
    };
    (@ $i:ident, $n:expr, $body:block, $($k:literal)*) => {
        $(
            if $k < $n {
                let $i: usize = $k;
                $body
            }
        )*
    };
}
pub(crate) use unrolled;

/// How many of the `left` items the next tile takes, such that all tiles are as even as possible. Tiles exist
/// in these `sizes`, which ascend from 1.
pub(crate) fn even_tile(left: usize, sizes: &[usize]) -> usize {
    let possible = &sizes[..sizes.partition_point(|&size| size <= left)];
    let most = possible.last().copied().unwrap_or(1);
    let even = left.div_ceil(left.div_ceil(most));
    possible[possible.partition_point(|&size| size < even)..].first().copied().unwrap_or(most)
}

/// Code to be compiled for each instruction set. Implement `run` with `#[inline(always)]`, and
/// likewise whatever it calls, except through [`Simd::run`].
pub(crate) trait Kernel {
    /// What it returns.
    type Output;
    /// The code.
    fn run<S: Simd>(self, s: S) -> Self::Output;
}

/// An instruction set.
pub(crate) trait Simd: Copy {
    /// A vector of [`Simd::WIDTH`] numbers.
    type V: Copy;
    /// Divides [`LANES`].
    const WIDTH: usize;
    /// How many registers a tile may use as accumulators: enough stay free for its operands.
    const ACCUMULATORS: usize;
    /// Whether there are registers for large tiles. Test this as `if S::WIDE` (or `if S::WIDE && …`): where
    /// the condition is just a constant, the compiler drops the branch that cannot run before it compiles the
    /// tiles in it. It sees through a comparison only afterwards.
    const WIDE: bool = Self::ACCUMULATORS >= 24;
    /// Whether hardly any machine of this architecture runs it, so that a few tile sizes will do. Test it as
    /// [`WIDE`](Self::WIDE). The results do not depend on it.
    const FALLBACK: bool = false;
    /// Vectors in a [`Lanes`].
    const PARTS: usize = LANES / Self::WIDTH;
    /// Whether that is one; test it as [`WIDE`](Self::WIDE).
    const ONE_PART: bool = Self::PARTS == 1;
    /// Whether there are two of them, and few registers; test it as [`WIDE`](Self::WIDE).
    const TWO_PARTS: bool = Self::PARTS == 2 && !Self::WIDE;

    /// Calls a kernel compiled for this instruction set, and never inlines it: so each tile has all registers
    /// to itself.
    fn run<K: Kernel>(self, kernel: K) -> K::Output;

    /// `number` in every lane.
    fn splat(self, number: f32) -> Self::V;
    /// Reads a vector, of any alignment.
    ///
    /// # Safety
    /// [`Simd::WIDTH`] numbers can be read at `from`.
    unsafe fn read(self, from: *const f32) -> Self::V;
    /// Writes a vector, of any alignment.
    ///
    /// # Safety
    /// [`Simd::WIDTH`] numbers can be written at `to`.
    unsafe fn write(self, to: *mut f32, v: Self::V);

    /// Prefetches a number that will be read and written soon; any address will do.
    #[inline(always)]
    fn prefetch(self, _at: *const f32) {}

    /// Prefetches a number into the second-level cache, since it will be read after many others; any address
    /// will do.
    #[inline(always)]
    fn prefetch_far(self, _at: *const f32) {}

    /// Returns `step`, but hides from the compiler that it is a multiple of another step. Otherwise, where
    /// loads increment their own address, the compiler would compute the addresses of a tile as one chain of
    /// additions.
    #[inline(always)]
    fn apart(self, step: usize) -> usize {
        step
    }

    /// `a + b`
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a - b`
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a · b`
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a / b`
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a · b + c`, rounded once where the machine can.
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `yes` where `a < b`, else (also where one is NaN) `no`.
    fn select_lt(self, a: Self::V, b: Self::V, yes: Self::V, no: Self::V) -> Self::V;
    /// `a` where `a > b`, else (also where one is NaN) `b`.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a` where `a < b`, else (also where one is NaN) `b`.
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// `number` where `v` is a number, `v` where it is NaN.
    fn unless_nan(self, v: Self::V, number: Self::V) -> Self::V;
    /// `2ⁿ` for whole `n` from -126 to 127; anything finite or not for other `n`.
    fn power_of_two(self, n: Self::V) -> Self::V;
    /// The sum of the lanes of each vector.
    fn sums(self, vectors: [Self::V; 4]) -> [f32; 4];

    /// `to[j][i] = from[i · step + j]`
    ///
    /// # Safety
    /// [`LANES`] numbers can be read at each `from + i · step`.
    #[inline(always)]
    unsafe fn transpose_strided(self, from: *const f32, step: usize, to: &mut [Lanes; LANES]) {
        for i in 0..LANES {
            for j in 0..LANES {
                // SAFETY: the caller vouches for number `j` of row `i`.
                to[j].0[i] = unsafe { *from.add(i * step + j) };
            }
        }
    }

    /// `to[j][i] = from[i][j]`
    #[inline(always)]
    fn transpose(self, from: &[Lanes; LANES], to: &mut [Lanes; LANES]) {
        // SAFETY: each row is LANES numbers, next to the one before.
        unsafe { self.transpose_strided(from.as_ptr().cast(), LANES, to) }
    }

    /// The `part`-th vector of `lanes`.
    #[inline(always)]
    fn load(self, lanes: &Lanes, part: usize) -> Self::V {
        assert!(part < Self::PARTS, "a part of a Lanes");
        // SAFETY: PARTS vectors of WIDTH numbers fill a Lanes, and `part` is one of them.
        unsafe { self.read(lanes.0.as_ptr().add(part * Self::WIDTH)) }
    }

    /// Overwrites the `part`-th vector of `lanes`.
    #[inline(always)]
    fn store(self, lanes: &mut Lanes, part: usize, v: Self::V) {
        assert!(part < Self::PARTS, "a part of a Lanes");
        // SAFETY: PARTS vectors of WIDTH numbers fill a Lanes, and `part` is one of them.
        unsafe { self.write(lanes.0.as_mut_ptr().add(part * Self::WIDTH), v) }
    }
}

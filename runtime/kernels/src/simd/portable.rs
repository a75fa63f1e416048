//! Plain Rust: vectors of 4, which fit the smallest vector registers there are.

use super::{Kernel, Simd};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable;

/// Four numbers.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
pub(crate) struct Four([f32; 4]);

/// Applies an operation number by number.
macro_rules! each {
    (|$i:ident| $number:expr) => {{
        let mut out = [0.0; 4];
        for $i in 0..4 {
            out[$i] = $number;
        }
        Four(out)
    }};
}

impl Simd for Portable {
    type V = Four;
    const WIDTH: usize = 4;
    const ACCUMULATORS: usize = 12;
    // Every AArch64 machine has NEON. In WebAssembly each tile size adds to the download.
    const FALLBACK: bool = cfg!(any(target_arch = "aarch64", target_family = "wasm"));

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[inline(never)]
        fn compiled<K: Kernel>(kernel: K, s: Portable) -> K::Output {
            kernel.run(s)
        }
        compiled(kernel, self)
    }

    #[inline(always)]
    fn splat(self, number: f32) -> Four {
        Four([number; 4])
    }
    #[inline(always)]
    unsafe fn read(self, from: *const f32) -> Four {
        // SAFETY: the caller vouches for 4 numbers.
        Four(unsafe { from.cast::<[f32; 4]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn write(self, to: *mut f32, v: Four) {
        // SAFETY: the caller vouches for 4 numbers.
        unsafe { to.cast::<[f32; 4]>().write_unaligned(v.0) }
    }
    #[inline(always)]
    fn add(self, a: Four, b: Four) -> Four {
        each!(|i| a.0[i] + b.0[i])
    }
    #[inline(always)]
    fn sub(self, a: Four, b: Four) -> Four {
        each!(|i| a.0[i] - b.0[i])
    }
    #[inline(always)]
    fn mul(self, a: Four, b: Four) -> Four {
        each!(|i| a.0[i] * b.0[i])
    }
    #[inline(always)]
    fn div(self, a: Four, b: Four) -> Four {
        each!(|i| a.0[i] / b.0[i])
    }
    #[inline(always)]
    fn fma(self, a: Four, b: Four, c: Four) -> Four {
        // Not `mul_add`: without the instruction that is a slow library call.
        each!(|i| a.0[i] * b.0[i] + c.0[i])
    }
    #[inline(always)]
    fn select_lt(self, a: Four, b: Four, yes: Four, no: Four) -> Four {
        each!(|i| if a.0[i] < b.0[i] { yes.0[i] } else { no.0[i] })
    }
    #[inline(always)]
    fn max(self, a: Four, b: Four) -> Four {
        each!(|i| if a.0[i] > b.0[i] { a.0[i] } else { b.0[i] })
    }
    #[inline(always)]
    fn min(self, a: Four, b: Four) -> Four {
        each!(|i| if a.0[i] < b.0[i] { a.0[i] } else { b.0[i] })
    }
    #[inline(always)]
    fn unless_nan(self, v: Four, number: Four) -> Four {
        each!(|i| if v.0[i].is_nan() { v.0[i] } else { number.0[i] })
    }
    #[inline(always)]
    fn power_of_two(self, n: Four) -> Four {
        // Adding 1.5 · 2²³ leaves the whole number n in the low bits; 127 is the exponent's bias.
        each!(|i| f32::from_bits((n.0[i] + 12_582_912.0).to_bits().wrapping_add(127) << 23))
    }
    #[inline(always)]
    fn sums(self, vectors: [Four; 4]) -> [f32; 4] {
        vectors.map(|Four([a, b, c, d])| (a + b) + (c + d))
    }
}

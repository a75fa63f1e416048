//! Images side by side.

use super::isa::isa;
use super::simd::{Kernel, Simd};

/// How many images stand side by side.
pub const LANES: usize = 16;

/// The same number of [`LANES`] images.
#[derive(Clone, Copy, PartialEq, Debug)]
#[repr(C, align(64))]
pub struct Lanes(pub [f32; LANES]);

impl Lanes {
    /// All zero.
    pub const ZERO: Lanes = Lanes([0.0; LANES]);
}

/// Interleaves images: `rows` holds up to [`LANES`] images of `lanes.len()` numbers each; missing
/// images become zeros.
///
/// # Panics
/// When `rows` is no whole number of images, or more than [`LANES`].
pub fn pack(rows: &[f32], lanes: &mut [Lanes]) {
    check(rows.len(), lanes.len());
    isa().run(Pack { rows, lanes });
}

/// The inverse of [`pack`]; lanes behind the last image are dropped.
///
/// # Panics
/// As [`pack`].
pub fn unpack(lanes: &[Lanes], rows: &mut [f32]) {
    check(rows.len(), lanes.len());
    isa().run(Unpack { lanes, rows });
}

fn check(rows: usize, len: usize) {
    assert!(rows.is_multiple_of(len) && rows <= len * LANES, "whole images, at most 16");
}

struct Pack<'a> {
    rows: &'a [f32],
    lanes: &'a mut [Lanes],
}

impl Kernel for Pack<'_> {
    type Output = ();

    /// Blocks of 16 images by 16 numbers are turned over; images and numbers missing are zeros.
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let len = self.lanes.len();
        let mut block = [Lanes::ZERO; LANES];
        let mut turned = [Lanes::ZERO; LANES];
        for (first, lanes) in self.lanes.chunks_mut(LANES).enumerate().map(|(i, c)| (i * LANES, c))
        {
            for (image, row) in self.rows.chunks_exact(len).enumerate() {
                let numbers = &row[first..first + lanes.len()];
                match <&[f32; LANES]>::try_from(numbers) {
                    Ok(numbers) => block[image].0 = *numbers,
                    Err(_) => block[image].0[..numbers.len()].copy_from_slice(numbers),
                }
            }
            s.transpose(&block, &mut turned);
            lanes.copy_from_slice(&turned[..lanes.len()]);
        }
    }
}

struct Unpack<'a> {
    lanes: &'a [Lanes],
    rows: &'a mut [f32],
}

impl Kernel for Unpack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let len = self.lanes.len();
        let mut block = [Lanes::ZERO; LANES];
        let mut turned = [Lanes::ZERO; LANES];
        for (first, lanes) in self.lanes.chunks(LANES).enumerate().map(|(i, c)| (i * LANES, c)) {
            block[..lanes.len()].copy_from_slice(lanes);
            s.transpose(&block, &mut turned);
            for (image, row) in self.rows.chunks_exact_mut(len).enumerate() {
                let numbers = &mut row[first..first + lanes.len()];
                match <&mut [f32; LANES]>::try_from(&mut *numbers) {
                    Ok(numbers) => *numbers = turned[image].0,
                    Err(_) => numbers.copy_from_slice(&turned[image].0[..lanes.len()]),
                }
            }
        }
    }
}

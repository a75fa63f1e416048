//! Images into lanes, and back.

use super::isa::isa;
use super::simd::{Kernel, Simd};
use super::{LANES, Lanes};

/// Interleaves images: `rows` holds up to [`LANES`] images of `lanes.len()` numbers each; missing
/// images become zeros.
///
/// # Panics
/// When `rows` is no whole number of images, or more than [`LANES`].
pub fn pack(rows: &[f32], lanes: &mut [Lanes]) {
    let len = lanes.len();
    pack_part(rows, len, 0, false, lanes);
}

/// As [`pack`], for rows of `row` numbers each, of which it takes those from the `start`-th on. If `adds`,
/// they are added to what is there.
///
/// # Panics
/// As [`pack`], and when there are not as many numbers in a row.
pub fn pack_part(rows: &[f32], row: usize, start: usize, adds: bool, lanes: &mut [Lanes]) {
    check(rows.len(), row);
    assert!(start + lanes.len() <= row, "a part of a row");
    isa().run(Pack { rows, row, start, adds, lanes });
}

/// The inverse of [`pack`]; lanes behind the last image are dropped.
///
/// # Panics
/// As [`pack`].
pub fn unpack(lanes: &[Lanes], rows: &mut [f32]) {
    unpack_part(lanes, rows, lanes.len(), 0);
}

/// The inverse of [`pack_part`]; what else is in the rows stays.
///
/// # Panics
/// As [`pack_part`].
pub fn unpack_part(lanes: &[Lanes], rows: &mut [f32], row: usize, start: usize) {
    check(rows.len(), row);
    assert!(start + lanes.len() <= row, "a part of a row");
    isa().run(Unpack { lanes, rows, row, start });
}

fn check(rows: usize, len: usize) {
    assert!(rows.is_multiple_of(len) && rows <= len * LANES, "whole images, at most 16");
}

struct Pack<'a> {
    rows: &'a [f32],
    row: usize,
    start: usize,
    adds: bool,
    lanes: &'a mut [Lanes],
}

impl Kernel for Pack<'_> {
    type Output = ();

    /// Transposes blocks of 16 images by 16 numbers; missing images and numbers are zeros.
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let mut block = [Lanes::ZERO; LANES];
        let mut turned = [Lanes::ZERO; LANES];
        for (chunk, lanes) in self.lanes.chunks_mut(LANES).enumerate() {
            let first = self.start + chunk * LANES;
            for (image, row) in self.rows.chunks_exact(self.row).enumerate() {
                let numbers = &row[first..first + lanes.len()];
                match <&[f32; LANES]>::try_from(numbers) {
                    Ok(numbers) => block[image].0 = *numbers,
                    Err(_) => block[image].0[..numbers.len()].copy_from_slice(numbers),
                }
            }
            s.transpose(&block, &mut turned);
            if self.adds {
                for (sum, part) in lanes.iter_mut().zip(&turned) {
                    sum.0.iter_mut().zip(part.0).for_each(|(sum, part)| *sum += part);
                }
            } else {
                lanes.copy_from_slice(&turned[..lanes.len()]);
            }
        }
    }
}

struct Unpack<'a> {
    lanes: &'a [Lanes],
    rows: &'a mut [f32],
    row: usize,
    start: usize,
}

impl Kernel for Unpack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let mut block = [Lanes::ZERO; LANES];
        let mut turned = [Lanes::ZERO; LANES];
        for (chunk, lanes) in self.lanes.chunks(LANES).enumerate() {
            let first = self.start + chunk * LANES;
            block[..lanes.len()].copy_from_slice(lanes);
            s.transpose(&block, &mut turned);
            for (image, row) in self.rows.chunks_exact_mut(self.row).enumerate() {
                let numbers = &mut row[first..first + lanes.len()];
                match <&mut [f32; LANES]>::try_from(&mut *numbers) {
                    Ok(numbers) => *numbers = turned[image].0,
                    Err(_) => numbers.copy_from_slice(&turned[image].0[..lanes.len()]),
                }
            }
        }
    }
}

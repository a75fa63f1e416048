//! Values of one image, to the layout of 16 channels side by side and back.
#![allow(unsafe_code)]

use super::super::{LANES, Lanes};

/// How many [`Lanes`] hold so many channels of one pixel.
pub const fn blocks(channels: usize) -> usize {
    channels.div_ceil(LANES)
}

/// The numbers in order.
pub fn flat(lanes: &[Lanes]) -> &[f32] {
    // SAFETY: a Lanes is an array of LANES numbers without padding (its size is its alignment).
    unsafe { std::slice::from_raw_parts(lanes.as_ptr().cast(), lanes.len() * LANES) }
}

/// The numbers in order, to change.
pub fn flat_mut(lanes: &mut [Lanes]) -> &mut [f32] {
    // SAFETY: as in `flat`; the borrow is exclusive.
    unsafe { std::slice::from_raw_parts_mut(lanes.as_mut_ptr().cast(), lanes.len() * LANES) }
}

/// Numbers in the order channel, row, column to blocks of channels; numbers past the last channel
/// become zero.
///
/// # Panics
/// When the lengths are not those of one value with so many channels.
pub fn from_planar(numbers: &[f32], channels: usize, to: &mut [Lanes]) {
    let area = area(numbers.len(), channels, to.len());
    for (block, to) in to.chunks_exact_mut(area).enumerate() {
        let first = block * LANES;
        let count = LANES.min(channels - first);
        let planes = &numbers[first * area..(first + count) * area];
        for (pixel, to) in to.iter_mut().enumerate() {
            to.0 = [0.0; LANES];
            for (channel, number) in to.0[..count].iter_mut().enumerate() {
                *number = planes[channel * area + pixel];
            }
        }
    }
}

/// Blocks of channels to numbers in the order channel, row, column.
///
/// # Panics
/// As [`from_planar`].
pub fn to_planar(lanes: &[Lanes], channels: usize, to: &mut [f32]) {
    let area = area(to.len(), channels, lanes.len());
    for (channel, plane) in to.chunks_exact_mut(area).enumerate() {
        let block = &lanes[channel / LANES * area..][..area];
        for (number, pixel) in plane.iter_mut().zip(block) {
            *number = pixel.0[channel % LANES];
        }
    }
}

fn area(numbers: usize, channels: usize, lanes: usize) -> usize {
    assert!(channels > 0 && numbers.is_multiple_of(channels), "whole channels");
    let area = numbers / channels;
    assert!(area > 0 && lanes == blocks(channels) * area, "as many blocks as the channels need");
    area
}

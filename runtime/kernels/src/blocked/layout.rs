//! Converts values of one image to the layout of 16 channels side by side, and back.
#![allow(unsafe_code)]

use std::ops::Range;

use super::super::{LANES, Lanes};

/// How many [`Lanes`] hold `channels` channels of one pixel.
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

/// Converts numbers in the order channel, row, column to blocks of channels; numbers past the last channel
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

/// Converts blocks of channels to numbers in the order channel, row, column.
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

/// Overwrites some channels of an image, those of `to` from channel `start` on, with those of `from`. The
/// other channels of `to` stay.
///
/// # Panics
/// When `from` is not blocks of so many channels, or `to` has fewer behind `start`.
pub fn join_channels(from: &[Lanes], channels: usize, start: usize, to: &mut [Lanes]) {
    let whole = channels > 0 && from.len().is_multiple_of(blocks(channels));
    assert!(whole, "pixels of each block of channels");
    let area = from.len() / blocks(channels);
    assert!(blocks(start + channels) * area <= to.len(), "the channels behind the start");
    let to = &mut to[start / LANES * area..];
    macro_rules! shifts {
        ($($shift:literal)*) => {
            match start % LANES {
                $($shift => join_shifted::<$shift>(from, channels, area, to),)*
                _ => unreachable!("a lane"),
            }
        };
    }
    shifts!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
}

/// As [`join_channels`], from lane `SHIFT` of the first block on.
fn join_shifted<const SHIFT: usize>(
    from: &[Lanes],
    channels: usize,
    area: usize,
    to: &mut [Lanes],
) {
    for (block, from) in from.chunks_exact(area).enumerate() {
        let count = LANES.min(channels - block * LANES);
        let low = count.min(LANES - SHIFT);
        let to = &mut to[block * area..];
        let mask = mask(SHIFT..SHIFT + low);
        for (from, to) in from.iter().zip(&mut *to) {
            let mut own = to.0;
            own[SHIFT..].copy_from_slice(&from.0[..LANES - SHIFT]);
            overwrite(&mask, &own, &mut to.0);
        }
        // The last channels may all have had room.
        if count > low {
            let mask = self::mask(0..count - low);
            for (from, to) in from.iter().zip(&mut to[area..]) {
                let mut own = to.0;
                own[..SHIFT].copy_from_slice(&from.0[LANES - SHIFT..]);
                overwrite(&mask, &own, &mut to.0);
            }
        }
    }
}

/// All bits of these lanes.
fn mask(lanes: Range<usize>) -> [u32; LANES] {
    std::array::from_fn(|lane| if lanes.contains(&lane) { u32::MAX } else { 0 })
}

/// Overwrites the lanes of a mask, in whole vectors.
fn overwrite(mask: &[u32; LANES], from: &[f32; LANES], to: &mut [f32; LANES]) {
    for ((&mask, from), to) in mask.iter().zip(from).zip(to) {
        *to = f32::from_bits(from.to_bits() & mask | to.to_bits() & !mask);
    }
}

/// Reads some channels of an image, those of `from` from channel `start` on: overwrites `to`, or adds to it
/// if `accumulate`.
///
/// # Panics
/// When `to` is not blocks of so many channels, or `from` has fewer behind `start`.
pub fn part_of_channels(
    from: &[Lanes],
    start: usize,
    channels: usize,
    accumulate: bool,
    to: &mut [Lanes],
) {
    let whole = channels > 0 && to.len().is_multiple_of(blocks(channels));
    assert!(whole, "pixels of each block of channels");
    let area = to.len() / blocks(channels);
    assert!(blocks(start + channels) * area <= from.len(), "the channels behind the start");
    let from = &from[start / LANES * area..];
    macro_rules! shifts {
        ($($shift:literal)*) => {
            match start % LANES {
                $($shift => part_shifted::<$shift>(from, channels, area, accumulate, to),)*
                _ => unreachable!("a lane"),
            }
        };
    }
    shifts!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
}

/// As [`part_of_channels`], from lane `SHIFT` of the first block on.
fn part_shifted<const SHIFT: usize>(
    from: &[Lanes],
    channels: usize,
    area: usize,
    accumulate: bool,
    to: &mut [Lanes],
) {
    for (block, to) in to.chunks_exact_mut(area).enumerate() {
        let next = if SHIFT > 0 && channels - block * LANES > LANES - SHIFT { area } else { 0 };
        let from = &from[block * area..];
        for (pixel, to) in to.iter_mut().enumerate() {
            let (low, high) = (&from[pixel].0, &from[pixel + next].0);
            let mut own = [0.0; LANES];
            own[..LANES - SHIFT].copy_from_slice(&low[SHIFT..]);
            own[LANES - SHIFT..].copy_from_slice(&high[..SHIFT]);
            if accumulate {
                to.0.iter_mut().zip(own).for_each(|(to, own)| *to += own);
            } else {
                to.0 = own;
            }
        }
    }
}

/// Converts blocks of `from_channels` channels to blocks of `to_channels`, with the same numbers in the order
/// channel, row, column; numbers past the last channel become zero.
///
/// # Panics
/// When the lengths are not those of one value.
pub fn rearrange(from: &[Lanes], from_channels: usize, to: &mut [Lanes], to_channels: usize) {
    let areas = [(from.len(), from_channels), (to.len(), to_channels)].map(|(len, channels)| {
        let blocks = blocks(channels);
        assert!(blocks > 0 && len.is_multiple_of(blocks), "pixels of each block of channels");
        len / blocks
    });
    assert_eq!(areas[0] * from_channels, areas[1] * to_channels, "as many numbers");
    let last = (blocks(to_channels) - 1) * areas[1];
    to[last..].fill(Lanes::ZERO);
    let (mut channel, mut pixel) = (0, 0);
    for to_channel in 0..to_channels {
        for to in &mut to[to_channel / LANES * areas[1]..][..areas[1]] {
            let number = from[channel / LANES * areas[0] + pixel].0[channel % LANES];
            to.0[to_channel % LANES] = number;
            pixel += 1;
            if pixel == areas[0] {
                (channel, pixel) = (channel + 1, 0);
            }
        }
    }
}

fn area(numbers: usize, channels: usize, lanes: usize) -> usize {
    assert!(channels > 0 && numbers.is_multiple_of(channels), "whole channels");
    let area = numbers / channels;
    assert!(area > 0 && lanes == blocks(channels) * area, "as many blocks as the channels need");
    area
}

//! The types of numbers that weight files hold.

use std::fs::File;

use rayon::prelude::*;
use safetensors::Dtype;

/// All threads read and write numbers, in pieces of this many.
const PIECE: usize = 1 << 18;

/// Whether numbers of this type can be read.
pub(super) fn is_read(dtype: Dtype) -> bool {
    matches!(dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16 | Dtype::F64)
}

/// Shows all numbers in order: those of two or four bytes exactly, f64 rounded to the nearest f32. Of a type
/// that is not read it shows none.
pub(super) fn each(dtype: Dtype, bytes: &[u8], mut visit: impl FnMut(usize, f32)) {
    match dtype {
        Dtype::F32 => elements(bytes, |at, bytes| visit(at, f32::from_le_bytes(bytes))),
        Dtype::F64 => elements(bytes, |at, bytes| visit(at, f64::from_le_bytes(bytes) as f32)),
        Dtype::F16 => elements(bytes, |at, bytes| visit(at, from_f16(u16::from_le_bytes(bytes)))),
        Dtype::BF16 => elements(bytes, |at, bytes| visit(at, from_bf16(u16::from_le_bytes(bytes)))),
        _ => {}
    }
}

/// Writes all numbers, as [`each`] shows them, to `to`, which has room for just these.
pub(super) fn copy(dtype: Dtype, bytes: &[u8], to: &mut [f32]) {
    let parts = pieces(dtype, bytes).zip(to.par_chunks_mut(PIECE));
    parts.for_each(|(bytes, to)| copy_piece(dtype, bytes, to));
}

fn copy_piece(dtype: Dtype, bytes: &[u8], to: &mut [f32]) {
    // One by one the plain case is no copy of memory.
    if dtype == Dtype::F32 {
        let (numbers, _) = bytes.as_chunks();
        to.iter_mut().zip(numbers).for_each(|(to, &number)| *to = f32::from_le_bytes(number));
    } else {
        each(dtype, bytes, |at, number| to[at] = number);
    }
}

/// As [`copy`], from a file that has the numbers from this byte on: piece by piece, each of which passes through the
/// cache alone. Returns whether all are finite.
///
/// # Errors
/// When the file cannot be read.
#[cfg(unix)]
pub(super) fn copy_from(
    file: &File,
    start: u64,
    dtype: Dtype,
    to: &mut [f32],
) -> std::io::Result<bool> {
    use std::os::unix::fs::FileExt;

    let size = dtype.bitsize() / 8;
    let read = |bytes: &mut Vec<u8>, (piece, to): (usize, &mut [f32])| {
        bytes.resize(to.len() * size, 0);
        file.read_exact_at(bytes, start + (piece * PIECE * size) as u64)?;
        copy_piece(dtype, bytes, to);
        Ok(to.iter().fold(true, |all, number| all & number.is_finite()))
    };
    let pieces = to.par_chunks_mut(PIECE).enumerate().map_init(Vec::new, read);
    pieces.try_reduce(|| true, |a, b| Ok(a & b))
}

/// Elsewhere files are read whole, and this is never called.
#[cfg(not(unix))]
pub(super) fn copy_from(_: &File, _: u64, _: Dtype, _: &mut [f32]) -> std::io::Result<bool> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// As [`copy`], the type being named as files name it, from the first of the bytes on. There are none of a type
/// that is not read.
pub(crate) fn read_numbers(dtype: &str, bytes: &[u8], to: &mut [f32]) {
    let dtype = match dtype {
        "F32" => Dtype::F32,
        "F16" => Dtype::F16,
        "BF16" => Dtype::BF16,
        "F64" => Dtype::F64,
        _ => return,
    };
    let length = to.len() * dtype.bitsize() / 8;
    copy(dtype, &bytes[..length], to);
}

/// Whether all numbers are finite, as f32.
pub(super) fn all_finite(dtype: Dtype, bytes: &[u8]) -> bool {
    pieces(dtype, bytes).all(|bytes| {
        let mut all = true;
        each(dtype, bytes, |_, number| all &= number.is_finite());
        all
    })
}

fn pieces(dtype: Dtype, bytes: &[u8]) -> rayon::slice::Chunks<'_, u8> {
    bytes.par_chunks(PIECE * dtype.bitsize() / 8)
}

/// Appends the numbers as F32.
pub(super) fn append(numbers: &[f32], bytes: &mut Vec<u8>) {
    let start = bytes.len();
    bytes.resize(start + size_of_val(numbers), 0);
    let pieces = bytes[start..].par_chunks_mut(PIECE * size_of::<f32>());
    pieces.zip(numbers.par_chunks(PIECE)).for_each(|(bytes, numbers)| {
        let (bytes, _) = bytes.as_chunks_mut();
        bytes.iter_mut().zip(numbers).for_each(|(to, number)| *to = number.to_le_bytes());
    });
}

/// A number as it is in the file, for errors.
pub(super) fn exact(dtype: Dtype, bytes: &[u8], at: usize) -> f64 {
    let mut found = f64::NAN;
    match dtype {
        Dtype::F64 => elements(bytes, |i, bytes| {
            if i == at {
                found = f64::from_le_bytes(bytes);
            }
        }),
        _ => each(dtype, bytes, |i, number| {
            if i == at {
                found = f64::from(number);
            }
        }),
    }
    found
}

fn elements<const N: usize>(bytes: &[u8], mut visit: impl FnMut(usize, [u8; N])) {
    let (elements, _) = bytes.as_chunks();
    for (at, &element) in elements.iter().enumerate() {
        visit(at, element);
    }
}

/// Half precision of IEEE 754: 1 bit of sign, 5 of exponent, 10 of fraction.
fn from_f16(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let exponent = u32::from(bits >> 10 & 0x1f);
    let fraction = u32::from(bits & 0x3ff);
    let magnitude = match exponent {
        // Units of 2⁻²⁴, which are normal numbers in f32.
        0 => (fraction as f32 * f32::from_bits((127 - 24) << 23)).to_bits(),
        31 => 0x7f80_0000 | fraction << 13,
        _ => (exponent + 127 - 15) << 23 | fraction << 13,
    };
    f32::from_bits(sign | magnitude)
}

/// The upper half of an f32.
fn from_bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `±1.f × 2^e`, straight from the definition, in f64.
    fn reference(bits: u16, exponent_bits: u32, fraction_bits: u32) -> f64 {
        let bits = u32::from(bits);
        let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
        let exponent = bits >> fraction_bits & ((1 << exponent_bits) - 1);
        let fraction = f64::from(bits & ((1 << fraction_bits) - 1)) / f64::from(1 << fraction_bits);
        let bias = (1 << (exponent_bits - 1)) - 1;
        sign * match exponent {
            0 => fraction * 2f64.powi(1 - bias),
            e if e == (1 << exponent_bits) - 1 => {
                if fraction == 0.0 {
                    f64::INFINITY
                } else {
                    f64::NAN
                }
            }
            e => (1.0 + fraction) * 2f64.powi(e as i32 - bias),
        }
    }

    #[test]
    fn every_number_of_two_bytes_is_exact() {
        for bits in 0..=u16::MAX {
            for (found, expected) in
                [(from_f16(bits), reference(bits, 5, 10)), (from_bf16(bits), reference(bits, 8, 7))]
            {
                let found = f64::from(found);
                let same = found.to_bits() == expected.to_bits();
                assert!(
                    same || found.is_nan() && expected.is_nan(),
                    "{bits:#x}: {found}, {expected}"
                );
            }
        }
        assert_eq!([from_f16(0x3c00), from_f16(0xc000), from_f16(0x7bff)], [1.0, -2.0, 65504.0]);
        assert_eq!([from_bf16(0x3f80), from_bf16(0xc040)], [1.0, -3.0]);
    }

    #[test]
    fn f64_is_rounded() {
        let numbers = [0.1f64, -1e-60, 1e300, 16777217.0];
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let mut found = Vec::new();
        each(Dtype::F64, &bytes, |at, number| found.push((at, number)));
        assert_eq!(found, [(0, 0.1f32), (1, -0.0), (2, f32::INFINITY), (3, 16777216.0)]);
        assert_eq!(exact(Dtype::F64, &bytes, 2), 1e300);
        let mut whole = 0;
        each(Dtype::I64, &bytes, |_, _| whole += 1);
        assert_eq!(whole, 0);
    }
}

//! What normalising does to bytes and numbers.

use crate::{Error, Normalization, Result};

/// Checks a normalisation for inputs of `len` numbers that were not normalised before; returns how many
/// channels it is for.
pub(super) fn check(
    normalization: &Normalization,
    earlier: Option<&Normalization>,
    len: usize,
) -> Result<usize> {
    let refuse =
        |value: String, expected| Err(Error::Argument { name: "normalization", value, expected });
    if earlier.is_some() {
        return refuse("a second one".into(), "inputs that are not normalised yet");
    }
    let Normalization { mean, std } = normalization;
    if std.len() != mean.len() {
        return Err(Error::size("channels of the std", mean.len(), std.len()));
    }
    area(len, mean.len())?;
    if let Some(mean) = mean.iter().find(|mean| !mean.is_finite()) {
        return refuse(format!("mean {mean}"), "a finite mean");
    }
    if let Some(std) = std.iter().find(|std| !(std.is_finite() && **std > 0.0)) {
        return refuse(format!("std {std}"), "a finite std above 0");
    }
    Ok(mean.len())
}

/// How many of the `len` numbers of an input are of one channel.
pub(super) fn area(len: usize, channels: usize) -> Result<usize> {
    if channels == 0 || !len.is_multiple_of(channels) {
        let expected = format!("a divisor of the {len} numbers of an input");
        return Err(Error::size("channels", expected, channels));
    }
    Ok(len / channels)
}

/// What each byte of each channel becomes.
#[derive(Clone)]
pub(super) struct Table {
    /// 256 numbers a channel.
    numbers: Vec<[f32; 256]>,
}

impl Table {
    /// Bytes become 0..=1, and then what [`Normalization::apply`] makes of that, with the same bits.
    pub(super) fn new(channels: usize, normalization: Option<&Normalization>) -> Result<Table> {
        let mut numbers = vec![std::array::from_fn(|byte| byte as f32 / 255.0); channels];
        if let Some(normalization) = normalization {
            normalization.apply(numbers.as_flattened_mut(), channels)?;
        }
        Ok(Table { numbers })
    }

    /// Writes an image (channel, row, column) of as many bytes as numbers.
    pub(super) fn apply(&self, bytes: &[u8], numbers: &mut [f32]) {
        let area = (numbers.len() / self.numbers.len()).max(1);
        let channels = bytes.chunks_exact(area).zip(numbers.chunks_exact_mut(area));
        for ((bytes, numbers), table) in channels.zip(&self.numbers) {
            for (number, &byte) in numbers.iter_mut().zip(bytes) {
                *number = table[usize::from(byte)];
            }
        }
    }
}

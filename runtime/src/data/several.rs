//! Data of several inputs or heads, put together.

use super::Dataset;
use crate::{Error, Result};
use typenet_engine::Flat;

/// How many there are of each, if equally many: each with its name.
pub fn same_counts(parts: &[(&str, usize)]) -> Result<usize> {
    let [(_, count), others @ ..] = parts else { return Ok(0) };
    for (name, found) in others {
        if found != count {
            return Err(Error::size(format!("`{name}`"), *count, *found));
        }
    }
    Ok(*count)
}

/// A data set of several inputs: each with its name, the numbers of all examples, and how many
/// examples these are.
pub fn dataset_of<I: Flat, T>(
    parts: &[(&str, &[f32], usize)],
    targets: Vec<T>,
) -> Result<Dataset<I, T>> {
    for (name, _, count) in parts {
        if *count != targets.len() {
            return Err(Error::size(format!("`{name}`"), targets.len(), *count));
        }
    }
    let mut numbers = Vec::with_capacity(targets.len() * I::LEN);
    for example in 0..targets.len() {
        for (_, all, count) in parts {
            let len = all.len() / count;
            numbers.extend_from_slice(&all[example * len..][..len]);
        }
    }
    Dataset::from_flat(numbers, targets)
}

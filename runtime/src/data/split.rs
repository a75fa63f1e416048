//! How a set is split at random.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rand::seq::SliceRandom;

use crate::{Error, Result, random};

/// The stream of a seed that splits data sets, apart from those that draw weights and epochs.
const SPLIT: u64 = 1 << 63;

/// Checks a share.
pub(super) fn check_fraction(fraction: f64) -> Result<()> {
    if (0.0..=1.0).contains(&fraction) {
        return Ok(());
    }
    let (value, expected) = (fraction.to_string(), "a share 0 ≤ fraction ≤ 1");
    Err(Error::Argument { name: "fraction", value, expected })
}

/// The indices of `len` examples, split at random in two, with `first` in the first part.
pub(crate) fn split_indices(len: usize, first: usize, seed: u64) -> [Vec<usize>; 2] {
    let mut indices: Vec<usize> = (0..len).collect();
    indices.shuffle(&mut random::generator(seed, SPLIT));
    let second = indices.split_off(first.min(len));
    [indices, second]
}

/// How many of `len` examples are in the first part, where the second has this share of them.
pub(crate) fn first_part(len: usize, fraction: f64) -> usize {
    len - ((len as f64 * fraction).round() as usize).min(len)
}

/// Splits examples with these labels in two, each in their own order; the second part has the share
/// `fraction` of all, to the nearest example, and of each class, to within one.
pub(super) fn stratified(
    labels: impl Iterator<Item = usize>,
    fraction: f64,
    seed: u64,
) -> Result<(Vec<usize>, Vec<usize>)> {
    check_fraction(fraction)?;
    let mut classes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut len = 0;
    for (index, label) in labels.enumerate() {
        classes.entry(label).or_default().push(index);
        len += 1;
    }
    let shares = classes.values().map(|indices| indices.len() as f64 * fraction);
    let mut counts: Vec<usize> = shares.clone().map(|share| share as usize).collect();
    // The largest remainders get what is left (Hamilton's method); of equal ones the first.
    let wanted = (len as f64 * fraction).round() as usize;
    let left = wanted.saturating_sub(counts.iter().sum());
    let remainders: Vec<f64> = shares.map(f64::fract).collect();
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|&class| Reverse(remainders[class].to_bits()));
    order.iter().take(left).for_each(|&class| counts[class] += 1);

    let mut random = random::generator(seed, SPLIT);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for (mut indices, count) in classes.into_values().zip(counts) {
        indices.shuffle(&mut random);
        let (held_back, others) = indices.split_at(count.min(indices.len()));
        second.extend_from_slice(held_back);
        first.extend_from_slice(others);
    }
    first.sort_unstable();
    second.sort_unstable();
    Ok((first, second))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_class_keeps_its_share(
            labels in prop::collection::vec(0..7usize, 0..200),
            fraction in 0.0..=1.0f64,
            seed: u64,
        ) {
            let (first, second) = stratified(labels.iter().copied(), fraction, seed).unwrap();
            let mut all = [first.clone(), second.clone()].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
            prop_assert!(first.is_sorted() && second.is_sorted());
            prop_assert_eq!(second.len(), (labels.len() as f64 * fraction).round() as usize);
            for class in 0..7 {
                let of = |part: &[usize]| part.iter().filter(|&&i| labels[i] == class).count();
                let share = labels.iter().filter(|&&label| label == class).count() as f64 * fraction;
                prop_assert!((of(&second) as f64 - share).abs() < 1.0);
            }
            let again = stratified(labels.iter().copied(), fraction, seed).unwrap();
            prop_assert_eq!(again, (first, second));
        }
    }

    #[test]
    fn another_seed_gives_other_parts() {
        let labels = || (0..100).map(|i| i % 3);
        let (_, one) = stratified(labels(), 0.3, 1).unwrap();
        let (_, other) = stratified(labels(), 0.3, 2).unwrap();
        assert_ne!(one, other);
        for fraction in [-0.1, 1.1, f64::NAN] {
            assert!(stratified(labels(), fraction, 1).is_err());
        }
    }
}

//! What a single output says: its class and its probabilities.

use std::cmp::Ordering;

use typenet_engine::rows::{largest, softmax};

/// Methods of a single output: its class and its probabilities. For a net with heads, of one head's value.
///
/// ```
/// use typenet_runtime::Scores;
///
/// let logits = [0.0, 2.0, 1.0];
/// assert_eq!(logits.largest(), 1);
/// assert!((logits.softmax().iter().sum::<f32>() - 1.0).abs() < 1e-6);
/// assert_eq!(logits.top_k(2), [(1, 2.0), (2, 1.0)]);
/// ```
pub trait Scores {
    /// The class: the index of the largest number, of the first if several are equal. A NaN wins
    /// only if all numbers are NaN.
    fn largest(&self) -> usize;
    /// The probability of each class, `eˣ / Σ eˣ`, if the numbers are logits.
    fn softmax(&self) -> Self;
    /// The `k` largest numbers with their indices, the largest first: of equal numbers the first, and NaN last.
    fn top_k(&self, k: usize) -> Vec<(usize, f32)>;
}

impl<const N: usize> Scores for [f32; N] {
    fn largest(&self) -> usize {
        largest(self)
    }

    fn softmax(&self) -> [f32; N] {
        let mut row = *self;
        softmax(&mut row);
        row
    }

    fn top_k(&self, k: usize) -> Vec<(usize, f32)> {
        top_k(self, k)
    }
}

pub(crate) fn top_k(row: &[f32], k: usize) -> Vec<(usize, f32)> {
    let mut classes: Vec<usize> = (0..row.len()).collect();
    classes.sort_by(|&a, &b| {
        let numbers = row[a].is_nan().cmp(&row[b].is_nan());
        let largest = row[b].partial_cmp(&row[a]).unwrap_or(Ordering::Equal);
        numbers.then(largest).then(a.cmp(&b))
    });
    classes.into_iter().take(k).map(|class| (class, row[class])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn top_k_begins_with_the_largest_and_ends_with_nan() {
        let ranked = |row: &[f32]| -> Vec<usize> {
            top_k(row, row.len()).into_iter().map(|(class, _)| class).collect()
        };
        assert_eq!(ranked(&[1.0, f32::NAN, 3.0, -f32::NAN, f32::INFINITY]), [4, 2, 0, 1, 3]);
        // Equal numbers keep their order, as `largest` has it.
        assert_eq!(ranked(&[-0.0, 0.0, -0.0]), [0, 1, 2]);
        for row in [[0.0, f32::NAN, 2.0], [f32::NAN, -1.0, -1.0], [f32::NAN; 3]] {
            assert_eq!(ranked(&row)[0], row.largest());
        }
    }
}

//! What a single output says: its class and its probabilities.

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
    /// The `k` largest numbers with their indices, the largest first.
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
    classes.sort_by(|&a, &b| row[b].total_cmp(&row[a]).then(a.cmp(&b)));
    classes.into_iter().take(k).map(|class| (class, row[class])).collect()
}

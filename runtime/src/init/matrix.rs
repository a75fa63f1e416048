//! Weights as matrices with one row for each output.

use chacha20::ChaCha8Rng;
use typenet_shape::{Op, Shape};

use super::normal;

/// Orthonormal rows in random directions, or orthonormal columns if there are more rows than columns.
pub(super) fn orthogonal(generator: &mut ChaCha8Rng, rows: usize, numbers: &mut [f32]) {
    let columns = numbers.len() / rows;
    let (count, len) = (rows.min(columns), rows.max(columns));
    let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(count);
    while vectors.len() < count {
        let mut vector: Vec<f64> = (0..len).map(|_| normal(generator)).collect();
        // Twice: the first time leaves what rounding leaves.
        for _ in 0..2 {
            for other in &vectors {
                let share: f64 = vector.iter().zip(other).map(|(x, y)| x * y).sum();
                vector.iter_mut().zip(other).for_each(|(x, y)| *x -= share * y);
            }
        }
        let norm = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm > 1e-6 {
            vector.iter_mut().for_each(|x| *x /= norm);
            vectors.push(vector);
        }
    }
    for (i, number) in numbers.iter_mut().enumerate() {
        let (row, column) = (i / columns, i % columns);
        let number_of = if rows <= columns { vectors[row][column] } else { vectors[column][row] };
        *number = number_of as f32;
    }
}

/// A one where output and input channel have the same number in their group, in the middle of the
/// kernel.
pub(super) fn dirac(op: &Op, shape: Shape, numbers: &mut [f32]) {
    let groups = match *op {
        Op::Conv2d { groups, .. } | Op::ConvTranspose2d { groups, .. } => groups,
        // Each input channel is a group of its own, and the weight has one input channel.
        Op::DepthwiseConv2d { multiplier, .. } => shape.dim(0) / multiplier,
        _ => 1,
    };
    let (rows, columns) = (shape.dim(0), shape.dim(1));
    let (area, middle) = match shape.dims() {
        [_, _, height, width] => (height * width, height / 2 * width + width / 2),
        _ => (1, 0),
    };
    numbers.fill(0.0);
    let a_group = rows / groups;
    for row in 0..rows {
        let channel = row % a_group;
        if channel < columns {
            numbers[(row * columns + channel) * area + middle] = 1.0;
        }
    }
}

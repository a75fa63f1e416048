//! Eigenvalues and eigenvectors of a symmetric matrix.

/// The eigenvalues, largest first, each with its eigenvector of length 1, of a symmetric matrix of
/// `size` rows. Jacobi's method: plane rotations, each of which makes one element off the diagonal
/// zero, until all of them are.
pub(super) fn symmetric(mut matrix: Vec<f64>, size: usize) -> Vec<(f64, Vec<f64>)> {
    assert_eq!(matrix.len(), size * size, "a square matrix");
    let mut vectors = vec![0.0; size * size];
    for i in 0..size {
        vectors[i * size + i] = 1.0;
    }
    let total: f64 = matrix.iter().map(|x| x * x).sum();
    // Each sweep squares what is left; some six are enough, and more than that would be a NaN's.
    for _ in 0..40 {
        let off: f64 = (0..size)
            .flat_map(|i| (0..i).map(move |j| i * size + j))
            .map(|at| matrix[at] * matrix[at])
            .sum();
        if off <= 1e-30 * total {
            break;
        }
        for p in 0..size {
            for q in p + 1..size {
                rotate(&mut matrix, &mut vectors, size, p, q);
            }
        }
    }
    let mut found: Vec<(f64, Vec<f64>)> = (0..size)
        .map(|i| {
            let mut vector = vectors[i * size..(i + 1) * size].to_vec();
            // The sign is free: the largest number of a vector is positive.
            let largest =
                vector.iter().copied().fold(0.0, |a: f64, x| if x.abs() > a.abs() { x } else { a });
            if largest < 0.0 {
                vector.iter_mut().for_each(|x| *x = -*x);
            }
            (matrix[i * size + i], vector)
        })
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found
}

/// Makes the elements `(p, q)` and `(q, p)` zero. Row `i` of `vectors` is the `i`-th eigenvector.
fn rotate(matrix: &mut [f64], vectors: &mut [f64], size: usize, p: usize, q: usize) {
    let element = matrix[p * size + q];
    if element == 0.0 {
        return;
    }
    let theta = (matrix[q * size + q] - matrix[p * size + p]) / (2.0 * element);
    let tangent = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
    let sine = tangent * cosine;
    for k in 0..size {
        let (x, y) = (matrix[k * size + p], matrix[k * size + q]);
        matrix[k * size + p] = cosine * x - sine * y;
        matrix[k * size + q] = sine * x + cosine * y;
    }
    for numbers in [matrix, vectors] {
        for k in 0..size {
            let (x, y) = (numbers[p * size + k], numbers[q * size + k]);
            numbers[p * size + k] = cosine * x - sine * y;
            numbers[q * size + k] = sine * x + cosine * y;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The matrix is the sum of its eigenvectors' squares times their eigenvalues.
    #[test]
    fn a_matrix_is_made_of_its_eigenvectors() {
        for size in [1, 2, 3, 8, 27, 60] {
            let number = |i: usize| ((i * 7919 + 13) % 1009) as f64 / 504.5 - 1.0;
            let matrix: Vec<f64> = (0..size * size)
                .map(|at| {
                    number(
                        usize::min(at / size, at % size) * size + usize::max(at / size, at % size),
                    )
                })
                .collect();
            let found = symmetric(matrix.clone(), size);
            assert!(found.is_sorted_by(|a, b| a.0 >= b.0));
            for (i, element) in matrix.iter().enumerate() {
                let (row, column) = (i / size, i % size);
                let sum: f64 =
                    found.iter().map(|(value, vector)| value * vector[row] * vector[column]).sum();
                assert!((sum - element).abs() <= 1e-12 * size as f64, "{size}: {sum} {element}");
            }
            for (i, (_, one)) in found.iter().enumerate() {
                for (j, (_, other)) in found.iter().enumerate() {
                    let product: f64 = one.iter().zip(other).map(|(x, y)| x * y).sum();
                    let expected = f64::from(u8::from(i == j));
                    assert!((product - expected).abs() <= 1e-12, "{size}: {i} {j} {product}");
                }
            }
        }
    }

    #[test]
    fn matrices_that_need_no_rotation_stay() {
        let found = symmetric(vec![1.0, 0.0, 0.0, 4.0], 2);
        assert_eq!(found, [(4.0, vec![0.0, 1.0]), (1.0, vec![1.0, 0.0])]);
        assert_eq!(symmetric(vec![0.0; 9], 3).len(), 3);
    }
}

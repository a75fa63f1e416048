//! Sums over many numbers.

/// Pieces of this many numbers are shared out among threads.
const PIECE: usize = 64 * 1024;

/// `Σ x²`, in f64.
pub(super) fn sum_of_squares(numbers: &[f32]) -> f64 {
    sum(numbers, &|x| x * x, true)
}

/// The same on this thread alone.
pub(super) fn sum_of_squares_alone(numbers: &[f32]) -> f64 {
    sum(numbers, &|x| x * x, false)
}

/// `Σ |x|`, in f64.
pub(super) fn sum_of_magnitudes(numbers: &[f32]) -> f64 {
    sum(numbers, &f64::abs, true)
}

/// Halves are added as a tree that depends on the length alone, so that the sum has the same bits with
/// any number of threads.
fn sum(numbers: &[f32], of: &(impl Fn(f64) -> f64 + Sync), shares: bool) -> f64 {
    if numbers.len() > PIECE {
        let (left, right) = numbers.split_at(numbers.len() / 2);
        let (left, right) = (|| sum(left, of, shares), || sum(right, of, shares));
        let (left, right) = if shares { rayon::join(left, right) } else { (left(), right()) };
        return left + right;
    }
    // Eight sums side by side, which become vectors.
    let mut sums = [0.0; 8];
    for chunk in numbers.chunks(sums.len()) {
        for (sum, &x) in sums.iter_mut().zip(chunk) {
            *sum += of(f64::from(x));
        }
    }
    sums.iter().sum()
}

//! Functions of one row of outputs.

/// The index of the largest number; the first of equals. A NaN wins only if all numbers are NaN.
pub fn largest(row: &[f32]) -> usize {
    let mut best = 0;
    for (i, &value) in row.iter().enumerate() {
        if value > row[best] || (row[best].is_nan() && !value.is_nan()) {
            best = i;
        }
    }
    best
}

/// `eˣ / Σ eˣ` in place, summed in f64.
pub fn softmax(row: &mut [f32]) {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = row.iter().map(|&x| f64::from(x - top).exp()).sum();
    for x in row {
        *x = (f64::from(*x - top).exp() / sum) as f32;
    }
}

/// `x − ln Σ eˣ` in place, summed in f64.
pub fn log_softmax(row: &mut [f32]) {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = row.iter().map(|&x| f64::from(x - top).exp()).sum();
    for x in row {
        *x = (f64::from(*x - top) - sum.ln()) as f32;
    }
}

//! The nearest orthogonal matrix, nearly, by Newton–Schulz steps.

use typenet_kernels::matrix::{Sizes, product, transpose};
use typenet_kernels::team::{Team, chunks, chunks_mut};
use typenet_kernels::{LANES, isa};

use super::norm::sum_of_squares_alone;
use super::rule::PIECE;

/// The coefficients of a step, which are steep at 0 and leave singular values between 0.7 and 1.2 (Jordan
/// and others 2024).
const STEP: [f32; 3] = [3.4445, -4.7750, 2.0315];

/// The lower limit of the norm, as in PyTorch.
const EPS: f64 = 1e-7;

/// The numbers of memory that an [`Orthogonal`] of this size needs.
pub(super) fn scratch_len(rows: usize, columns: usize) -> usize {
    let Sides { short, short_step, long, long_step } = Sides::of(rows, columns);
    2 * short * long_step + long * short_step + 2 * short * short_step
}

/// The sides of a matrix, and as rows in blocks of 16.
struct Sides {
    short: usize,
    short_step: usize,
    long: usize,
    long_step: usize,
}

impl Sides {
    fn of(rows: usize, columns: usize) -> Sides {
        let (short, long) = (rows.min(columns), rows.max(columns));
        let [short_step, long_step] = [short, long].map(|side| side.next_multiple_of(LANES));
        Sides { short, short_step, long, long_step }
    }
}

/// A matrix on its way. It is held with fewer rows than columns, turned if it comes the other way.
pub(super) struct Orthogonal<'a> {
    rows: usize,
    columns: usize,
    sides: Sides,
    /// The matrix: as many rows as the short side.
    x: &'a mut [f32],
    /// Room for the next one.
    next: &'a mut [f32],
    /// The transpose of the matrix.
    turned: &'a mut [f32],
    /// `X Xᵀ`, and a polynomial of that.
    gram: &'a mut [f32],
    polynomial: &'a mut [f32],
}

impl<'a> Orthogonal<'a> {
    pub(super) fn new(rows: usize, columns: usize, scratch: &'a mut [f32]) -> Orthogonal<'a> {
        let sides = Sides::of(rows, columns);
        let (x, rest) = scratch.split_at_mut(sides.short * sides.long_step);
        let (next, rest) = rest.split_at_mut(x.len());
        let (turned, rest) = rest.split_at_mut(sides.long * sides.short_step);
        let (gram, rest) = rest.split_at_mut(sides.short * sides.short_step);
        let polynomial = &mut rest[..gram.len()];
        Orthogonal { rows, columns, sides, x, next, turned, gram, polynomial }
    }

    fn is_turned(&self) -> bool {
        self.rows > self.columns
    }

    /// Where the matrix's numbers are written, row after row, before [`iterate`](Self::iterate).
    pub(super) fn numbers(&mut self) -> &mut [f32] {
        &mut self.next[..self.rows * self.columns]
    }

    fn take_numbers(&mut self) {
        let Sides { long_step, .. } = self.sides;
        let (rows, columns) = (self.rows, self.columns);
        let numbers = &self.next[..rows * columns];
        if self.is_turned() {
            transpose(rows, columns, numbers, columns, self.x, long_step);
        } else {
            let rows = numbers.chunks_exact(columns).zip(self.x.chunks_exact_mut(long_step));
            rows.for_each(|(from, to)| {
                to[..columns].copy_from_slice(from);
                to[columns..].fill(0.0);
            });
        }
    }

    fn give_numbers(&mut self) -> &[f32] {
        let Sides { short, long, long_step, .. } = self.sides;
        let (columns, is_turned) = (self.columns, self.is_turned());
        let numbers = &mut self.next[..self.rows * columns];
        if is_turned {
            transpose(short, long, self.x, long_step, numbers, columns);
        } else {
            let rows = numbers.chunks_exact_mut(columns).zip(self.x.chunks_exact(long_step));
            rows.for_each(|(to, from)| to.copy_from_slice(&from[..columns]));
        }
        numbers
    }

    /// Scales the matrix to norm 1, makes `steps` steps, and returns its numbers, row after row.
    pub(super) fn iterate(&mut self, team: &Team, steps: usize) -> &[f32] {
        self.take_numbers();
        // In a call of rayon this thread could take up the work of a helper.
        let norm = sum_of_squares_alone(self.x).sqrt().max(EPS);
        let scale = (1.0 / norm) as f32;
        self.x.iter_mut().for_each(|x| *x *= scale);
        for _ in 0..steps {
            self.step(team);
        }
        self.give_numbers()
    }

    /// `X ← a X + (b A + c A²) X` with `A = X Xᵀ`.
    fn step(&mut self, team: &Team) {
        let Sides { short, short_step, long, long_step } = self.sides;
        let [a, b, c] = STEP;
        let square = Sizes { rows: short, depth: long, columns: short_step, a_step: long_step };
        transpose(short, long, self.x, long_step, self.turned, short_step);
        product(isa(), team, square, self.x, self.turned, self.gram, false);
        let again = Sizes { rows: short, depth: short, columns: short_step, a_step: short_step };
        product(isa(), team, again, self.gram, self.gram, self.polynomial, false);
        combine(team, self.gram, b, self.polynomial, c);
        let wide = Sizes { columns: long_step, ..again };
        team.for_each((chunks(self.x, PIECE), chunks_mut(self.next, PIECE)), |_, (x, next)| {
            next.iter_mut().zip(x).for_each(|(next, x)| *next = a * x);
        });
        product(isa(), team, wide, self.polynomial, self.x, self.next, true);
        std::mem::swap(&mut self.x, &mut self.next);
    }
}

/// `y ← c y + b x`
fn combine(team: &Team, x: &[f32], b: f32, y: &mut [f32], c: f32) {
    team.for_each((chunks(x, PIECE), chunks_mut(y, PIECE)), |_, (x, y)| {
        y.iter_mut().zip(x).for_each(|(y, x)| *y = c * *y + b * x);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same in f64, from the formula.
    fn reference(numbers: &[f32], rows: usize, columns: usize, steps: usize) -> Vec<f64> {
        let norm = numbers.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
        let mut x: Vec<f64> = numbers.iter().map(|&x| f64::from(x) / norm).collect();
        let multiply = |a: &[f64], b: &[f64], inner: usize| -> Vec<f64> {
            let width = b.len() / inner;
            let at =
                |i: usize, j: usize| (0..inner).map(|k| a[i * inner + k] * b[k * width + j]).sum();
            let height = a.len() / inner;
            (0..height * width).map(|index| at(index / width, index % width)).collect()
        };
        let [a, b, c] = STEP.map(f64::from);
        for _ in 0..steps {
            let turned: Vec<f64> = (0..x.len()).map(|i| x[i % rows * columns + i / rows]).collect();
            let gram = multiply(&x, &turned, columns);
            let square = multiply(&gram, &gram, rows);
            let polynomial: Vec<f64> =
                gram.iter().zip(&square).map(|(g, s)| b * g + c * s).collect();
            let more = multiply(&polynomial, &x, rows);
            x.iter_mut().zip(more).for_each(|(x, more)| *x = a * *x + more);
        }
        x
    }

    #[test]
    fn steps_are_those_of_the_formula_for_any_sides() {
        for (rows, columns) in
            [(1, 1), (1, 40), (40, 1), (3, 17), (17, 3), (16, 16), (50, 70), (70, 33)]
        {
            let numbers: Vec<f32> =
                (0..rows * columns).map(|i| ((i * 37 % 101) as f32 - 50.0) / 25.0).collect();
            let mut scratch = vec![f32::NAN; scratch_len(rows, columns)];
            let mut orthogonal = Orthogonal::new(rows, columns, &mut scratch);
            orthogonal.numbers().copy_from_slice(&numbers);
            let found = orthogonal.iterate(&Team::alone(), 5);
            let expected = reference(&numbers, rows, columns, 5);
            for (found, e) in found.iter().zip(&expected) {
                assert!(
                    (f64::from(*found) - e).abs() <= 2e-5,
                    "{rows}x{columns}: {found}, not {e}"
                );
            }
        }
    }

    #[test]
    fn zeros_stay_zeros() {
        let mut scratch = vec![f32::NAN; scratch_len(5, 9)];
        let mut orthogonal = Orthogonal::new(5, 9, &mut scratch);
        orthogonal.numbers().fill(0.0);
        assert!(orthogonal.iterate(&Team::alone(), 5).iter().all(|&x| x == 0.0));
    }
}

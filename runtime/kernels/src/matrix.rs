//! The product of plain matrices, which are neither values nor weights of a layer: for optimisers.
#![allow(unsafe_code)]

use super::fused::Fused;
use super::gemm::{Ahead, Numbers, Product, Vectors, most_rows, multiply};
use super::simd::{Kernel, Simd};
use super::team::{Shared, Team};
use super::{Isa, LANES};

/// Rows of a product that are one task: a multiple of what every instruction set takes at a time.
const ROWS: usize = 24;

/// Columns of a product that are one task.
const COLUMNS: usize = 16 * LANES;

/// The sizes of `c = a · b`, all three row after row.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// The rows of `a` and `c`.
    pub rows: usize,
    /// The columns of `a` and the rows of `b`.
    pub depth: usize,
    /// The columns of `b` and `c`, a multiple of 16.
    pub columns: usize,
    /// The step from one row of `a` to the next: its columns, and any after them that are not read.
    pub a_step: usize,
}

/// `c = a · b`, or `c + a · b` if it `adds`. Each number is summed up in the order of `depth`, whatever the
/// number of threads.
///
/// # Panics
/// When a slice is not as long as the sizes say, `columns` is no multiple of 16, or this machine lacks
/// `isa`.
pub fn product(
    isa: Isa,
    team: &Team,
    sizes: Sizes,
    a: &[f32],
    b: &[f32],
    c: &mut [f32],
    adds: bool,
) {
    let Sizes { rows, depth, columns, a_step } = sizes;
    assert!(columns.is_multiple_of(LANES), "columns in blocks of 16");
    assert!(depth <= a_step, "the columns of a lie in its rows");
    assert_eq!(a.len(), rows * a_step, "the length of a");
    assert_eq!(b.len(), depth * columns, "the length of b");
    assert_eq!(c.len(), rows * columns, "the length of c");
    let across = columns.div_ceil(COLUMNS);
    let c = Shared::new(c);
    team.share(rows.div_ceil(ROWS) * across, &|task| {
        let (row, column) = (task / across * ROWS, task % across * COLUMNS);
        isa.run(Tile { sizes, a, b, c, row, column, adds });
    });
}

/// A block of the product that is one task. Only [`product`] makes one, with lengths that it has checked,
/// and no two of the same place.
struct Tile<'a> {
    sizes: Sizes,
    a: &'a [f32],
    b: &'a [f32],
    c: Shared<'a, f32>,
    row: usize,
    column: usize,
    adds: bool,
}

impl Kernel for Tile<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Tile { sizes: Sizes { rows, depth, columns, a_step }, a, b, c, row, column, adds } =
            self;
        let blocks = (columns - column).min(COLUMNS) / LANES;
        let end = rows.min(row + ROWS);
        let mut row = row;
        while row < end {
            let count = most_rows::<S>().min(end - row);
            // SAFETY: rows `row` to `row + count` are in `a` and `c`, columns from `column` on, `blocks`
            // times 16, in the rows of `b` and `c`; nobody else has these places of `c`.
            unsafe {
                let to = c.as_mut_ptr().add(row * columns + column);
                let first = b.as_ptr().wrapping_add(column);
                let product = Product {
                    a: Numbers {
                        first: a.as_ptr().add(row * a_step),
                        row: a_step,
                        depth: 1,
                        point: 0,
                    },
                    b: Vectors { first, row: columns, block: LANES, point: 0 },
                    c: Vectors { first: to, row: columns, block: LANES, point: 0 },
                    depth,
                    points: 1,
                    ahead: Ahead::NOTHING,
                    bias: std::ptr::null(),
                    plus: if adds { to } else { std::ptr::null() },
                    fused: Fused::Identity,
                };
                multiply(s, count, blocks, &product);
            }
            row += count;
        }
    }
}

/// `to[j][i] = from[i][j]`, of `rows` rows `from_step` apart with `columns` numbers each; the rows of `to`
/// are `to_step` apart, and what lies between them becomes zero.
///
/// # Panics
/// When a slice is not as long as that, or a step is too short.
pub fn transpose(
    rows: usize,
    columns: usize,
    from: &[f32],
    from_step: usize,
    to: &mut [f32],
    to_step: usize,
) {
    assert!(columns <= from_step && rows <= to_step, "rows that do not overlap");
    assert_eq!(from.len(), rows * from_step, "the length of the matrix");
    assert_eq!(to.len(), columns * to_step, "the length of its transpose");
    to.fill(0.0);
    // Squares that stay in cache.
    const SIDE: usize = 16;
    for first in (0..rows).step_by(SIDE) {
        for left in (0..columns).step_by(SIDE) {
            for i in first..rows.min(first + SIDE) {
                let row = &from[i * from_step..][..columns];
                for j in left..columns.min(left + SIDE) {
                    to[j * to_step + i] = row[j];
                }
            }
        }
    }
}

//! The product of matrices under Winograd's passes, for one point or several, and under convolutions of 1×1.
#![allow(unsafe_code)]

use super::LANES;
use super::fused::Fused;
use super::simd::{Kernel, Simd, unrolled};

/// A matrix of single numbers: its first number and the steps between them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    pub(super) first: *const f32,
    pub(super) row: usize,
    pub(super) depth: usize,
    pub(super) point: usize,
}

/// A matrix of vectors. Each row is in blocks of 16 numbers, `block` apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vectors<P> {
    pub(super) first: P,
    pub(super) row: usize,
    pub(super) block: usize,
    pub(super) point: usize,
}

/// What is read after a point, to be fetched into the second-level cache meanwhile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ahead {
    /// From the point's first number of `b` to the first one of this.
    pub(super) step: usize,
    /// How many vectors of 16 numbers it is.
    pub(super) len: usize,
}

impl Ahead {
    pub(super) const NOTHING: Ahead = Ahead { step: 0, len: 0 };
}

/// `c[r][j] = f(bias[r] + Σ a[r][k] · b[k][j] + plus[r][j])` at each point.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    pub(super) a: Numbers,
    /// One row for each `k`.
    pub(super) b: Vectors<*const f32>,
    pub(super) c: Vectors<*mut f32>,
    pub(super) depth: usize,
    pub(super) points: usize,
    /// What is read next.
    pub(super) ahead: Ahead,
    /// A number for each row; null for zeros.
    pub(super) bias: *const f32,
    /// What is added, with the steps of `c`, which it may be; null for nothing.
    pub(super) plus: *const f32,
    pub(super) fused: Fused,
}

impl Product {
    /// The sums of a weight gradient over `depth` positions and images: `c[r][j] = Σ a[r][k] · b[k][j]`, added
    /// to `c` if it `adds`. The rows of `a` stand `row` numbers apart, those of `c` `c_row`; each block
    /// of `b` holds 16 channels side by side for all `k`.
    pub(super) fn of_weight_gradient(
        (a, row): (*const f32, usize),
        b: *const f32,
        depth: usize,
        (c, c_row): (*mut f32, usize),
        adds: bool,
    ) -> Product {
        Product {
            a: Numbers { first: a, row, depth: 1, point: 0 },
            b: Vectors { first: b, row: LANES, block: depth * LANES, point: 0 },
            c: Vectors { first: c, row: c_row, block: LANES, point: 0 },
            depth,
            points: 1,
            ahead: Ahead::NOTHING,
            bias: std::ptr::null(),
            plus: if adds { c } else { std::ptr::null() },
            fused: Fused::Identity,
        }
    }

    /// The sums over `depth` tiles of products of channels: `c[r][j] = Σ a[k][r] · b[k][j]`, added to `c` if it
    /// `adds`. In each tile the numbers of `a` are contiguous, and so are the blocks of `b`; `a_step` and
    /// `b_step` lead from a tile to the next, `c_row` from a row of `c` to the next.
    pub(super) fn of_channels(
        (a, a_step): (*const f32, usize),
        (b, b_step): (*const f32, usize),
        depth: usize,
        (c, c_row): (*mut f32, usize),
        adds: bool,
    ) -> Product {
        Product {
            a: Numbers { first: a, row: 1, depth: a_step, point: 0 },
            b: Vectors { first: b, row: b_step, block: LANES, point: 0 },
            c: Vectors { first: c, row: c_row, block: LANES, point: 0 },
            depth,
            points: 1,
            ahead: Ahead::NOTHING,
            bias: std::ptr::null(),
            plus: if adds { c } else { std::ptr::null() },
            fused: Fused::Identity,
        }
    }
}

/// The most rows of [`multiply`]: with two vectors each, they fill the accumulators.
pub(super) const fn most_rows<S: Simd>() -> usize {
    S::ACCUMULATORS / 2
}

/// Computes `rows` rows of `blocks` blocks of 16 numbers.
///
/// # Safety
/// All that the steps and counts lead to can be read, and that of `c` written and read by nobody
/// else; `rows` is at most [`most_rows`], and one of the steps of `a` is 1.
#[inline(always)]
pub(super) unsafe fn multiply<S: Simd>(s: S, rows: usize, blocks: usize, product: &Product) {
    let vectors = blocks * S::PARTS;
    let pairs = vectors / 2 * 2;
    if pairs > 0 {
        columns::<S, 2>(s, rows, Columns { product, first: 0, end: pairs });
    }
    // More parts than one are even in number.
    if S::ONE_PART && pairs < vectors {
        columns::<S, 1>(s, rows, Columns { product, first: pairs, end: vectors });
    }
}

/// Some columns, in tiles of `V` vectors.
#[inline(always)]
fn columns<S: Simd, const V: usize>(s: S, rows: usize, of: Columns<'_>) {
    macro_rules! sizes {
        ($($rows:literal)*) => {
            match (rows, of.product.a.row == 1) {
                $(
                    ($rows, true) => s.run(Tiles::<$rows, V, true>(of)),
                    ($rows, false) => s.run(Tiles::<$rows, V, false>(of)),
                )*
                _ => unreachable!("no tile of {rows} rows"),
            }
        };
    }
    if S::WIDE {
        sizes!(1 2 3 4 5 6 7 8 9 10 11 12);
    } else {
        sizes!(1 2 3 4 5 6);
    }
}

/// Vectors of each row, all in one call: a call for each tile would cost a tenth where few numbers are
/// summed.
#[derive(Clone, Copy)]
struct Columns<'a> {
    product: &'a Product,
    first: usize,
    end: usize,
}

/// Tiles of `R` rows by `V` vectors; `UNIT` when the numbers of one `k` are neighbours, else those of a
/// row. Only [`multiply`] makes one, and its caller vouches for the places.
struct Tiles<'a, const R: usize, const V: usize, const UNIT: bool>(Columns<'a>);

impl<const R: usize, const V: usize, const UNIT: bool> Kernel for Tiles<'_, R, V, UNIT> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Columns { product, first, end } = self.0;
        let Product { a, b, c, depth, points, ahead, bias, plus, fused } = *product;
        let fetches = ahead.len.div_ceil(depth.div_ceil(LANES).max(1));
        let (row, step) = if UNIT { (1, a.depth) } else { (a.row, 1) };
        let far = if UNIT { 4 * row } else { s.apart(4 * row) };
        for point in 0..points {
            let mut vector = first;
            while vector < end {
                let at = |block: usize| vector / S::PARTS * block + vector % S::PARTS * S::WIDTH;
                // SAFETY: `multiply`'s caller vouches for all these places.
                unsafe {
                    let mut sums = [[s.splat(0.0); V]; R];
                    let mut a = a.first.add(point * a.point);
                    let mut from = b.first.add(point * b.point + at(b.block));
                    let start = point * c.point + at(c.block);
                    let to = c.first.add(start);
                    let plus = if plus.is_null() { plus } else { plus.add(start) };
                    if !bias.is_null() {
                        for r in 0..R {
                            sums[r] = [s.splat(*bias.add(r)); V];
                        }
                    }
                    if !plus.is_null() {
                        // The sums of wide layers are not in a near cache, and are needed only at the end.
                        for r in 0..R {
                            for v in 0..V {
                                let block = v / S::PARTS * c.block + v % S::PARTS * S::WIDTH;
                                s.prefetch(plus.add(r * c.row + block));
                            }
                        }
                    }
                    let mut next = b.first.wrapping_add(point * b.point + ahead.step);
                    let fetches = if vector == first { fetches } else { 0 };
                    let mut left = depth;
                    while left > 0 {
                        for _ in 0..fetches {
                            s.prefetch_far(next);
                            next = next.wrapping_add(LANES);
                        }
                        let some = left.min(LANES);
                        left -= some;
                        for _ in 0..some {
                            let mut bs = [s.splat(0.0); V];
                            for v in 0..V {
                                let block = v / S::PARTS * b.block + v % S::PARTS * S::WIDTH;
                                bs[v] = s.read(from.add(block));
                            }
                            for r in 0..R {
                                let number = s.splat(*a.add(r / 4 * far + r % 4 * row));
                                for v in 0..V {
                                    sums[r][v] = s.fma(number, bs[v], sums[r][v]);
                                }
                            }
                            a = a.wrapping_add(step);
                            from = from.wrapping_add(b.row);
                        }
                    }
                    unrolled!(r < R, {
                        let mut row = sums[r];
                        let place =
                            |v: usize| r * c.row + v / S::PARTS * c.block + v % S::PARTS * S::WIDTH;
                        if !plus.is_null() {
                            for v in 0..V {
                                row[v] = s.add(s.read(plus.add(place(v))), row[v]);
                            }
                        }
                        let row = fused.apply_to_all(s, row);
                        for v in 0..V {
                            s.write(to.add(place(v)), row[v]);
                        }
                    });
                }
                vector += V;
            }
        }
    }
}

/// How many of the `left` items come next, such that all blocks are as even as can be.
pub(super) fn even(left: usize, most: usize) -> usize {
    left.div_ceil(left.div_ceil(most))
}

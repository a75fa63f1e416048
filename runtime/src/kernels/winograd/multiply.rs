//! The product of matrices under each pass, for one point or several.
#![allow(unsafe_code)]

use super::super::simd::{Kernel, Simd};

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

/// `c[r][j] = Σ a[r][k] · b[k][j]` at each point, or `c[r][j] +=` that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    pub(super) a: Numbers,
    /// One row for each `k`.
    pub(super) b: Vectors<*const f32>,
    pub(super) c: Vectors<*mut f32>,
    pub(super) depth: usize,
    pub(super) points: usize,
    /// Whether `c` is added to.
    pub(super) add: bool,
}

/// The most rows of [`multiply`]: with two vectors each, as many sums as there are registers.
pub(super) const fn most_rows<S: Simd>() -> usize {
    S::ACCUMULATORS / 2
}

/// Computes `rows` rows of `blocks` blocks of 16 numbers.
///
/// # Safety
/// All that the steps and counts lead to can be read, and that of `c` written and read by nobody
/// else; `rows` is at most [`most_rows`].
#[inline(always)]
pub(super) unsafe fn multiply<S: Simd>(s: S, rows: usize, blocks: usize, product: &Product) {
    let vectors = blocks * S::PARTS;
    let mut vector = 0;
    while vector < vectors {
        let count = (vectors - vector).min(2);
        let at = |block: usize| vector / S::PARTS * block + vector % S::PARTS * S::WIDTH;
        let mut product = *product;
        // Inside, because `vector` is one of the vectors.
        product.b.first = product.b.first.wrapping_add(at(product.b.block));
        product.c.first = product.c.first.wrapping_add(at(product.c.block));
        macro_rules! sizes {
            ($($rows:literal)*) => {
                match (rows, count, product.a.row == 1) {
                    $(
                        ($rows, 2, true) => s.run(Tile::<$rows, 2, true>(product)),
                        ($rows, 2, false) => s.run(Tile::<$rows, 2, false>(product)),
                        ($rows, _, true) => s.run(Tile::<$rows, 1, true>(product)),
                        ($rows, _, false) => s.run(Tile::<$rows, 1, false>(product)),
                    )*
                    _ => unreachable!("no tile of {rows} rows"),
                }
            };
        }
        if S::ACCUMULATORS >= 24 {
            sizes!(1 2 3 4 5 6 7 8 9 10 11 12);
        } else {
            sizes!(1 2 3 4 5 6);
        }
        vector += count;
    }
}

/// `R` rows of `V` vectors; `UNIT` when the numbers of one `k` are neighbours, else those of a row.
/// Only [`multiply`] makes one, and its caller vouches for the places.
struct Tile<const R: usize, const V: usize, const UNIT: bool>(Product);

impl<const R: usize, const V: usize, const UNIT: bool> Kernel for Tile<R, V, UNIT> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Product { a, b, c, depth, points, add } = self.0;
        let (row, step) = if UNIT { (1, a.depth) } else { (a.row, 1) };
        for point in 0..points {
            // SAFETY: `multiply`'s caller vouches for all these places.
            unsafe {
                let mut sums = [[s.splat(0.0); V]; R];
                let mut a = a.first.add(point * a.point);
                let mut from = b.first.add(point * b.point);
                let to = c.first.add(point * c.point);
                if add {
                    // Sums of wide layers come from far, and are needed only at the end.
                    for r in 0..R {
                        for v in 0..V {
                            let block = v / S::PARTS * c.block + v % S::PARTS * S::WIDTH;
                            s.prefetch(to.add(r * c.row + block));
                        }
                    }
                }
                for _ in 0..depth {
                    let mut bs = [s.splat(0.0); V];
                    for v in 0..V {
                        let block = v / S::PARTS * b.block + v % S::PARTS * S::WIDTH;
                        bs[v] = s.read(from.add(block));
                    }
                    for r in 0..R {
                        let number = s.splat(*a.add(r * row));
                        for v in 0..V {
                            sums[r][v] = s.fma(number, bs[v], sums[r][v]);
                        }
                    }
                    a = a.wrapping_add(step);
                    from = from.wrapping_add(b.row);
                }
                for r in 0..R {
                    for v in 0..V {
                        let block = v / S::PARTS * c.block + v % S::PARTS * S::WIDTH;
                        let to = to.add(r * c.row + block);
                        let sum = if add { s.add(s.read(to), sums[r][v]) } else { sums[r][v] };
                        s.write(to, sum);
                    }
                }
            }
        }
    }
}

/// How many of the `left` items come next, such that all blocks are as even as can be.
pub(super) fn even(left: usize, most: usize) -> usize {
    left.div_ceil(left.div_ceil(most))
}

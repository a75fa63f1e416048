//! The weight gradient: transform tiles of the input and of the output's gradient, and add up their
//! products at each point.
//!
//! The tiles of the gradient are transformed with 16 channels side by side in place of 16 images, so
//! that sums over images and tiles are those of whole vectors, and one sum is one number.
#![allow(unsafe_code)]

use typenet_shape::Tiling;

use super::super::gemm::{Product, even, most_rows, multiply};
use super::super::simd::{Kernel, Simd};
use super::super::team::Shared;
use super::super::{LANES, Lanes};
use super::tiles::{Input, OutputGradient, Tiles};

/// Adds to `sums` at each point the products of all tiles, `sums[p][c][o] += Σ v[p][c] · d[p][o]`
/// for the input channels `c` and the output channels `o`, padded to a multiple of 16.
#[derive(Debug)]
pub(super) struct Sums<'a, const N: usize, const R: usize> {
    pub(super) tiling: Tiling,
    /// Height and width of `x`.
    pub(super) size: [usize; 2],
    /// Row and column that the first output's first tap reads.
    pub(super) start: [isize; 2],
    pub(super) x: &'a [Lanes],
    pub(super) dy: &'a [Lanes],
    pub(super) sums: &'a mut [Lanes],
    pub(super) scratch: &'a mut [Lanes],
}

impl<const N: usize, const R: usize> Kernel for Sums<'_, N, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Sums { tiling, size, start, x, dy, sums, scratch } = self;
        let points = N * N;
        let Tiling { in_channels, out_channels, outputs, .. } = tiling;
        let padded = tiling.padded_out_channels();
        assert_eq!((tiling.points(), tiling.kernel), (points, R), "the tiles' size");
        let row_len = padded / LANES;
        assert_eq!(sums.len(), points * in_channels * row_len, "the sums' length");
        let step = tiling.point_step(in_channels);
        let d_step = tiling.point_step(padded);
        let (v, d) = scratch.split_at_mut(points * step);
        let d = &mut d[..points * d_step];
        let all = tiling.tiles[0] * tiling.tiles[1];
        let mut first = 0;
        while first < all {
            let count = tiling.together.min(all - first);
            let tiles = Tiles::new(&tiling, first, count);
            s.run(Input::<N> {
                x,
                channels: in_channels,
                size,
                start,
                tiles,
                v: Shared::new(&mut *v),
                step,
                channel_step: count,
                tile_step: 1,
            });
            s.run(OutputGradient::<N, R> {
                dy,
                channels: out_channels,
                size: outputs,
                tiles,
                d,
                step: d_step,
            });
            assert!(step >= in_channels * count && d_step >= padded * count, "the steps");
            for point in 0..points {
                let v = &v[point * step..(point + 1) * step];
                let d = &d[point * d_step..(point + 1) * d_step];
                let sums = &mut sums[point * in_channels * row_len..][..in_channels * row_len];
                let mut row = 0;
                while row < in_channels {
                    let rows = even(in_channels - row, most_rows::<S>());
                    let to: *mut f32 = sums[row * row_len..].as_mut_ptr().cast();
                    let v = (v[row * count..].as_ptr().cast(), count * LANES);
                    let (d, to) = (d.as_ptr().cast(), (to, padded));
                    let product = Product::of_weight_gradient(v, d, count * LANES, to, true);
                    // SAFETY: the assertions compare the lengths with the steps: at this point there
                    // are `in_channels` rows of `count` Lanes, `padded` columns in blocks of 16 for
                    // as many numbers, and a sum for each row and column.
                    unsafe { multiply(s, rows, row_len, &product) };
                    row += rows;
                }
            }
            first += count;
        }
    }
}

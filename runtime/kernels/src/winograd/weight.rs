//! The weight gradient: transform tiles of the input and of the output's gradient, and add up their
//! products at each point.
//!
//! The tiles of the gradient are transformed with 16 channels side by side in place of 16 images, so
//! that sums over images and tiles are those of whole vectors, and one sum is one number.
#![allow(unsafe_code)]

use std::ops::Range;

use typenet_shape::Tiling;

use super::super::gemm::{Product, even, most_rows, multiply};
use super::super::simd::{Kernel, Simd};
use super::super::team::Shared;
use super::super::{LANES, Lanes};
use super::forward::together;
use super::tiles::{Input, OutputGradient, Tiles};

/// Computes at each point the sums of the products of all tiles, `sums[p][c][o] = Σ v[p][c] · d[p][o]`
/// for the input channels `c` and the output channels `o`, padded to a multiple of 16.
#[derive(Debug)]
pub(super) struct Sums<'a, const N: usize, const R: usize> {
    pub(super) tiling: Tiling,
    /// Height and width of `x`.
    pub(super) size: [usize; 2],
    /// Row and column that the first output's first tap reads.
    pub(super) start: [isize; 2],
    /// The input channels whose sums are computed.
    pub(super) ins: Range<usize>,
    pub(super) x: &'a [Lanes],
    pub(super) dy: &'a [Lanes],
    /// Whether what stands in `sums` is added to.
    pub(super) adds: bool,
    /// Nobody else reads or writes those of these channels.
    pub(super) sums: Shared<'a, Lanes>,
    pub(super) scratch: &'a mut [Lanes],
}

impl<const N: usize, const R: usize> Kernel for Sums<'_, N, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Sums { tiling, size, start, ins, x, dy, adds, sums, scratch } = self;
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
        assert!(ins.start < ins.end && ins.end <= in_channels, "input channels");
        let plane = size[0] * size[1];
        assert_eq!(x.len(), in_channels * plane, "the input's length");
        let x = &x[ins.start * plane..ins.end * plane];
        for range in together(&tiling, 0..tiling.tiles[0] * tiling.tiles[1]) {
            let (first, count) = (range.start, range.len());
            let tiles = Tiles::new(&tiling, first, count);
            s.run(Input::<N> {
                x,
                channels: ins.len(),
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
                let at = (point * in_channels + ins.start) * row_len;
                let sums = sums.part(at..at + ins.len() * row_len);
                let mut row = 0;
                while row < ins.len() {
                    let rows = even(ins.len() - row, most_rows::<S>());
                    let to: *mut f32 = sums.from(row * row_len).as_mut_ptr().cast();
                    let v = (v[row * count..].as_ptr().cast(), count * LANES);
                    let (d, to) = (d.as_ptr().cast(), (to, padded));
                    let adds = adds || first > 0;
                    let product = Product::of_weight_gradient(v, d, count * LANES, to, adds);
                    // SAFETY: the assertions compare the lengths with the steps: at this point there
                    // are `ins.len()` rows of `count` Lanes, `padded` columns in blocks of 16 for
                    // as many numbers, and a sum for each row and column.
                    unsafe { multiply(s, rows, row_len, &product) };
                    row += rows;
                }
            }
        }
    }
}

//! The forward pass and the data gradient: transform tiles of the input, multiply with the
//! transformed weights at each point, transform back.
#![allow(unsafe_code)]

use std::ops::Range;

use typenet_shape::Tiling;

use super::super::epilogue::{Bias, Finish, Plus};
use super::super::fused::Fused;
use super::super::gemm::{Ahead, Numbers, Product, Vectors, even, most_rows, multiply};
use super::super::simd::{Kernel, Simd};
use super::super::statistics::{Gather, Statistics};
use super::super::team::Shared;
use super::super::{LANES, Lanes};
use super::tiles::{Input, Output, Tiles};

/// Some of the tiles, as they are transformed together.
pub(super) fn together(
    tiling: &Tiling,
    tiles: Range<usize>,
) -> impl Iterator<Item = Range<usize>> + Clone + Sync + use<> {
    let (end, most) = (tiles.end, tiling.together);
    tiles.step_by(most).map(move |first| first..(first + most).min(end))
}

/// The rows of `y` that are complete with the tiles before `end`.
fn whole_rows(tiling: &Tiling, end: usize) -> usize {
    (end / tiling.tiles[1] * tiling.tile).min(tiling.outputs[0])
}

/// The pixels of `y` in bands, after each of which statistics are gathered.
pub(super) fn bands(tiling: &Tiling) -> impl Iterator<Item = Range<usize>> + Clone + Sync + use<> {
    let tiling = *tiling;
    together(&tiling, 0..tiling.tiles[0] * tiling.tiles[1])
        .map(move |tiles| whole_rows(&tiling, tiles.start)..whole_rows(&tiling, tiles.end))
        .filter(|rows| !rows.is_empty())
        .map(move |rows| rows.start * tiling.outputs[1]..rows.end * tiling.outputs[1])
}

/// Computes `y`.
#[derive(Debug)]
pub(super) struct Correlate<'a, const N: usize, const R: usize> {
    pub(super) tiling: Tiling,
    /// The tiles that are computed, from the start of those on that are transformed together.
    pub(super) tiles: Range<usize>,
    /// Height and width of `x`.
    pub(super) size: [usize; 2],
    /// Row and column that the first output's first tap reads.
    pub(super) start: [isize; 2],
    pub(super) x: &'a [Lanes],
    /// As [`Weights`](super::weights::Weights) packs them.
    pub(super) weights: &'a [f32],
    pub(super) finish: Finish<'a>,
    /// Of `y`, where these are all tiles.
    pub(super) statistics: Option<Statistics<'a>>,
    /// Nobody else writes these tiles.
    pub(super) y: Shared<'a, Lanes>,
    pub(super) scratch: &'a mut [Lanes],
}

impl<const N: usize, const R: usize> Kernel for Correlate<'_, N, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Correlate { tiling, size, start, x, weights, finish, mut statistics, y, .. } = self;
        let Correlate { tiles: all_tiles, scratch, .. } = self;
        let Finish { bias, plus, fused } = finish;
        let points = N * N;
        let Tiling { in_channels, out_channels, outputs, .. } = tiling;
        let plane = outputs[0] * outputs[1];
        assert_eq!((tiling.points(), tiling.kernel), (points, R), "the tiles' size");
        assert_eq!(weights.len(), points * in_channels * out_channels, "the weights' length");
        assert_eq!(y.len(), out_channels * plane, "the output's length");
        if let Plus::Value(value) = plus {
            assert_eq!(value.len(), y.len(), "the added value's length");
        }
        let step = tiling.point_step(in_channels);
        let product_step = tiling.point_step(tiling.channels);
        let (v, m) = scratch.split_at_mut(points * step);
        let m = &mut m[..points * product_step];
        let mut rows_gathered = 0;
        for range in together(&tiling, all_tiles) {
            let (first, count) = (range.start, range.len());
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
            let mut channel = 0;
            while channel < out_channels {
                let channels = even(out_channels - channel, tiling.channels);
                let weights = &weights[channel * in_channels * points..];
                let weights = &weights[..channels * in_channels * points];
                let all = AllRows { channels, in_channels, count, points };
                all.multiply(s, weights, (v, step), (m, product_step));
                let own = channel * plane..(channel + channels) * plane;
                s.run(Output::<N, R> {
                    m,
                    step: product_step,
                    channels,
                    channel_step: count,
                    tiles,
                    bias: Bias::numbers(bias.map(|bias| &bias[channel..channel + channels])),
                    plus: match plus {
                        Plus::Value(value) => Plus::Value(&value[own.clone()]),
                        plus => plus,
                    },
                    fused,
                    size: outputs,
                    y: y.part(own),
                });
                channel += channels;
            }
            if let Some(Statistics { images, numbers }) = &mut statistics {
                let rows = whole_rows(&tiling, range.end);
                let range = rows_gathered * outputs[1]..rows * outputs[1];
                if !range.is_empty() {
                    // SAFETY: nobody else writes `y`, whose tiles this computes all, nor this as long as it is
                    // read.
                    let y: &[Lanes] = unsafe { y.into_slice() };
                    s.run(Gather { images: *images, pixels: plane, range, y, numbers });
                }
                rows_gathered = rows;
            }
        }
    }
}

/// The products of some output channels, for some tiles at all points.
#[derive(Clone, Copy, Debug)]
struct AllRows {
    channels: usize,
    in_channels: usize,
    count: usize,
    points: usize,
}

impl AllRows {
    #[inline(always)]
    fn multiply<S: Simd>(
        self,
        s: S,
        weights: &[f32],
        (v, step): (&[Lanes], usize),
        (m, product_step): (&mut [Lanes], usize),
    ) {
        let AllRows { channels, in_channels, count, points } = self;
        let most = most_rows::<S>();
        // Where one block of rows is all, the points go in one call; else the blocks of a point
        // follow each other, while its vectors are near.
        let together = if channels <= most { points } else { 1 };
        assert_eq!(weights.len(), points * in_channels * channels, "some channels' weights");
        assert!(step >= in_channels * count && v.len() >= points * step, "the inputs' length");
        assert!(
            product_step >= channels * count && m.len() >= points * product_step,
            "the products' length"
        );
        for point in (0..points).step_by(together) {
            let mut row = 0;
            while row < channels {
                let rows = even(channels - row, most);
                let weights = &weights[(point * channels + row) * in_channels..];
                let product = Product {
                    a: Numbers {
                        first: weights.as_ptr(),
                        row: 1,
                        depth: rows,
                        point: channels * in_channels,
                    },
                    b: Vectors {
                        first: v[point * step..].as_ptr().cast(),
                        row: count * LANES,
                        block: LANES,
                        point: step * LANES,
                    },
                    c: Vectors {
                        first: m[point * product_step + row * count..].as_mut_ptr().cast(),
                        row: count * LANES,
                        block: LANES,
                        point: product_step * LANES,
                    },
                    depth: in_channels,
                    points: together,
                    ahead: Ahead::NOTHING,
                    bias: std::ptr::null(),
                    plus: std::ptr::null(),
                    fused: Fused::Identity,
                };
                // SAFETY: the assertions compare the lengths with the steps: all of a point's
                // `channels` rows have `count` blocks of one Lanes, as has each row of `v`; more
                // than one point only where these rows are all rows.
                unsafe { multiply(s, rows, count, &product) };
                row += rows;
            }
        }
    }
}

//! The transforms of a weight and of its gradient.

use typenet_shape::Tiling;

use super::super::simd::{Kernel, Simd};
use super::super::{LANES, Lanes};
use super::multiply::{even, most_rows};
use super::transform;

/// Taps of a kernel.
const TAPS: usize = 9;

/// Transforms a weight: `U = G g Gᵀ` for each pair of channels.
///
/// The result is in blocks of the tiling's `channels` output channels; in these by points; in these
/// in blocks of rows as the product takes them; and in these the rows' numbers are neighbours.
#[derive(Debug)]
pub(super) struct Weights<'a, const N: usize> {
    pub(super) tiling: Tiling,
    /// Where the next output channel's taps stand in `weight`.
    pub(super) out_step: usize,
    /// Where the next input channel's taps stand.
    pub(super) in_step: usize,
    /// Whether the taps are taken from the last to the first.
    pub(super) flip: bool,
    pub(super) weight: &'a [f32],
    pub(super) transformed: &'a mut [f32],
}

impl<const N: usize> Kernel for Weights<'_, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Weights { tiling, out_step, in_step, flip, weight, transformed } = self;
        let Tiling { in_channels, out_channels, .. } = tiling;
        let points = N * N;
        assert_eq!(weight.len(), in_channels * out_channels * TAPS, "the weight's length");
        assert_eq!(
            transformed.len(),
            in_channels * out_channels * points,
            "the transformed length"
        );
        let mut rows_of_taps = [Lanes::ZERO; LANES];
        let mut taps = [Lanes::ZERO; LANES];
        let mut result = [[Lanes::ZERO; N]; N];
        let mut channel = 0;
        while channel < out_channels {
            let channels = even(out_channels - channel, tiling.channels);
            let block = &mut transformed[channel * in_channels * points..];
            let mut row = 0;
            while row < channels {
                let rows = even(channels - row, most_rows::<S>());
                for c in 0..in_channels {
                    for (r, to) in rows_of_taps.iter_mut().enumerate().take(rows) {
                        let at = (channel + row + r) * out_step + c * in_step;
                        to.0[..TAPS].copy_from_slice(&weight[at..at + TAPS]);
                    }
                    s.transpose(&rows_of_taps, &mut taps);
                    if flip {
                        taps[..TAPS].reverse();
                    }
                    transform_taps(s, &taps, &mut result);
                    for (point, result) in result.as_flattened().iter().enumerate() {
                        let at = (point * channels + row) * in_channels + c * rows;
                        block[at..at + rows].copy_from_slice(&result.0[..rows]);
                    }
                }
                row += rows;
            }
            channel += channels;
        }
    }
}

/// `G g Gᵀ` of 16 kernels.
#[inline(always)]
fn transform_taps<S: Simd, const N: usize>(
    s: S,
    taps: &[Lanes; LANES],
    result: &mut [[Lanes; N]; N],
) {
    for part in 0..S::PARTS {
        let mut columns = [[s.splat(0.0); 3]; N];
        for v in 0..3 {
            let column = [0, 1, 2].map(|u| s.load(&taps[u * 3 + v], part));
            let column: [S::V; N] = transform::weight(s, column);
            for i in 0..N {
                columns[i][v] = column[i];
            }
        }
        for i in 0..N {
            let row: [S::V; N] = transform::weight(s, columns[i]);
            for j in 0..N {
                s.store(&mut result[i][j], part, row[j]);
            }
        }
    }
}

/// Adds to a weight's gradient what the sums of its transform make of it: `Gᵀ S G` for each pair of
/// channels. `sums` is `[N²][in_channels][out_channels]`, with whole vectors of output channels.
#[derive(Debug)]
pub(super) struct Gradient<'a, const N: usize> {
    pub(super) tiling: Tiling,
    pub(super) sums: &'a [f32],
    pub(super) dw: &'a mut [f32],
}

impl<const N: usize> Kernel for Gradient<'_, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Gradient { tiling, sums, dw } = self;
        let Tiling { in_channels, out_channels, .. } = tiling;
        let padded = tiling.padded_out_channels();
        assert_eq!(sums.len(), N * N * in_channels * padded, "the sums' length");
        assert_eq!(dw.len(), in_channels * out_channels * TAPS, "the weight gradient's length");
        let mut points = [[Lanes::ZERO; N]; N];
        let mut taps = [Lanes::ZERO; LANES];
        let mut turned = [Lanes::ZERO; LANES];
        for block in (0..out_channels).step_by(LANES) {
            let count = LANES.min(out_channels - block);
            for c in 0..in_channels {
                for (p, to) in points.as_flattened_mut().iter_mut().enumerate() {
                    let at = (p * in_channels + c) * padded + block;
                    to.0.copy_from_slice(&sums[at..at + LANES]);
                }
                gradient_of_taps(s, &points, &mut taps);
                s.transpose(&taps, &mut turned);
                for (o, turned) in turned[..count].iter().enumerate() {
                    let dw = &mut dw[((block + o) * in_channels + c) * TAPS..][..TAPS];
                    for (dw, d) in dw.iter_mut().zip(&turned.0) {
                        *dw += d;
                    }
                }
            }
        }
    }
}

/// `Gᵀ S G` of 16 kernels.
#[inline(always)]
fn gradient_of_taps<S: Simd, const N: usize>(
    s: S,
    points: &[[Lanes; N]; N],
    taps: &mut [Lanes; LANES],
) {
    for part in 0..S::PARTS {
        let mut rows = [[s.splat(0.0); N]; 3];
        for j in 0..N {
            let mut column = [s.splat(0.0); N];
            for i in 0..N {
                column[i] = s.load(&points[i][j], part);
            }
            let column = transform::weight_gradient(s, column);
            for u in 0..3 {
                rows[u][j] = column[u];
            }
        }
        for u in 0..3 {
            let row = transform::weight_gradient(s, rows[u]);
            for v in 0..3 {
                s.store(&mut taps[u * 3 + v], part, row[v]);
            }
        }
    }
}

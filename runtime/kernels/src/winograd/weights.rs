//! The transforms of a weight and of its gradient.
#![allow(unsafe_code)]

use typenet_shape::Tiling;

use super::super::gemm::{even, most_rows};
use super::super::simd::{Kernel, Simd};
use super::super::{LANES, Lanes};
use super::transform;

/// The most taps of a kernel.
const MOST_TAPS: usize = 25;

/// Input channels whose results are gathered before they are written: these go to many places far apart, and
/// each write should fill whole cache lines.
pub(super) const TOGETHER: usize = 16;

/// The most numbers of an output channel that are gathered. There is room for one more vector, because
/// the last one is written whole.
pub(super) const GATHERED: usize = TOGETHER * MOST_TAPS + LANES;

/// Transforms a weight: `U = G g Gᵀ` for each pair of channels.
///
/// The result is ordered, from the outside in: by blocks of the tiling's `channels` output channels, by
/// points, by blocks of rows as the product takes them, by input channels; the numbers of a block's rows are
/// neighbours.
#[derive(Debug)]
pub(super) struct Weights<'a, const N: usize, const R: usize> {
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

impl<const N: usize, const R: usize> Kernel for Weights<'_, N, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Weights { tiling, out_step, in_step, flip, weight, transformed } = self;
        let Tiling { in_channels, out_channels, .. } = tiling;
        let points = N * N;
        assert_eq!(weight.len(), in_channels * out_channels * R * R, "the weight's length");
        assert_eq!(
            transformed.len(),
            in_channels * out_channels * points,
            "the transformed length"
        );
        let mut taps = [[Lanes::ZERO; R]; R];
        let mut result = [[Lanes::ZERO; N]; N];
        // Room for one more vector, because the last one is written whole.
        let mut packed = [[[0.0; (TOGETHER + 1) * LANES]; N]; N];
        let mut channel = 0;
        while channel < out_channels {
            let channels = even(out_channels - channel, tiling.channels);
            let block = &mut transformed[channel * in_channels * points..];
            let mut row = 0;
            while row < channels {
                let rows = even(channels - row, most_rows::<S>());
                for first in (0..in_channels).step_by(TOGETHER) {
                    let count = TOGETHER.min(in_channels - first);
                    for k in 0..count {
                        let at = (channel + row) * out_step + (first + k) * in_step;
                        turn_taps(s, &weight[at..], out_step, rows, &mut taps);
                        if flip {
                            taps.as_flattened_mut().reverse();
                        }
                        transform_taps(s, &taps, &mut result);
                        let results = result.as_flattened().iter();
                        for (packed, result) in packed.as_flattened_mut().iter_mut().zip(results) {
                            packed[k * rows..k * rows + LANES].copy_from_slice(&result.0);
                        }
                    }
                    for (point, packed) in packed.as_flattened().iter().enumerate() {
                        let at = (point * channels + row) * in_channels + first * rows;
                        block[at..at + count * rows].copy_from_slice(&packed[..count * rows]);
                    }
                }
                row += rows;
            }
            channel += channels;
        }
    }
}

/// The taps of `rows` kernels that stand `step` apart, side by side; what stands beside them means
/// nothing.
#[inline(always)]
pub(super) fn turn_taps<S: Simd, const R: usize>(
    s: S,
    weight: &[f32],
    step: usize,
    rows: usize,
    taps: &mut [[Lanes; R]; R],
) {
    let mut turned = [Lanes::ZERO; LANES];
    for (piece, taps) in taps.as_flattened_mut().chunks_mut(LANES).enumerate() {
        let weight = &weight[piece * LANES..];
        if weight.len() >= (LANES - 1) * step + LANES {
            // SAFETY: the last of 16 rows of 16 numbers ends inside `weight`.
            unsafe { s.transpose_strided(weight.as_ptr(), step, &mut turned) }
        } else {
            let mut kernels = [Lanes::ZERO; LANES];
            for (kernel, weight) in kernels.iter_mut().zip(weight.chunks(step)).take(rows) {
                kernel.0[..taps.len()].copy_from_slice(&weight[..taps.len()]);
            }
            s.transpose(&kernels, &mut turned);
        }
        taps.copy_from_slice(&turned[..taps.len()]);
    }
}

/// `G g Gᵀ` of 16 kernels.
#[inline(always)]
pub(super) fn transform_taps<S: Simd, const N: usize, const R: usize>(
    s: S,
    taps: &[[Lanes; R]; R],
    result: &mut [[Lanes; N]; N],
) {
    for part in 0..S::PARTS {
        let mut columns = [[s.splat(0.0); R]; N];
        for v in 0..R {
            let mut column = [s.splat(0.0); R];
            for u in 0..R {
                column[u] = s.load(&taps[u][v], part);
            }
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

/// Transforms the sums back and adds them to a weight's gradient: `Gᵀ S G` for each pair of channels. `sums`
/// is `[N²][in_channels][out_channels]`, with whole vectors of output channels side by side.
#[derive(Debug)]
pub(super) struct Gradient<'a, const N: usize, const R: usize> {
    pub(super) tiling: Tiling,
    pub(super) sums: &'a [Lanes],
    pub(super) dw: &'a mut [f32],
}

impl<const N: usize, const R: usize> Kernel for Gradient<'_, N, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Gradient { tiling, sums, dw } = self;
        let Tiling { in_channels, out_channels, .. } = tiling;
        let padded = tiling.padded_out_channels();
        assert_eq!(sums.len(), N * N * in_channels * padded / LANES, "the sums' length");
        assert_eq!(dw.len(), in_channels * out_channels * R * R, "the weight gradient's length");
        let mut points = [[Lanes::ZERO; N]; N];
        let mut taps = [[Lanes::ZERO; R]; R];
        let mut gathered = [[0.0; GATHERED]; LANES];
        for first in (0..in_channels).step_by(TOGETHER) {
            let taps_together = TOGETHER.min(in_channels - first) * R * R;
            for block in (0..out_channels).step_by(LANES) {
                for k in 0..TOGETHER.min(in_channels - first) {
                    for (p, to) in points.as_flattened_mut().iter_mut().enumerate() {
                        *to = sums[((p * in_channels + first + k) * padded + block) / LANES];
                    }
                    gradient_of_taps(s, &points, &mut taps);
                    gather_taps(s, k, &taps, &mut gathered);
                }
                let count = LANES.min(out_channels - block);
                for (o, gathered) in gathered[..count].iter().enumerate() {
                    let at = ((block + o) * in_channels + first) * R * R;
                    for (dw, d) in dw[at..at + taps_together].iter_mut().zip(gathered) {
                        *dw += d;
                    }
                }
            }
        }
    }
}

/// Puts the taps of 16 kernels, those of the `k`th input channel, where each output channel has its own.
#[inline(always)]
pub(super) fn gather_taps<S: Simd, const R: usize>(
    s: S,
    k: usize,
    taps: &[[Lanes; R]; R],
    gathered: &mut [[f32; GATHERED]; LANES],
) {
    let mut turned = [Lanes::ZERO; LANES];
    for (piece, taps) in taps.as_flattened().chunks(LANES).enumerate() {
        let at = k * R * R + piece * LANES;
        let mut rows = [Lanes::ZERO; LANES];
        rows[..taps.len()].copy_from_slice(taps);
        s.transpose(&rows, &mut turned);
        for (gathered, turned) in gathered.iter_mut().zip(&turned) {
            gathered[at..at + LANES].copy_from_slice(&turned.0);
        }
    }
}

/// `Gᵀ S G` of 16 kernels.
#[inline(always)]
pub(super) fn gradient_of_taps<S: Simd, const N: usize, const R: usize>(
    s: S,
    points: &[[Lanes; N]; N],
    taps: &mut [[Lanes; R]; R],
) {
    for part in 0..S::PARTS {
        let mut rows = [[s.splat(0.0); N]; R];
        for j in 0..N {
            let mut column = [s.splat(0.0); N];
            for i in 0..N {
                column[i] = s.load(&points[i][j], part);
            }
            let column: [S::V; R] = transform::weight_gradient(s, column);
            for u in 0..R {
                rows[u][j] = column[u];
            }
        }
        for u in 0..R {
            let row: [S::V; R] = transform::weight_gradient(s, rows[u]);
            for v in 0..R {
                s.store(&mut taps[u][v], part, row[v]);
            }
        }
    }
}

//! Rows of a convolution with few output channels that reads an image as it comes. With 16 channels
//! side by side most of each vector would be empty: here 16 neighbouring columns stand side by side, and are
//! transposed before they are stored.
#![allow(unsafe_code)]

use super::super::fused::Fused;
use super::super::simd::{Kernel, Simd};
use super::super::{LANES, Lanes};

/// The most output channels.
const MOST: usize = 8;

/// Whether this is faster than 16 channels side by side, for `out_channels` output channels that each sum up
/// `products` products.
pub(super) fn pays(out_channels: usize, products: usize) -> bool {
    // Transposing 16 columns takes as long as some 100 products.
    out_channels <= MOST && (LANES - out_channels) * products >= 128
}

/// A row of the output, without the columns whose taps lie outside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    /// From what the first channel's first tap of the row reads for the first column.
    pub(super) x: &'a [f32],
    pub(super) channels: usize,
    pub(super) x_channel: usize,
    pub(super) x_row: usize,
    pub(super) x_tap: usize,
    /// One [`Lanes`] of output channels for each input channel, row and tap.
    pub(super) weight: &'a [Lanes],
    pub(super) kernel: [usize; 2],
    /// The rows of taps that lie inside.
    pub(super) rows: (usize, usize),
    pub(super) bias: &'a Lanes,
    pub(super) fused: Fused,
}

impl Row<'_> {
    /// The only place that the tiles' safety rests on: `columns` can be read at each tap.
    fn check(&self, columns: usize) {
        let [height, width] = self.kernel;
        assert!(self.rows.0 <= self.rows.1 && self.rows.1 <= height, "taps of the kernel");
        assert_eq!(self.weight.len(), self.channels * height * width, "the weight's length");
        if self.rows.0 < self.rows.1 {
            let last = (self.channels - 1) * self.x_channel
                + (self.rows.1 - self.rows.0 - 1) * self.x_row
                + (width - 1) * self.x_tap;
            assert!(last + columns <= self.x.len(), "the inputs");
        }
    }

    /// Writes the row: `y` is its columns, 16 at least.
    #[inline(always)]
    pub(super) fn run<S: Simd>(self, s: S, out_channels: usize, y: &mut [Lanes]) {
        assert!(y.len() >= LANES, "16 columns");
        self.check(y.len());
        // The last 16 columns may have been computed in part before.
        let last = y.len() - LANES;
        let mut first = 0;
        while first < y.len() {
            if S::WIDE && first < last {
                let starts = [first, (first + LANES).min(last)];
                tile(s, out_channels, self, starts, y);
                first += 2 * LANES;
            } else {
                tile(s, out_channels, self, [first.min(last)], y);
                first += LANES;
            }
        }
    }
}

/// 16 columns from each of the `starts` on.
#[inline(always)]
fn tile<S: Simd, const C: usize>(
    s: S,
    out_channels: usize,
    of: Row<'_>,
    starts: [usize; C],
    y: &mut [Lanes],
) {
    macro_rules! sizes {
        ($($outs:literal)*) => {
            match out_channels {
                $($outs => s.run(Tile::<'_, $outs, C> { of, starts, y }),)*
                _ => unreachable!("no tile of {out_channels} channels"),
            }
        };
    }
    sizes!(1 2 3 4 5 6 7 8);
}

/// `O` output channels by `C` times 16 columns. Only [`Row::run`] makes one, when it has checked that
/// there are such columns.
struct Tile<'a, const O: usize, const C: usize> {
    of: Row<'a>,
    starts: [usize; C],
    y: &'a mut [Lanes],
}

impl<const O: usize, const C: usize> Kernel for Tile<'_, O, C> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Tile { of, starts, y } = self;
        let (start, end) = of.rows;
        let [height, width] = of.kernel;
        let mut values = [[Lanes::ZERO; LANES]; C];
        for part in 0..S::PARTS {
            let mut sums = [[s.splat(0.0); C]; O];
            for o in 0..O {
                sums[o] = [s.splat(of.bias.0[o]); C];
            }
            for channel in 0..of.channels {
                for row in start..end {
                    let x = channel * of.x_channel + (row - start) * of.x_row + part * S::WIDTH;
                    let weights = &of.weight[(channel * height + row) * width..][..width];
                    for (tap, weights) in weights.iter().enumerate() {
                        let mut xs = [s.splat(0.0); C];
                        for c in 0..C {
                            let at = x + tap * of.x_tap + starts[c];
                            // SAFETY: `check` has compared the last column of the farthest tap with
                            // the length, and 16 columns from each start are columns.
                            xs[c] = unsafe { s.read(of.x.as_ptr().add(at)) };
                        }
                        for o in 0..O {
                            let w = s.splat(weights.0[o]);
                            for c in 0..C {
                                sums[o][c] = s.fma(w, xs[c], sums[o][c]);
                            }
                        }
                    }
                }
            }
            for o in 0..O {
                let sums = of.fused.apply_to_all(s, sums[o]);
                for c in 0..C {
                    s.store(&mut values[c][o], part, sums[c]);
                }
            }
        }
        for c in 0..C {
            if let Some((y, _)) = y[starts[c]..].split_first_chunk_mut() {
                s.transpose(&values[c], y);
            }
        }
    }
}

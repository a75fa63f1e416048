//! The data gradient with stride 2.
#![allow(unsafe_code)]

use typenet_shape::{Conv2d, Shape};

use super::super::epilogue::Plus;
use super::super::simd::{Kernel, Simd};
use super::super::{LANES, Lanes};
use super::correlate::Taps;
use super::read::MOST;

/// The data gradient with stride 2 and a padding of half the kernel: each output's gradient is
/// spread over the places that it reads.
#[derive(Debug)]
pub(in super::super) struct Spread<'a> {
    pub(in super::super) g: &'a Conv2d,
    pub(in super::super) output: Shape,
    pub(in super::super) dy: &'a [Lanes],
    pub(in super::super) taps: Taps<'a>,
    pub(in super::super) plus: Plus<'a>,
    pub(in super::super) dx: &'a mut [Lanes],
}

impl Kernel for Spread<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        match self.g.kernel[0] {
            3 => self.planes::<S, 3>(s),
            _ => self.planes::<S, 5>(s),
        }
    }
}

impl Spread<'_> {
    #[inline(always)]
    fn planes<S: Simd, const K: usize>(self, s: S) {
        let Spread { g, output, dy, taps, plus, dx } = self;
        let reads = g.out_channels / g.groups;
        let [height, width] = [g.input.dim(1), g.input.dim(2)];
        let [rows, columns] = [output.dim(1), output.dim(2)];
        assert_eq!(g.kernel, [K, K], "the kernel's size");
        assert!(g.stride == [2, 2] && g.padding == [K / 2; 2], "a geometry of this kernel");
        assert_eq!(dy.len(), g.out_channels * rows * columns, "the output gradient's length");
        let (weight, len, step) = match taps {
            Taps::Numbers(taps) => (taps.as_ptr(), taps.len(), 1),
            Taps::Vectors(taps) => (taps.as_ptr().cast::<f32>(), taps.len(), LANES),
        };
        assert_eq!(len, g.out_channels * K * K, "the weight's length");
        assert_eq!(dx.len(), g.groups * height * width, "the input gradient's length");
        assert!(rows >= height.div_ceil(2) && columns >= width.div_ceil(2), "the output's size");
        if let Plus::Value(value) = plus {
            assert_eq!(value.len(), dx.len(), "the added value's length");
        }
        for channel in 0..g.groups {
            for read in 0..reads {
                let kernel = channel * reads + read;
                for i in 0..height {
                    let at = (channel * height + i) * width;
                    let dx: *mut f32 = dx[at..].as_mut_ptr().cast();
                    let row = SpreadRow {
                        dy: dy[kernel * rows * columns..].as_ptr().cast(),
                        rows,
                        columns,
                        taps: weight.wrapping_add(kernel * K * K * step),
                        place: i,
                        width,
                        plus: match plus {
                            _ if read > 0 => dx,
                            Plus::Nothing => std::ptr::null(),
                            Plus::Value(value) => value[at..].as_ptr().cast(),
                            Plus::Own => dx,
                        },
                        dx,
                    };
                    // Pairs of places.
                    let pairs = width.div_ceil(2);
                    let whole = width / 2 / 4 * 4;
                    if step == 1 {
                        s.run(SpreadBlocks::<'_, K, 4, false> { row: &row, pairs: 0..whole });
                        s.run(SpreadBlocks::<'_, K, 1, false> { row: &row, pairs: whole..pairs });
                    } else {
                        s.run(SpreadBlocks::<'_, K, 4, true> { row: &row, pairs: 0..whole });
                        s.run(SpreadBlocks::<'_, K, 1, true> { row: &row, pairs: whole..pairs });
                    }
                }
            }
        }
    }
}

/// A row of an input's gradient.
struct SpreadRow {
    /// The first row of the output's gradient.
    dy: *const f32,
    rows: usize,
    columns: usize,
    /// `K`² numbers, or as many vectors.
    taps: *const f32,
    /// Which row of the input it is.
    place: usize,
    width: usize,
    plus: *const f32,
    dx: *mut f32,
}

/// Blocks of `P` pairs of places; `LANED` where the taps are vectors. Only [`Spread`] makes one, and vouches for
/// the places.
struct SpreadBlocks<'a, const K: usize, const P: usize, const LANED: bool> {
    row: &'a SpreadRow,
    pairs: std::ops::Range<usize>,
}

impl<const K: usize, const P: usize, const LANED: bool> Kernel for SpreadBlocks<'_, K, P, LANED> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let row = self.row;
        let half = K / 2;
        // Place 2j + r is read through tap v by output j + (r + half − v) / 2, where that is whole:
        // outputs from j − before to j + after.
        let (before, after) = (half / 2, half.div_ceil(2));
        for pair in self.pairs.step_by(P) {
            for part in 0..S::PARTS {
                let shift = part * S::WIDTH;
                let mut sums = [[s.splat(0.0); P]; 2];
                for u in 0..K {
                    let from = row.place + half;
                    if from < u || !(from - u).is_multiple_of(2) || (from - u) / 2 >= row.rows {
                        continue;
                    }
                    let dy_row = (from - u) / 2 * row.columns;
                    let mut ds = [s.splat(0.0); MOST];
                    for l in 0..P + before + after {
                        let column = pair as isize + l as isize - before as isize;
                        let is_edge = l < before || l >= P + before;
                        if !is_edge || (0..row.columns as isize).contains(&column) {
                            let at = (dy_row as isize + column) * LANES as isize;
                            // SAFETY: this row and column are inside the output's gradient.
                            ds[l] = unsafe { s.read(row.dy.wrapping_offset(at).add(shift)) };
                        }
                    }
                    for v in 0..K {
                        // SAFETY: there are K² taps.
                        let w = unsafe {
                            if LANED {
                                s.read(row.taps.add((u * K + v) * LANES + shift))
                            } else {
                                s.splat(*row.taps.add(u * K + v))
                            }
                        };
                        let r = (v + half) % 2;
                        let first = (r + half + 2 * before - v) / 2;
                        for p in 0..P {
                            sums[r][p] = s.fma(w, ds[first + p], sums[r][p]);
                        }
                    }
                }
                for p in 0..P {
                    for r in 0..2 {
                        let column = 2 * (pair + p) + r;
                        if P == 1 && column >= row.width {
                            continue;
                        }
                        // SAFETY: whole blocks end inside the row, and so do single places that are
                        // not left out.
                        unsafe {
                            let at = column * LANES + shift;
                            let mut sum = sums[r][p];
                            if !row.plus.is_null() {
                                sum = s.add(sum, s.read(row.plus.add(at)));
                            }
                            s.write(row.dx.add(at), sum);
                        }
                    }
                }
            }
        }
    }
}

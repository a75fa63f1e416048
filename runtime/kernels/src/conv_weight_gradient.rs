//! The tile loop under a convolution's weight gradient:
//! `dw[o, c, u, v] += Σ dy[o, i, j] · x[c, start + step·i + gap·u, …]` over positions and lanes.
//!
//! A tile is some output channels × input channels × neighbouring taps of a kernel row. Its sums
//! stay in registers, lane by lane, over a block of rows, and their lanes are added up at its end.
#![allow(unsafe_code)]

use std::ops::Range;

use super::correlate::Axis;
use super::simd::{Kernel, Simd, even_tile};
use super::{LANES, Lanes};

/// Adds the gradient of a convolution's weight to `dw`. The axes are those of its forward pass.
#[derive(Debug)]
pub(super) struct WeightGradient<'a> {
    pub(super) height: Axis,
    pub(super) width: Axis,
    pub(super) groups: usize,
    /// Input channels of a group.
    pub(super) in_channels: usize,
    /// Output channels of a group.
    pub(super) out_channels: usize,
    pub(super) x: &'a [Lanes],
    pub(super) dy: &'a [Lanes],
    pub(super) dw: &'a mut [f32],
}

/// Positions after which lanes are added up: the `dy` of a tile's channels at these stays in the
/// first-level cache for all of its input channels and taps, and adding up stays cheap.
const BLOCK: usize = 64;

impl WeightGradient<'_> {
    fn check(&self) {
        let WeightGradient { height, width, groups, in_channels, out_channels, .. } = *self;
        let x = groups * in_channels * height.input * width.input;
        let dy = groups * out_channels * height.outputs * width.outputs;
        let dw = groups * out_channels * in_channels * height.taps * width.taps;
        assert_eq!(self.x.len(), x, "the input's length");
        assert_eq!(self.dy.len(), dy, "the output gradient's length");
        assert_eq!(self.dw.len(), dw, "the weight gradient's length");
    }
}

/// Taps of a kernel row taken together, when `left` of them remain.
fn taps_together(left: usize) -> usize {
    match left {
        5 | 7 | 8 => 5,
        4 => 2,
        0..=3 => left,
        6 => 3,
        _ => 5,
    }
}

/// Output channels of a tile with `taps` taps, when `left` remain: as even as can be.
fn outs_together<S: Simd>(taps: usize, left: usize) -> usize {
    let sizes: &[usize] = match (S::WIDE, taps) {
        (false, 1 | 2) if S::FALLBACK => &[1, 2, 4],
        (false, 3) if S::FALLBACK => &[1, 3],
        (true, _) | (false, 1 | 2) => &[1, 2, 3, 4],
        (false, 3) => &[1, 2, 3],
        (false, _) => &[1, 2],
    };
    even_tile(left, sizes)
}

/// Input channels of a tile with `taps` taps, when `left` remain: a power of two.
fn ins_together<S: Simd>(taps: usize, left: usize) -> usize {
    let most = match (S::WIDE, taps) {
        (true, 1) => 4,
        (true, 2 | 3) | (false, 1) => 2,
        _ => 1,
    };
    if left >= most { most } else { left.min(2) }
}

/// The outputs for which `count` taps from the `tap`-th on all lie inside the input.
fn outputs_inside(axis: &Axis, tap: usize, count: usize) -> Range<usize> {
    let start = axis.start + (tap * axis.tap_step) as isize;
    Axis { start, taps: count, ..*axis }.interior()
}

impl Kernel for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        self.check();
        let WeightGradient { height, width, in_channels, out_channels, .. } = self;
        let x_plane = height.input * width.input;
        let dy_plane = height.outputs * width.outputs;
        let kernel = height.taps * width.taps;
        let block = BLOCK.div_ceil(width.outputs);
        for group in 0..self.groups {
            let x = &self.x[group * in_channels * x_plane..][..in_channels * x_plane];
            let dy = &self.dy[group * out_channels * dy_plane..][..out_channels * dy_plane];
            let dw = &mut self.dw[group * out_channels * in_channels * kernel..];
            for top in (0..height.outputs).step_by(block) {
                let bottom = (top + block).min(height.outputs);
                let mut v = 0;
                while v < width.taps {
                    let taps = taps_together(width.taps - v);
                    let interior = outputs_inside(&width, v, taps);
                    let mut o = 0;
                    while o < out_channels {
                        let outs = outs_together::<S>(taps, out_channels - o);
                        for u in 0..height.taps {
                            let inside = outputs_inside(&height, u, 1);
                            let rows = inside.start.max(top)..inside.end.min(bottom);
                            if rows.is_empty() {
                                continue;
                            }
                            let x_row = height.position(rows.start, u) as usize;
                            let mut c = 0;
                            while c < in_channels {
                                let ins = ins_together::<S>(taps, in_channels - c);
                                let dw_at = (o * in_channels + c) * kernel + u * width.taps + v;
                                let at = At {
                                    x: x[c * x_plane + x_row * width.input..].as_ptr().cast(),
                                    x_channel: x_plane * LANES,
                                    x_row: height.input_step * width.input * LANES,
                                    x_position: width.input_step * LANES,
                                    x_tap: width.tap_step * LANES,
                                    x_start: width.position(0, v),
                                    width: width.input,
                                    dy: dy[o * dy_plane + rows.start * width.outputs..]
                                        .as_ptr()
                                        .cast(),
                                    dy_channel: dy_plane * LANES,
                                    dy_row: width.outputs * LANES,
                                    rows: rows.len(),
                                    columns: width.outputs,
                                    interior: interior.clone(),
                                    dw: dw[dw_at..].as_mut_ptr(),
                                    dw_out: in_channels * kernel,
                                    dw_in: kernel,
                                };
                                // SAFETY: `check` has compared the lengths with the geometry; o to
                                // o + outs and c to c + ins are channels, v to v + taps are taps,
                                // the rows lie inside for u, and columns outside are left out.
                                unsafe { tile(s, outs, ins, taps, &at) };
                                c += ins;
                            }
                        }
                        o += outs;
                    }
                    v += taps;
                }
            }
        }
    }
}

/// A tile's place: pointers to its first numbers, and steps in numbers.
#[derive(Debug)]
struct At {
    /// Column 0 of the first row that the tile's taps read.
    x: *const f32,
    x_channel: usize,
    x_row: usize,
    x_position: usize,
    x_tap: usize,
    /// The column that the first tap reads at position 0.
    x_start: isize,
    /// Columns of `x`.
    width: usize,
    dy: *const f32,
    dy_channel: usize,
    dy_row: usize,
    rows: usize,
    columns: usize,
    /// Columns for which all taps lie inside.
    interior: Range<usize>,
    dw: *mut f32,
    dw_out: usize,
    dw_in: usize,
}

/// Adds to `outs` × `ins` × `taps` numbers of the gradient.
///
/// # Safety
/// All that the steps and counts of `at` lead to is inside the slices its pointers come from, the
/// columns of `x` outside `0..at.width` excepted, and nothing else uses that part of `dw`.
#[inline(always)]
unsafe fn tile<S: Simd>(s: S, outs: usize, ins: usize, taps: usize, at: &At) {
    macro_rules! sizes {
        ($($taps:literal: $($ins:literal)* by $($outs:literal)*;)*) => {
            sizes!(@ $($taps, [$($ins)*], [$($outs)*];)*)
        };
        (@ $($taps:literal, [$($ins:literal)*], $outs:tt;)*) => {
            match (taps, ins) {
                $($(($taps, $ins) => sizes!(% $taps, $ins, $outs),)*)*
                _ => unreachable!("no tile of {taps} taps by {ins} channels"),
            }
        };
        (% $taps:literal, $ins:literal, [$($outs:literal)*]) => {
            match outs {
                $($outs => s.run(Tile::<'_, $outs, $ins, $taps> { at }),)*
                _ => unreachable!("no tile of {outs} output channels"),
            }
        };
    }
    if S::WIDE {
        sizes! { 1: 1 2 4 by 1 2 3 4; 2: 1 2 by 1 2 3 4; 3: 1 2 by 1 2 3 4; 5: 1 by 1 2 3 4; }
    } else if S::FALLBACK {
        sizes! { 1: 1 2 by 1 2 4; 2: 1 by 1 2 4; 3: 1 by 1 3; 5: 1 by 1 2; }
    } else {
        sizes! { 1: 1 2 by 1 2 3 4; 2: 1 by 1 2 3 4; 3: 1 by 1 2 3; 5: 1 by 1 2; }
    }
}

struct Tile<'a, const O: usize, const I: usize, const T: usize> {
    at: &'a At,
}

impl<const O: usize, const I: usize, const T: usize> Kernel for Tile<'_, O, I, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let at = self.at;
        let mut sums = [[[s.splat(0.0); T]; I]; O];
        for part in 0..S::PARTS {
            for row in 0..at.rows {
                // Where the first tap would stand for position 0, which may be before the row.
                let x = at.x.wrapping_add(row * at.x_row + part * S::WIDTH);
                let x = x.wrapping_offset(at.x_start * LANES as isize);
                let dy = at.dy.wrapping_add(row * at.dy_row + part * S::WIDTH);
                // SAFETY: `tile`'s caller vouches for all that lies inside.
                unsafe {
                    for j in 0..at.interior.start {
                        position::<S, O, I, T, false>(s, at, j, x, dy, &mut sums);
                    }
                    for j in at.interior.clone() {
                        position::<S, O, I, T, true>(s, at, j, x, dy, &mut sums);
                    }
                    for j in at.interior.end..at.columns {
                        position::<S, O, I, T, false>(s, at, j, x, dy, &mut sums);
                    }
                }
            }
        }
        let mut lanes = [Lanes::ZERO; 24];
        for o in 0..O {
            for c in 0..I {
                for t in 0..T {
                    s.store(&mut lanes[(o * I + c) * T + t], 0, sums[o][c][t]);
                }
            }
        }
        let mut totals = [0.0; 24];
        for (total, lanes) in
            totals.chunks_exact_mut(4).zip(lanes.chunks_exact(4)).take((O * I * T).div_ceil(4))
        {
            total.copy_from_slice(&s.sums([
                s.load(&lanes[0], 0),
                s.load(&lanes[1], 0),
                s.load(&lanes[2], 0),
                s.load(&lanes[3], 0),
            ]));
        }
        for o in 0..O {
            for c in 0..I {
                for t in 0..T {
                    // SAFETY: `tile`'s caller vouches for this place.
                    unsafe {
                        *at.dw.add(o * at.dw_out + c * at.dw_in + t) += totals[(o * I + c) * T + t]
                    };
                }
            }
        }
    }
}

/// Adds the products of one position; `INSIDE` when all its taps are known to lie inside.
///
/// # Safety
/// As [`tile`]; `x` and `dy` are those of a row.
#[inline(always)]
unsafe fn position<S: Simd, const O: usize, const I: usize, const T: usize, const INSIDE: bool>(
    s: S,
    at: &At,
    j: usize,
    x: *const f32,
    dy: *const f32,
    sums: &mut [[[S::V; T]; I]; O],
) {
    let x = x.wrapping_add(j * at.x_position);
    let mut dys = [s.splat(0.0); O];
    for o in 0..O {
        // SAFETY: the caller vouches for all channels of this position.
        dys[o] = unsafe { s.read(dy.add(j * LANES + o * at.dy_channel)) };
    }
    for t in 0..T {
        let column = at.x_start + ((j * at.x_position + t * at.x_tap) / LANES) as isize;
        if INSIDE || (0..at.width as isize).contains(&column) {
            for c in 0..I {
                // SAFETY: this column is inside, and the caller vouches for all channels of it.
                let x = unsafe { s.read(x.wrapping_add(c * at.x_channel + t * at.x_tap)) };
                for o in 0..O {
                    sums[o][c][t] = s.fma(dys[o], x, sums[o][c][t]);
                }
            }
        }
    }
}

//! The tile loop under a convolution and its data gradient. Both are correlations:
//! `y[o, i] = b[o] + Σ w[o, c, t] · x[c, start + step·i + gap·t]` along each axis, for some rows and
//! columns of `y`. How a data gradient becomes one is in `conv2d`.
#![allow(unsafe_code)]

use std::ops::Range;

use super::epilogue::Plus;
use super::fused::Fused;
use super::simd::{Kernel, Simd, even_tile, unrolled};
use super::team::Shared;
use super::{LANES, Lanes};

/// One axis (height or width) of a correlation. Output `k` stands at `first_output + k·output_step`
/// and its tap `t` reads the input at `start + k·input_step + t·tap_step`, if that is inside.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Axis {
    /// How many outputs are computed.
    pub(super) outputs: usize,
    pub(super) first_output: usize,
    pub(super) output_step: usize,
    /// The input's size.
    pub(super) input: usize,
    pub(super) start: isize,
    pub(super) input_step: usize,
    pub(super) taps: usize,
    pub(super) tap_step: usize,
    /// Tap `t` has the kernel's weight `first_weight + t·weight_step`.
    pub(super) first_weight: usize,
    pub(super) weight_step: isize,
}

impl Axis {
    /// Where an output's tap reads, maybe outside the input.
    pub(super) fn position(&self, output: usize, tap: usize) -> isize {
        self.start + (output * self.input_step + tap * self.tap_step) as isize
    }

    /// The kernel's weight of a tap.
    pub(super) fn weight(&self, tap: usize) -> usize {
        self.first_weight.wrapping_add_signed(tap as isize * self.weight_step)
    }

    /// Some of the outputs.
    pub(super) fn part(&self, outputs: &Range<usize>) -> Axis {
        Axis {
            outputs: outputs.len(),
            first_output: self.first_output + outputs.start * self.output_step,
            start: self.position(outputs.start, 0),
            ..*self
        }
    }

    /// The taps of an output that lie inside the input.
    pub(super) fn taps_inside(&self, output: usize) -> Range<usize> {
        let first = self.position(output, 0);
        let before = first.min(0).unsigned_abs().div_ceil(self.tap_step).min(self.taps);
        let room = (self.input as isize - first).max(0) as usize;
        before..room.div_ceil(self.tap_step).clamp(before, self.taps)
    }

    /// The outputs of which this tap lies inside the input.
    pub(super) fn outputs_inside(&self, tap: usize) -> Range<usize> {
        let first = self.position(0, tap);
        let start = first.min(0).unsigned_abs().div_ceil(self.input_step).min(self.outputs);
        let room = (self.input as isize - first).max(0) as usize;
        start..room.div_ceil(self.input_step).clamp(start, self.outputs)
    }

    /// The outputs whose taps all lie inside the input.
    pub(super) fn interior(&self) -> Range<usize> {
        if self.taps == 0 {
            return 0..self.outputs;
        }
        let first = self.start.min(0).unsigned_abs().div_ceil(self.input_step).min(self.outputs);
        let room = self.input as isize - self.position(0, self.taps - 1);
        first..(room.max(0) as usize).div_ceil(self.input_step).clamp(first, self.outputs)
    }

    /// Whether every output stands inside `size`, and every weight inside `weights`.
    fn fits(&self, size: usize, weights: usize) -> bool {
        let inside = |first: usize, step: isize, count: usize, size: usize| {
            let last = first as isize + step * (count as isize - 1);
            count == 0 || first < size && last >= 0 && (last as usize) < size
        };
        self.tap_step > 0
            && self.input_step > 0
            && inside(self.first_output, self.output_step as isize, self.outputs, size)
            && inside(self.first_weight, self.weight_step, self.taps, weights)
    }
}

/// A correlation; see the module's head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Correlation<'a> {
    pub(super) height: Axis,
    pub(super) width: Axis,
    /// Groups of channels, each with its own weights.
    pub(super) groups: usize,
    /// Input channels of a group.
    pub(super) in_channels: usize,
    /// Output channels of a group.
    pub(super) out_channels: usize,
    /// The whole kernel's size.
    pub(super) kernel: [usize; 2],
    /// `y`'s height and width.
    pub(super) output: [usize; 2],
    /// Where the next output channel's weights stand.
    pub(super) weight_out: usize,
    /// Where the next input channel's weights stand.
    pub(super) weight_in: usize,
    pub(super) x: &'a [Lanes],
    pub(super) weight: &'a [f32],
    pub(super) bias: Option<&'a [f32]>,
    pub(super) fused: Fused,
}

/// Computes a correlation into `y`.
#[derive(Debug)]
pub(super) struct Correlate<'a> {
    pub(super) of: Correlation<'a>,
    pub(super) plus: Plus<'a>,
    /// Nobody else writes the rows and columns that are computed.
    pub(super) y: Shared<'a, Lanes>,
}

impl Correlate<'_> {
    /// The only place that the tiles' safety rests on; the callers' geometry makes all of it true.
    fn check(&self) {
        let Correlation { height, width, groups, in_channels, out_channels, .. } = self.of;
        let kernel = self.of.kernel[0] * self.of.kernel[1];
        let x = groups * in_channels * height.input * width.input;
        let y = groups * out_channels * self.of.output[0] * self.of.output[1];
        let weight = groups * in_channels * out_channels * kernel;
        assert_eq!(self.of.x.len(), x, "the input's length");
        assert_eq!(self.y.len(), y, "the output's length");
        assert_eq!(self.of.weight.len(), weight, "the weight's length");
        if let Some(bias) = self.of.bias {
            assert_eq!(bias.len(), groups * out_channels, "the bias's length");
        }
        if let Plus::Value(value) = self.plus {
            assert_eq!(value.len(), y, "the added value's length");
        }
        let last = (out_channels - 1) * self.of.weight_out + (in_channels - 1) * self.of.weight_in;
        assert!(last + kernel <= in_channels * out_channels * kernel, "weights of one group");
        assert!(height.fits(self.of.output[0], self.of.kernel[0]), "the height's geometry");
        assert!(width.fits(self.of.output[1], self.of.kernel[1]), "the width's geometry");
    }
}

/// The numbers of channels for which there are tiles.
fn sizes<S: Simd>() -> &'static [usize] {
    if S::WIDE {
        &[1, 2, 3, 4, 6, 8]
    } else if S::FALLBACK {
        &[1, 2, 3, 4, 6]
    } else {
        &[1, 2, 3, 4, 5, 6]
    }
}

/// Channels and positions of the largest tile with this many channels left.
fn tile_size<S: Simd>(channels: usize) -> (usize, usize) {
    // As even as possible: 10 channels are 6 and 4, not 8 and 2.
    let channels = even_tile(channels, sizes::<S>());
    // Positions such that the sums, the operands of all positions and one weight fit the registers.
    let positions = if S::WIDE { [8, 8, 8, 6, 4, 4, 3, 3] } else { [8, 4, 3, 2, 2, 2, 2, 2] };
    (channels, positions[channels - 1])
}

impl Kernel for Correlate<'_> {
    type Output = ();

    /// Loops, from the outside in: group, row of `y`, block of channels, block of positions. So the
    /// few rows of `x` under a row of `y` stay in cache while all channels use them.
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        self.check();
        let Correlation { height, width, in_channels, out_channels, .. } = self.of;
        let [_, kernel_width] = self.of.kernel;
        let plane = height.input * width.input;
        let [output_height, output_width] = self.of.output;
        let interior = width.interior();
        for group in 0..self.of.groups {
            let x = &self.of.x[group * in_channels * plane..][..in_channels * plane];
            let per_group = self.of.weight.len() / self.of.groups;
            let weight = &self.of.weight[group * per_group..][..per_group];
            for row in 0..height.outputs {
                let rows = height.taps_inside(row);
                let first_row = height.position(row, rows.start);
                let y_row = height.first_output + row * height.output_step;
                let mut channel = 0;
                while channel < out_channels {
                    let (channels, positions) = tile_size::<S>(out_channels - channel);
                    let y_channel = group * out_channels + channel;
                    let bias = self.of.bias.map(|bias| &bias[y_channel..y_channel + channels]);
                    let mut column = 0;
                    while column < width.outputs {
                        // Next to the border a tap may lie outside, so one position at a time.
                        let inside = interior.contains(&column);
                        let left = if inside { interior.end - column } else { 1 };
                        let count = match left {
                            _ if left >= positions => positions,
                            4.. if positions > 4 => 4,
                            2.. if positions > 2 => 2,
                            _ => 1,
                        };
                        let blocks = left / count;
                        let taps = width.taps_inside(column);
                        let x_column = width.position(column, taps.start);
                        let y_column = width.first_output + column * width.output_step;
                        let (mut rows_left, mut taps_left) = (rows.len(), taps.len());
                        let mut x_at = 0;
                        let mut weight_at = 0;
                        if rows_left == 0 || taps_left == 0 {
                            (rows_left, taps_left) = (0, 0);
                        } else {
                            x_at = first_row as usize * width.input + x_column as usize;
                            let weight_row = height.first_weight as isize
                                + rows.start as isize * height.weight_step;
                            let weight_column = width.first_weight as isize
                                + taps.start as isize * width.weight_step;
                            weight_at = channel * self.of.weight_out
                                + weight_row as usize * kernel_width
                                + weight_column as usize;
                        }
                        let y_at = (y_channel * output_height + y_row) * output_width + y_column;
                        let at = At {
                            x: x[x_at..].as_ptr().cast(),
                            x_channel: plane * LANES,
                            x_row: height.tap_step * width.input * LANES,
                            x_tap: width.tap_step * LANES,
                            x_position: width.input_step * LANES,
                            // From the start of the slice, because the steps may lead back.
                            weight: weight.as_ptr().wrapping_add(weight_at),
                            weight_out: self.of.weight_out,
                            weight_in: self.of.weight_in as isize,
                            weight_row: height.weight_step * kernel_width as isize,
                            weight_tap: width.weight_step,
                            in_channels,
                            blocks,
                            rows: rows_left,
                            taps: taps_left,
                            bias,
                            fused: self.of.fused,
                            plus: match self.plus {
                                Plus::Nothing => std::ptr::null(),
                                Plus::Value(value) => value[y_at..].as_ptr().cast(),
                                Plus::Own => self.y.from(y_at).as_mut_ptr().cast(),
                            },
                            y: self.y.from(y_at).as_mut_ptr().cast(),
                            y_channel: output_height * output_width * LANES,
                            y_position: width.output_step * LANES,
                        };
                        // SAFETY: `check` has compared the lengths with the geometry, channel to
                        // channel + channels are output channels and column to column + left are
                        // outputs, of which `blocks` · count are computed; left > 1 only where all
                        // taps of all of them lie inside, and for one the taps outside are left out.
                        unsafe { tile(s, channels, count, &at) };
                        column += blocks * count;
                    }
                    channel += channels;
                }
            }
        }
    }
}

/// A tile's place: pointers to its first numbers, and steps in numbers.
#[derive(Debug)]
struct At<'a> {
    x: *const f32,
    x_channel: usize,
    x_row: usize,
    x_tap: usize,
    x_position: usize,
    weight: *const f32,
    weight_out: usize,
    weight_in: isize,
    weight_row: isize,
    weight_tap: isize,
    in_channels: usize,
    /// Blocks of positions, one after the other: a call for each would cost a tenth.
    blocks: usize,
    rows: usize,
    taps: usize,
    bias: Option<&'a [f32]>,
    fused: Fused,
    /// What is added, with the steps of `y`; null for nothing.
    plus: *const f32,
    y: *mut f32,
    y_channel: usize,
    y_position: usize,
}

/// Computes `channels` × `positions` numbers of [`Lanes`], in each block.
///
/// # Safety
/// All that the steps and counts of `at` lead to is inside the slices its pointers come from, and
/// nothing else writes that part of `y`.
#[inline(always)]
unsafe fn tile<S: Simd>(s: S, channels: usize, positions: usize, at: &At<'_>) {
    macro_rules! sizes {
        ($($channels:literal: $($positions:literal)*;)*) => {
            match (channels, positions) {
                $($(
                    ($channels, $positions) => {
                        // The step of a usual convolution is known to the compiler, others are not.
                        if !S::FALLBACK {
                            if at.x_position == LANES {
                                s.run(Tile::<'_, '_, $channels, $positions, true> { at });
                                return;
                            }
                        }
                        s.run(Tile::<'_, '_, $channels, $positions, false> { at });
                    }
                )*)*
                _ => unreachable!("no tile of {channels} channels by {positions} positions"),
            }
        };
    }
    if S::WIDE {
        sizes! { 1: 1 2 4 8; 2: 1 2 4 8; 3: 1 2 4 8; 4: 1 2 4 6; 6: 1 2 4; 8: 1 2 3; }
    } else if S::FALLBACK {
        sizes! { 1: 1 2 4 8; 2: 1 2 4; 3: 1 2 3; 4: 1 2; 6: 1 2; }
    } else {
        sizes! { 1: 1 2 4 8; 2: 1 2 4; 3: 1 2 3; 4: 1 2; 5: 1 2; 6: 1 2; }
    }
}

/// `OC` channels by `P` positions; `UNIT` when neighbouring positions read neighbouring [`Lanes`].
struct Tile<'a, 'b, const OC: usize, const P: usize, const UNIT: bool> {
    at: &'a At<'b>,
}

impl<const OC: usize, const P: usize, const UNIT: bool> Kernel for Tile<'_, '_, OC, P, UNIT> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let at = self.at;
        let step = if UNIT { LANES } else { at.x_position };
        let far = s.apart(2 * at.weight_out);
        for piece in 0..at.blocks * S::PARTS {
            let (block, part) = (piece / S::PARTS, piece % S::PARTS);
            let shift = part * S::WIDTH;
            // Inside, because the caller vouches for each block.
            let from = at.x.wrapping_add(block * P * step + shift);
            let first = block * P * at.y_position + shift;
            let mut sums = [[s.splat(0.0); P]; OC];
            if let Some(bias) = at.bias {
                for o in 0..OC {
                    sums[o] = [s.splat(bias[o]); P];
                }
            }
            // SAFETY: `tile`'s caller vouches for all these places.
            unsafe {
                for c in 0..at.in_channels {
                    let x = from.add(c * at.x_channel);
                    let weight = at.weight.wrapping_offset(c as isize * at.weight_in);
                    for u in 0..at.rows {
                        let mut x = x.add(u * at.x_row);
                        let mut weight = weight.wrapping_offset(u as isize * at.weight_row);
                        for _ in 0..at.taps {
                            let mut xs = [s.splat(0.0); P];
                            for p in 0..P {
                                xs[p] = s.read(x.add(p * step));
                            }
                            for o in 0..OC {
                                let w = weight.wrapping_add(o / 2 * far + o % 2 * at.weight_out);
                                let w = s.splat(*w);
                                for p in 0..P {
                                    sums[o][p] = s.fma(w, xs[p], sums[o][p]);
                                }
                            }
                            x = x.wrapping_add(at.x_tap);
                            weight = weight.wrapping_offset(at.weight_tap);
                        }
                    }
                }
                unrolled!(o < OC, {
                    let mut row = sums[o];
                    let place = |p: usize| first + o * at.y_channel + p * at.y_position;
                    if !at.plus.is_null() {
                        for p in 0..P {
                            row[p] = s.add(row[p], s.read(at.plus.add(place(p))));
                        }
                    }
                    let row = at.fused.apply_to_all(s, row);
                    for p in 0..P {
                        s.write(at.y.add(place(p)), row[p]);
                    }
                });
            }
        }
    }
}

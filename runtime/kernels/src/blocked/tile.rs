//! A tile of a convolution of one image: some blocks of output channels by some positions.
#![allow(unsafe_code)]

use std::ops::Range;

use super::super::epilogue::Plus;
use super::super::fused::Fused;
use super::super::simd::{Kernel, Simd, unrolled};
use super::super::team::Shared;
use super::super::{LANES, Lanes};

/// Channels that follow each other at a tap where each is a plane of its own: few, since the rows of planes may
/// share cache sets.
const PLANES: usize = 4;

/// How far apart the input's numbers stand.
#[derive(Clone, Copy)]
pub(super) struct Steps {
    /// From a channel to the next of its block.
    pub(super) channel: usize,
    /// From a block of 16 channels to the next.
    pub(super) block: usize,
    /// From a column to the next.
    pub(super) pixel: usize,
    /// From an image to the next.
    pub(super) image: usize,
}

impl Steps {
    fn of_channel(&self, channel: usize) -> usize {
        channel / LANES * self.block + channel % LANES * self.channel
    }
}

/// Steps of a loop from a number of the input to the next, and from its weights to the next ones.
#[derive(Clone, Copy)]
struct Loop {
    count: usize,
    x: usize,
    weight: usize,
}

/// What later tiles read, to be fetched into the second-level cache meanwhile.
#[derive(Clone, Copy)]
pub(super) struct Ahead<'a> {
    pub(super) weights: &'a [Lanes],
    pub(super) x: Band,
}

/// The input of the next band of rows. Several tiles of channels read the same input: they take turns, and each
/// fetches some of its blocks.
#[derive(Clone, Copy)]
pub(super) struct Band {
    /// From a tile's input to that of the same tile in the next band; may wrap around.
    pub(super) step: usize,
    /// Whose turn it is, below `turns`.
    pub(super) turn: usize,
    pub(super) turns: usize,
}

impl Band {
    /// None: it is never anybody's turn.
    pub(super) const NONE: Band = Band { step: 0, turn: 0, turns: usize::MAX };
}

/// A tile's place: its first number of `x`, its first block's weights, its first output, and steps.
pub(super) struct At<'a> {
    pub(super) x: &'a [f32],
    pub(super) steps: Steps,
    pub(super) channels: Range<usize>,
    pub(super) x_row: usize,
    pub(super) x_tap: usize,
    pub(super) x_position: usize,
    pub(super) weight: &'a [Lanes],
    /// [`Lanes`] from a block's weights to the next one's.
    pub(super) weight_block: usize,
    pub(super) kernel: [usize; 2],
    pub(super) rows: Range<usize>,
    pub(super) taps: Range<usize>,
    pub(super) ahead: Ahead<'a>,
    pub(super) bias: &'a [Lanes],
    pub(super) plus: Plus<'a>,
    pub(super) fused: Fused,
    pub(super) y: Shared<'a, Lanes>,
    /// [`Lanes`] from a block's output to the next one's.
    pub(super) y_block: usize,
    pub(super) y_position: usize,
}

impl At<'_> {
    /// The only place that the safety of a tile of so many blocks and positions rests on. Compiled once for
    /// all sizes.
    #[inline(never)]
    fn check(&self, blocks: usize, positions: usize) {
        let At { steps, channels, kernel, rows, taps, .. } = self;
        assert!(self.bias.len() == blocks, "one bias for each block");
        let last = (blocks - 1) * self.y_block + (positions - 1) * self.y_position;
        assert!(last < self.y.len(), "the outputs");
        if let Plus::Value(value) = self.plus {
            assert!(last < value.len(), "the added value");
        }
        let taps_all = channels.len() * kernel[0] * kernel[1];
        assert!((blocks - 1) * self.weight_block + taps_all <= self.weight.len(), "the weights");
        if !rows.is_empty() && !channels.is_empty() {
            assert!(rows.end <= kernel[0] && taps.end <= kernel[1], "taps of the kernel");
            let last = (rows.len() - 1) * self.x_row
                + (taps.len() - 1) * self.x_tap
                + (positions - 1) * self.x_position;
            // Later channels stand behind earlier ones in either layout.
            let farthest = steps.of_channel(channels.end - 1) + last;
            assert!(farthest < self.x.len(), "the inputs");
        }
    }
}

/// `B` blocks of channels by `P` positions; `UNIT` when neighbouring positions read neighbouring
/// [`Lanes`], 16 channels side by side.
pub(super) struct Tile<'a, 'b, const B: usize, const P: usize, const UNIT: bool>(
    pub(super) &'a At<'b>,
);

impl<const B: usize, const P: usize, const UNIT: bool> Kernel for Tile<'_, '_, B, P, UNIT> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let at = self.0;
        at.check(B, P);
        let At { steps, kernel, .. } = at;
        let (step, channel_step) = if UNIT { (LANES, 1) } else { (at.x_position, steps.channel) };
        let far = if UNIT { 4 * step } else { s.apart(4 * step) };
        let together = if channel_step == 1 { LANES } else { PLANES };
        let all_taps = kernel[0] * kernel[1];
        let weight_block = at.weight_block * LANES;
        let first_stretch = at.channels.start / together;
        let stretches = (at.channels.end.div_ceil(together) - first_stretch) * at.rows.len();
        let fetches = at.ahead.weights.len().div_ceil(S::PARTS * stretches.max(1));
        let mut weights_ahead = at.ahead.weights.iter();
        let y = at.y.as_mut_ptr().cast::<f32>();
        let plus = match at.plus {
            Plus::Nothing => std::ptr::null(),
            Plus::Value(value) => value.as_ptr().cast(),
            Plus::Own => y.cast_const(),
        };
        for part in 0..S::PARTS {
            let shift = part * S::WIDTH;
            let mut sums = [[s.splat(0.0); P]; B];
            for b in 0..B {
                sums[b] = [s.load(&at.bias[b], part); P];
            }
            let mut turn = at.ahead.x.turn;
            let mut channel = at.channels.start;
            while channel < at.channels.end {
                let some = (together - channel % together).min(at.channels.end - channel);
                let lanes = Loop { count: some, x: channel_step, weight: all_taps * LANES };
                let taps = Loop { count: at.taps.len(), x: at.x_tap, weight: LANES };
                // The longer loop inside: there little else stands beside the products.
                let (inner, outer) =
                    if lanes.count <= taps.count { (taps, lanes) } else { (lanes, taps) };
                let first = (channel - at.channels.start) * all_taps + at.taps.start;
                let weight = at.weight.as_ptr().cast::<f32>().wrapping_add(first * LANES + shift);
                let x = at.x.as_ptr().wrapping_add(steps.of_channel(channel));
                turn += 1;
                if UNIT && part == 0 && turn >= at.ahead.x.turns {
                    turn = 0;
                    for p in 0..P {
                        s.prefetch_far(x.wrapping_add(at.ahead.x.step).wrapping_add(p * step));
                    }
                }
                for (u, row) in at.rows.clone().enumerate() {
                    for weights in weights_ahead.by_ref().take(fetches) {
                        s.prefetch_far(weights.0.as_ptr());
                    }
                    let mut x_outer = x.wrapping_add(u * at.x_row);
                    let mut weight_outer = weight.wrapping_add(row * kernel[1] * LANES);
                    for _ in 0..outer.count {
                        let (mut x, mut weight) = (x_outer, weight_outer);
                        for _ in 0..inner.count {
                            // SAFETY: `check` has compared the farthest of these places with the lengths.
                            unsafe {
                                let mut w = [s.splat(0.0); B];
                                for b in 0..B {
                                    w[b] = s.read(weight.wrapping_add(b * weight_block));
                                }
                                for p in 0..P {
                                    let v = s.splat(*x.wrapping_add(p / 4 * far + p % 4 * step));
                                    for b in 0..B {
                                        sums[b][p] = s.fma(v, w[b], sums[b][p]);
                                    }
                                }
                            }
                            x = x.wrapping_add(inner.x);
                            weight = weight.wrapping_add(inner.weight);
                        }
                        x_outer = x_outer.wrapping_add(outer.x);
                        weight_outer = weight_outer.wrapping_add(outer.weight);
                    }
                }
                channel += some;
            }
            unrolled!(b < B, {
                let mut row = sums[b];
                let place = |p: usize| (b * at.y_block + p * at.y_position) * LANES + shift;
                if !plus.is_null() {
                    for p in 0..P {
                        // SAFETY: as below.
                        row[p] = s.add(row[p], unsafe { s.read(plus.add(place(p))) });
                    }
                }
                let row = at.fused.apply_to_all(s, row);
                for p in 0..P {
                    // SAFETY: `check` has compared the farthest of these places with the length, and
                    // they are of this task's blocks and rows, which nobody else writes.
                    unsafe { s.write(y.add(place(p)), row[p]) };
                }
            });
        }
    }
}

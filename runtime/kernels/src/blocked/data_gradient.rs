//! The gradient of a convolution's input, with 16 channels side by side.
//!
//! Places of `x` that differ by a multiple of the stride are read through the same taps, by neighbouring
//! outputs: each such *phase* is a correlation of `dy` with those taps, reversed, whose weights stand
//! together. With few channels, taps stand beside each other in the lanes (`taps_in_lanes`).

use typenet_shape::{Conv2d, Shape, TapsInLanes};

use super::super::conv2d::{backward_axis, output};
use super::super::correlate::Axis;
use super::super::epilogue::Plus;
use super::super::fused::Fused;
use super::super::team::{Team, chunks_mut};
use super::super::{Isa, LANES, Lanes};
use super::conv2d::{Forward, Pixels, images};
use super::layout::blocks;
use super::taps_in_lanes::RowTaps;

/// Whether [`conv2d_backward_data`] can run this: the inputs of one block must be of one group.
pub const fn runs_conv2d_backward_data(g: &Conv2d) -> bool {
    g.groups == 1 || (g.input.dim(0) / g.groups).is_multiple_of(LANES)
}

/// How many [`Lanes`] [`conv2d_backward_data`] needs for itself.
///
/// # Panics
/// When the geometry breaks a rule of [`Conv2d::output`].
pub fn conv2d_data_room(g: &Conv2d, images: usize) -> usize {
    output(g);
    match TapsInLanes::new(g) {
        Some(lanes) => RowTaps::new(g, lanes).room(images),
        None => packed_len(blocks(g.input.dim(0)), g.out_channels / g.groups, g.kernel),
    }
}

/// `dx[c, i', j'] = Σ w[o, c, u, v] · dy[o, i, j]` over the places that read `x[c, i', j']`, of as
/// many images as `dx` holds, shared out among the team; overwrites `dx`, or adds to it if `accumulate`. Lanes
/// past the last channel get any numbers. `weight` is in PyTorch's order. `room` is [`conv2d_data_room`] long, or longer, with anything in it.
///
/// # Panics
/// When the geometry breaks a rule of [`Conv2d::output`] or [`runs_conv2d_backward_data`] says no, a slice
/// has a wrong length, or this machine lacks `isa`.
pub fn conv2d_backward_data(
    isa: Isa,
    team: &Team,
    g: &Conv2d,
    dy: &[Lanes],
    weight: &[f32],
    room: &mut [Lanes],
    accumulate: bool,
    dx: &mut [Lanes],
) {
    let output = output(g);
    assert!(runs_conv2d_backward_data(g), "groups of whole blocks");
    assert_eq!(weight.len(), g.weight().elements(), "the weight's length");
    let size = [g.input.dim(1), g.input.dim(2)];
    let all = blocks(g.input.dim(0));
    let images = images(dx.len(), all * size[0] * size[1]);
    let of_dy = blocks(g.out_channels) * output.dim(1) * output.dim(2);
    assert_eq!(dy.len(), images * of_dy, "the output gradient's length");
    let room = &mut room[..conv2d_data_room(g, images)];
    if let Some(lanes) = TapsInLanes::new(g) {
        let of = RowTaps::new(g, lanes);
        return of.backward_data(isa, team, dy, weight, room, accumulate, dx);
    }
    let count = |axis: usize| g.stride[axis].min(g.input.dim(axis + 1));
    let phase = |top, left| [backward_axis(g, output, 0, top), backward_axis(g, output, 1, left)];
    let phases = (0..count(0)).flat_map(|top| (0..count(1)).map(move |left| phase(top, left)));
    let (ins, outs) = (g.input.dim(0) / g.groups, g.out_channels / g.groups);
    let area = g.kernel[0] * g.kernel[1];
    pack(team, phases.clone(), [all, outs], room, |block, out, [height, width], to| {
        let (group, first) = (block * LANES / ins, block * LANES % ins);
        let row = ((group * outs + out) * ins + first) * area + height * g.kernel[1] + width;
        for (lane, to) in to.0.iter_mut().enumerate().take(ins - first) {
            *to = weight[row + lane * area];
        }
    });
    let of = Correlations { groups: g.groups, dy, output, size };
    of.run(isa, team, phases, [all, outs], room, Plus::own_if(accumulate), dx);
}

/// [`Lanes`] of packed weights: a bias of zero for each block, and every tap of its `outs` output channels.
pub(super) const fn packed_len(blocks: usize, outs: usize, [height, width]: [usize; 2]) -> usize {
    blocks * (1 + outs * height * width)
}

/// Packs weights, shared out among the team: for each phase and block one [`Lanes`] for each output channel and
/// tap. `fill` is asked for the numbers of a block, an output channel and a weight of the kernel, and finds
/// zeros.
pub(super) fn pack(
    team: &Team,
    phases: impl Iterator<Item = [Axis; 2]>,
    [blocks, outs]: [usize; 2],
    packed: &mut [Lanes],
    fill: impl Fn(usize, usize, [usize; 2], &mut Lanes) + Sync,
) {
    let (zeros, mut packed) = packed.split_at_mut(blocks);
    zeros.fill(Lanes::ZERO);
    for [height, width] in phases {
        let of_block = outs * height.taps * width.taps;
        if of_block == 0 {
            continue;
        }
        let (own, rest) = packed.split_at_mut(blocks * of_block);
        packed = rest;
        team.for_each(chunks_mut(own, of_block), |block, to| {
            let mut to = to.iter_mut();
            for out in 0..outs {
                for u in 0..height.taps {
                    for v in 0..width.taps {
                        let Some(to) = to.next() else { return };
                        *to = Lanes::ZERO;
                        fill(block, out, [height.weight(u), width.weight(v)], to);
                    }
                }
            }
        });
    }
}

/// What the correlations of all phases share: each writes rows and columns of its own.
pub(super) struct Correlations<'a> {
    pub(super) groups: usize,
    pub(super) dy: &'a [Lanes],
    /// The shape of an image's `dy`.
    pub(super) output: Shape,
    /// Rows and columns of what is computed.
    pub(super) size: [usize; 2],
}

impl Correlations<'_> {
    /// Computes `y` of so many blocks of channels; `packed` comes from [`pack`].
    pub(super) fn run(
        &self,
        isa: Isa,
        team: &Team,
        phases: impl Iterator<Item = [Axis; 2]>,
        [all, channels]: [usize; 2],
        packed: &[Lanes],
        plus: Plus<'_>,
        y: &mut [Lanes],
    ) {
        let images = images(y.len(), all * self.size[0] * self.size[1]);
        let (x, steps) = Pixels::Blocked(self.dy).with_steps(self.output, images);
        let (bias, mut weights) = packed.split_at(all);
        for [height, width] in phases {
            let kernel = [height.taps, width.taps];
            if matches!(plus, Plus::Own) && (kernel[0] == 0 || kernel[1] == 0) {
                continue;
            }
            let (weight, rest) = weights.split_at(all * channels * kernel[0] * kernel[1]);
            weights = rest;
            let of = Forward {
                groups: self.groups,
                channels,
                kernel,
                height,
                width,
                images,
                x,
                steps,
                weight,
                bias,
                plus,
                fused: Fused::Identity,
                narrow: None,
            };
            of.run(isa, team, self.size, y);
        }
    }
}

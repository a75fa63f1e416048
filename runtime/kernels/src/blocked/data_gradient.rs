//! The gradient of a convolution's input, with 16 channels side by side.
//!
//! Places of `x` that differ by a multiple of the stride are read through the same taps, by neighbouring
//! outputs: each such *phase* is a correlation (`phases`) of `dy` with those taps, reversed. With few channels, taps
//! stand beside each other in the lanes (`taps_in_lanes`).

use typenet_shape::{Conv2d, TapsInLanes};

use super::super::conv2d::output;
use super::super::epilogue::Plus;
use super::super::fused::Fused;
use super::super::team::Team;
use super::super::{Isa, LANES, Lanes};
use super::conv2d::{Pixels, images};
use super::layout::blocks;
use super::phases::{Correlations, pack, packed_len, phases};
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
    let phases = phases(g, output);
    let (ins, outs) = (g.input.dim(0) / g.groups, g.out_channels / g.groups);
    let area = g.kernel[0] * g.kernel[1];
    pack(team, phases.clone(), [all, outs], room, |block, out, [height, width], to| {
        let (group, first) = (block * LANES / ins, block * LANES % ins);
        let row = ((group * outs + out) * ins + first) * area + height * g.kernel[1] + width;
        for (lane, to) in to.0.iter_mut().enumerate().take(ins - first) {
            *to = weight[row + lane * area];
        }
    });
    let (x, fused) = (Pixels::Blocked(dy), Fused::Identity);
    let of = Correlations { groups: g.groups, x, shape: output, fused, size };
    of.run(isa, team, phases, [all, outs], room, Plus::own_if(accumulate), dx);
}

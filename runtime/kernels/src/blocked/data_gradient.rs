//! The gradient of a convolution's input, with 16 channels side by side.
//!
//! Places of `x` that differ by a multiple of the stride are read through the same taps, by neighbouring
//! outputs: each such *phase* is a correlation of `dy` with those taps, reversed, whose weights stand
//! together.

#![allow(unsafe_code)]

use typenet_shape::{Conv2d, Shape};

use super::super::conv2d::{backward_axis, output};
use super::super::correlate::Axis;
use super::super::epilogue::Plus;
use super::super::fused::Fused;
use super::super::team::{Numbered, Shared, Team};
use super::super::{Isa, LANES, Lanes};
use super::conv2d::{Forward, Pixels, images};
use super::layout::blocks;

/// Whether [`conv2d_backward_data`] can run this: the inputs of one block must be of one group.
pub const fn runs_conv2d_backward_data(g: &Conv2d) -> bool {
    g.groups == 1 || (g.input.dim(0) / g.groups).is_multiple_of(LANES)
}

/// How many [`Lanes`] the packed weight is.
pub const fn conv2d_data_packed_len(g: &Conv2d) -> usize {
    let kernel = g.kernel[0] * g.kernel[1];
    blocks(g.input.dim(0)) * (1 + g.out_channels / g.groups * kernel)
}

/// The two axes of each phase.
fn phases(g: &Conv2d, output: Shape) -> impl Iterator<Item = [Axis; 2]> + '_ {
    let count = |axis: usize| g.stride[axis].min(g.input.dim(axis + 1));
    (0..count(0)).flat_map(move |top| {
        (0..count(1))
            .map(move |left| [backward_axis(g, output, 0, top), backward_axis(g, output, 1, left)])
    })
}

/// Packs `weight`, in PyTorch's order, shared out among the team: for each phase and block of input channels
/// one [`Lanes`] for each output channel and tap.
///
/// # Panics
/// When the geometry breaks a rule of [`Conv2d::output`], or a slice has a wrong length.
pub fn pack_conv2d_data(team: &Team, g: &Conv2d, weight: &[f32], packed: &mut [Lanes]) {
    let output = output(g);
    assert_eq!(weight.len(), g.weight().elements(), "the weight's length");
    assert_eq!(packed.len(), conv2d_data_packed_len(g), "the packed length");
    let area = g.kernel[0] * g.kernel[1];
    let (ins, outs) = (g.input.dim(0) / g.groups, g.out_channels / g.groups);
    let all = blocks(g.input.dim(0));
    let (zeros, packed) = packed.split_at_mut(all);
    zeros.fill(Lanes::ZERO);
    let packed = Shared::new(packed);
    team.for_each(Numbered(all), |block, ()| {
        let mut phase = 0;
        let group = block * LANES / ins;
        let count = LANES.min(ins - block * LANES % ins);
        for [height, width] in phases(g, output) {
            let len = outs * height.taps * width.taps;
            let own = packed.part(phase + block * len..phase + (block + 1) * len);
            phase += all * len;
            // SAFETY: nobody else writes this block.
            let own = unsafe { own.into_slice() };
            let mut own = own.iter_mut();
            for o in 0..outs {
                let row = ((group * outs + o) * ins + block * LANES % ins) * area;
                for u in 0..height.taps {
                    for v in 0..width.taps {
                        let Some(to) = own.next() else { continue };
                        let tap = height.weight(u) * g.kernel[1] + width.weight(v);
                        *to = Lanes::ZERO;
                        for (lane, to) in to.0.iter_mut().enumerate().take(count) {
                            *to = weight[row + lane * area + tap];
                        }
                    }
                }
            }
        }
    });
}

/// `dx[c, i', j'] = Σ w[o, c, u, v] · dy[o, i, j]` over the places that read `x[c, i', j']`, of as
/// many images as `dx` holds, shared out among the team; overwrites `dx`, or adds to it if `accumulate`.
/// `packed` comes from [`pack_conv2d_data`].
///
/// # Panics
/// When the geometry breaks a rule of [`Conv2d::output`] or [`runs_conv2d_backward_data`] says no, a slice
/// has a wrong length, or this machine lacks `isa`.
pub fn conv2d_backward_data(
    isa: Isa,
    team: &Team,
    g: &Conv2d,
    dy: &[Lanes],
    packed: &[Lanes],
    accumulate: bool,
    dx: &mut [Lanes],
) {
    let output = output(g);
    assert!(runs_conv2d_backward_data(g), "groups of whole blocks");
    assert_eq!(packed.len(), conv2d_data_packed_len(g), "the packed weight's length");
    let size = [g.input.dim(1), g.input.dim(2)];
    let images = images(dx.len(), blocks(g.input.dim(0)) * size[0] * size[1]);
    let (x, steps) = Pixels::Blocked(dy).with_steps(output, images);
    let (bias, mut weights) = packed.split_at(blocks(g.input.dim(0)));
    let channels = g.out_channels / g.groups;
    for [height, width] in phases(g, output) {
        let kernel = [height.taps, width.taps];
        if accumulate && (kernel[0] == 0 || kernel[1] == 0) {
            continue;
        }
        let (weight, rest) = weights.split_at(bias.len() * channels * kernel[0] * kernel[1]);
        weights = rest;
        let of = Forward {
            groups: g.groups,
            channels,
            kernel,
            height,
            width,
            images,
            x,
            steps,
            weight,
            bias,
            plus: Plus::own_if(accumulate),
            fused: Fused::Identity,
            narrow: None,
        };
        of.run(isa, team, size, dx);
    }
}

//! Transposed convolution of one image.
//!
//! Places of the output that differ by a multiple of the stride are computed with the same taps, from
//! neighbouring places of the input. So each such *phase* is a correlation with the weights of those taps,
//! which stand together.

use typenet_shape::{Activation, Conv2d, ConvTranspose2d};

use super::super::conv_transpose2d::back;
use super::super::conv2d::backward_axis;
use super::super::correlate::Axis;
use super::super::epilogue::Plus;
use super::super::fused::Fused;
use super::super::team::Team;
use super::super::{Isa, LANES, Lanes, activation};
use super::conv2d::{Forward, Pixels, images};
use super::layout::blocks;

/// Whether [`conv_transpose2d`] can run this: the outputs of one block must be of one group.
pub const fn runs_conv_transpose2d(g: &ConvTranspose2d) -> bool {
    g.groups == 1 || (g.out_channels / g.groups).is_multiple_of(LANES)
}

/// How many [`Lanes`] the packed weight and bias are.
pub const fn conv_transpose2d_packed_len(g: &ConvTranspose2d) -> usize {
    let kernel = g.kernel[0] * g.kernel[1];
    blocks(g.out_channels) * (1 + g.input.dim(0) / g.groups * kernel)
}

/// The two axes of each phase.
fn phases<'a>(
    g: &'a ConvTranspose2d,
    back: &'a Conv2d,
) -> impl Iterator<Item = [Axis; 2]> + use<'a> {
    let count = |axis: usize| g.stride[axis].min(back.input.dim(axis + 1));
    (0..count(0)).flat_map(move |top| {
        (0..count(1)).map(move |left| {
            [backward_axis(back, g.input, 0, top), backward_axis(back, g.input, 1, left)]
        })
    })
}

/// Packs `weight`, in PyTorch's order, and `bias` (zeros if there is none): first the biases, then
/// for each phase and block of output channels one [`Lanes`] for each input channel and tap.
///
/// # Panics
/// When the geometry breaks a rule of [`ConvTranspose2d::output`] or a slice has a wrong length.
pub fn pack_conv_transpose2d(
    g: &ConvTranspose2d,
    weight: &[f32],
    bias: Option<&[f32]>,
    packed: &mut [Lanes],
) {
    assert_eq!(weight.len(), g.weight().elements(), "the weight's length");
    assert_eq!(packed.len(), conv_transpose2d_packed_len(g), "the packed length");
    let back = back(g);
    let [kernel_height, kernel_width] = g.kernel;
    let (channels, outputs) = (g.input.dim(0) / g.groups, g.out_channels / g.groups);
    packed.fill(Lanes::ZERO);
    let (biases, mut weights) = packed.split_at_mut(blocks(g.out_channels));
    for [height, width] in phases(g, &back) {
        let block = channels * height.taps * width.taps;
        let (own, rest) = weights.split_at_mut(blocks(g.out_channels) * block);
        weights = rest;
        for o in 0..g.out_channels {
            let (group, of_group) = (o / outputs, o % outputs);
            for i in 0..channels {
                let from = (group * channels + i) * outputs + of_group;
                for (u, row) in taps(&height).enumerate() {
                    for (v, column) in taps(&width).enumerate() {
                        let tap = (i * height.taps + u) * width.taps + v;
                        own[o / LANES * block + tap].0[o % LANES] =
                            weight[(from * kernel_height + row) * kernel_width + column];
                    }
                }
            }
        }
    }
    if let Some(bias) = bias {
        assert_eq!(bias.len(), g.out_channels, "the bias's length");
        for (o, &b) in bias.iter().enumerate() {
            biases[o / LANES].0[o % LANES] = b;
        }
    }
}

/// The kernel's taps that an axis has, in its order.
fn taps(axis: &Axis) -> impl Iterator<Item = usize> + use<> {
    let Axis { first_weight, weight_step, taps, .. } = *axis;
    (0..taps).map(move |tap| first_weight.wrapping_add_signed(tap as isize * weight_step))
}

/// As [`forward`](super::super::conv_transpose2d::forward), of as many images as `y` holds; overwrites
/// `y`; `packed` comes from [`pack_conv_transpose2d`].
///
/// # Panics
/// When the geometry breaks a rule of [`ConvTranspose2d::output`] or [`runs_conv_transpose2d`] says
/// no, a slice has a wrong length, or this machine lacks `isa`.
pub fn conv_transpose2d(
    isa: Isa,
    team: &Team,
    g: &ConvTranspose2d,
    x: Pixels<'_>,
    packed: &[Lanes],
    other: Option<&[Lanes]>,
    f: Activation,
    y: &mut [Lanes],
) {
    let back = back(g);
    assert!(runs_conv_transpose2d(g), "groups of whole blocks");
    let size = [back.input.dim(1), back.input.dim(2)];
    let images = images(y.len(), blocks(g.out_channels) * size[0] * size[1]);
    assert_eq!(packed.len(), conv_transpose2d_packed_len(g), "the packed weight's length");
    let plus = Plus::value(other);
    plus.check(y.len());
    let (x, steps) = x.with_steps(g.input, images);
    let (bias, mut weights) = packed.split_at(blocks(g.out_channels));
    let (fused, after) = Fused::split(f);
    let (groups, channels) = (g.groups, g.input.dim(0) / g.groups);
    for [height, width] in phases(g, &back) {
        let kernel = [height.taps, width.taps];
        let (weight, rest) = weights.split_at(bias.len() * channels * kernel[0] * kernel[1]);
        weights = rest;
        let narrow = None;
        let of = Forward {
            groups,
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
            fused,
            narrow,
        };
        of.run(isa, team, size, y);
    }
    if let Some(f) = after {
        activation::forward_in_place(isa, f, y);
    }
}

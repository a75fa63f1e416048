//! Transposed convolution of one image.
//!
//! Places of the output that differ by a multiple of the stride are computed with the same taps, from
//! neighbouring places of the input. So each such *phase* is a correlation with the weights of those taps,
//! which stand together.

use typenet_shape::{Activation, ConvTranspose2d};

use super::super::conv_transpose2d::back;
use super::super::epilogue::Plus;
use super::super::fused::Fused;
use super::super::team::Team;
use super::super::{Isa, LANES, Lanes, activation};
use super::conv2d::Pixels;
use super::layout::blocks;
use super::phases::{Correlations, pack, packed_len, phases};

/// Whether [`conv_transpose2d`] can run this: the outputs of one block must be of one group.
pub const fn runs_conv_transpose2d(g: &ConvTranspose2d) -> bool {
    g.groups == 1 || (g.out_channels / g.groups).is_multiple_of(LANES)
}

/// How many [`Lanes`] the packed weight and bias are.
pub const fn conv_transpose2d_packed_len(g: &ConvTranspose2d) -> usize {
    packed_len(blocks(g.out_channels), g.input.dim(0) / g.groups, g.kernel)
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
    let (channels, outputs) = (g.input.dim(0) / g.groups, g.out_channels / g.groups);
    let (all, area) = (blocks(g.out_channels), g.kernel[0] * g.kernel[1]);
    let phases = phases(&back, g.input);
    pack(&Team::alone(), phases, [all, channels], packed, |block, i, [row, column], to| {
        let (group, first) = (block * LANES / outputs, block * LANES % outputs);
        let from = (group * channels + i) * outputs + first;
        let weight = &weight[from * area + row * g.kernel[1] + column..];
        for (lane, to) in to.0.iter_mut().enumerate().take(outputs - first) {
            *to = weight[lane * area];
        }
    });
    let biases = &mut packed[..all];
    if let Some(bias) = bias {
        assert_eq!(bias.len(), g.out_channels, "the bias's length");
        for (o, &b) in bias.iter().enumerate() {
            biases[o / LANES].0[o % LANES] = b;
        }
    }
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
    assert_eq!(packed.len(), conv_transpose2d_packed_len(g), "the packed weight's length");
    let plus = Plus::value(other);
    plus.check(y.len());
    let (fused, after) = Fused::split(f);
    let channels = [blocks(g.out_channels), g.input.dim(0) / g.groups];
    let of = Correlations { groups: g.groups, x, shape: g.input, fused, size };
    of.run(isa, team, phases(&back, g.input), channels, packed, plus, y);
    if let Some(f) = after {
        activation::forward_in_place(isa, f, y);
    }
}

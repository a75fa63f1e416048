//! Weights of a convolution, packed once after each change.

use typenet_shape::Conv2d;

use super::super::simd::{Kernel, Simd};
use super::super::team::{Team, chunks, chunks_mut};
use super::super::{Isa, LANES, Lanes};
use super::layout::{blocks, flat_mut};

/// How many [`Lanes`] the packed weight and bias are.
pub const fn conv2d_packed_len(g: &Conv2d) -> usize {
    let kernel = g.kernel[0] * g.kernel[1];
    blocks(g.out_channels) * (1 + g.input.dim(0) / g.groups * kernel)
}

/// Packs `weight`, in PyTorch's order, and `bias` (zeros if there is none): first the biases, then
/// for each block of output channels one [`Lanes`] for each input channel and tap.
///
/// # Panics
/// When a slice has a wrong length.
pub fn pack_conv2d(g: &Conv2d, weight: &[f32], bias: Option<&[f32]>, packed: &mut [Lanes]) {
    assert_eq!(weight.len(), g.weight().elements(), "the weight's length");
    assert_eq!(packed.len(), conv2d_packed_len(g), "the packed length");
    pack_rows(weight, bias, g.out_channels, packed);
}

/// Packs a matrix of weights, a row for each output, behind the biases: 16 rows side by side.
pub(super) fn pack_rows(
    weight: &[f32],
    bias: Option<&[f32]>,
    outputs: usize,
    packed: &mut [Lanes],
) {
    let row = weight.len() / outputs;
    let (biases, packed) = packed.split_at_mut(blocks(outputs));
    pack_bias(bias, outputs, biases);
    if row > 0 {
        let parts = weight.chunks(LANES * row).zip(packed.chunks_exact_mut(row));
        parts.for_each(|(rows, to)| pack_block(rows, to));
    }
}

/// Puts the bias (zeros if there is none) in front of packed weights.
pub(crate) fn pack_bias(bias: Option<&[f32]>, outputs: usize, to: &mut [Lanes]) {
    to.fill(Lanes::ZERO);
    if let Some(bias) = bias {
        assert_eq!(bias.len(), outputs, "the bias's length");
        flat_mut(to)[..outputs].copy_from_slice(bias);
    }
}

/// Packs up to 16 consecutive rows of weights side by side.
///
/// # Panics
/// When the weights are no whole rows of as many numbers as `to` is long.
pub fn pack_block(weight: &[f32], to: &mut [Lanes]) {
    let len = to.len();
    let mut rows: [&[f32]; LANES] = [&[]; LANES];
    assert!(weight.len() <= LANES * len && weight.len().is_multiple_of(len), "whole rows");
    for (row, weight) in rows.iter_mut().zip(weight.chunks_exact(len)) {
        *row = weight;
    }
    // A cache line of each row at a time: rows may be a multiple of 4 kB apart, so that few fit.
    for (piece, to) in to.chunks_mut(LANES).enumerate() {
        let mut square = [Lanes::ZERO; LANES];
        for (from, row) in square.iter_mut().zip(rows).filter(|(_, row)| !row.is_empty()) {
            from.0[..to.len()].copy_from_slice(&row[piece * LANES..][..to.len()]);
        }
        for (i, to) in to.iter_mut().enumerate() {
            to.0 = std::array::from_fn(|o| square[o].0[i]);
        }
    }
}

/// [`pack_conv2d`], shared out among the team.
///
/// # Panics
/// When a slice has a wrong length, or this machine lacks `isa`.
pub fn pack_conv2d_shared(
    isa: Isa,
    team: &Team,
    g: &Conv2d,
    weight: &[f32],
    bias: Option<&[f32]>,
    packed: &mut [Lanes],
) {
    assert_eq!(weight.len(), g.weight().elements(), "the weight's length");
    assert_eq!(packed.len(), conv2d_packed_len(g), "the packed length");
    let row = weight.len() / g.out_channels;
    let (biases, packed) = packed.split_at_mut(blocks(g.out_channels));
    pack_bias(bias, g.out_channels, biases);
    let parts = (chunks(weight, LANES * row), chunks_mut(packed, row));
    team.for_each(parts, |_, (weight, packed)| isa.run(Turn { row, weight, packed }));
}

/// Up to 16 rows of a weight, side by side.
struct Turn<'a> {
    row: usize,
    weight: &'a [f32],
    packed: &'a mut [Lanes],
}

impl Kernel for Turn<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Turn { row, weight, packed } = self;
        for (piece, packed) in packed.chunks_mut(LANES).enumerate() {
            let (mut rows, mut turned) = ([Lanes::ZERO; LANES], [Lanes::ZERO; LANES]);
            for (to, weight) in rows.iter_mut().zip(weight.chunks_exact(row)) {
                to.0[..packed.len()].copy_from_slice(&weight[piece * LANES..][..packed.len()]);
            }
            s.transpose(&rows, &mut turned);
            packed.copy_from_slice(&turned[..packed.len()]);
        }
    }
}

//! Weights of a convolution, packed once after each change.

use typenet_shape::Conv2d;

use super::super::simd::{Kernel, Simd};
use super::super::team::{Team, chunks, chunks_mut};
use super::super::{Isa, LANES, Lanes};
use super::layout::blocks;

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
    let row = weight.len() / g.out_channels;
    packed.fill(Lanes::ZERO);
    let (biases, weights) = packed.split_at_mut(blocks(g.out_channels));
    for (o, numbers) in weight.chunks_exact(row).enumerate() {
        for (to, &w) in weights[o / LANES * row..].iter_mut().zip(numbers) {
            to.0[o % LANES] = w;
        }
    }
    if let Some(bias) = bias {
        assert_eq!(bias.len(), g.out_channels, "the bias's length");
        for (o, &b) in bias.iter().enumerate() {
            biases[o / LANES].0[o % LANES] = b;
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
    biases.fill(Lanes::ZERO);
    if let Some(bias) = bias {
        assert_eq!(bias.len(), g.out_channels, "the bias's length");
        for (to, bias) in biases.iter_mut().zip(bias.chunks(LANES)) {
            to.0[..bias.len()].copy_from_slice(bias);
        }
    }
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

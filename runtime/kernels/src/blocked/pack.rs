//! Weights of a convolution packed once for each training step.

use typenet_shape::Conv2d;

use super::super::simd::{Kernel, Simd};
use super::super::team::{Team, chunks, chunks_mut};
use super::super::{Isa, LANES, Lanes};
use super::conv2d::conv2d_packed_len;
use super::layout::blocks;

/// [`pack_conv2d`](super::pack_conv2d), shared out among the team.
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

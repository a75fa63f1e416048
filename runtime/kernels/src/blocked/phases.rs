//! The correlations of a data gradient, or of a transposed convolution: one for each phase, the places of a
//! convolution's input that are read through the same taps. The weights of a phase stand together.

use typenet_shape::{Conv2d, Shape};

use super::super::conv2d::backward_axis;
use super::super::correlate::Axis;
use super::super::epilogue::Plus;
use super::super::fused::Fused;
use super::super::team::{Team, chunks_mut};
use super::super::{Isa, Lanes};
use super::conv2d::{Forward, Pixels, images};

/// The two axes of each phase of a convolution with this output.
pub(super) fn phases(
    g: &Conv2d,
    output: Shape,
) -> impl Iterator<Item = [Axis; 2]> + Clone + use<'_> {
    let count = |axis: usize| g.stride[axis].min(g.input.dim(axis + 1));
    let phase =
        move |top, left| [backward_axis(g, output, 0, top), backward_axis(g, output, 1, left)];
    (0..count(0)).flat_map(move |top| (0..count(1)).map(move |left| phase(top, left)))
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
    pub(super) x: Pixels<'a>,
    /// The shape of an image of `x`.
    pub(super) shape: Shape,
    pub(super) fused: Fused,
    /// Rows and columns of what is computed.
    pub(super) size: [usize; 2],
}

impl Correlations<'_> {
    /// Computes `y` of so many blocks of channels, from so many channels of `x` each; `packed` comes from [`pack`],
    /// with a bias or zeros.
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
        let (x, steps) = self.x.with_steps(self.shape, images);
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
                fused: self.fused,
                narrow: None,
            };
            of.run(isa, team, self.size, y);
        }
    }
}

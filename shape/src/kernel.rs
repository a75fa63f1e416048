//! Which kernel runs a convolution on 16 images side by side, and the memory it needs for that.

use crate::{Conv2d, Shape};

/// A kernel of a convolution.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conv2dKernel {
    /// Products of weights and numbers as they are. It runs every convolution.
    Direct,
    /// Winograd's F(2×2, 3×3): 16 products for tiles of 2×2 outputs, in place of 36.
    Winograd2,
    /// Winograd's F(4×4, 3×3): 36 products for tiles of 4×4 outputs, in place of 144.
    Winograd4,
}

/// What a kernel computes; as a number, its place in arrays of one entry a pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conv2dPass {
    /// The output.
    Forward,
    /// The gradient of the input.
    BackwardData,
    /// The gradient of the weight.
    BackwardWeight,
}

/// How Winograd's algorithm cuts a pass into pieces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tiling {
    /// Outputs of a tile along an axis.
    pub tile: usize,
    /// Channels that the pass reads.
    pub in_channels: usize,
    /// Channels that it writes; for the weight's gradient those of the output.
    pub out_channels: usize,
    /// Height and width of what is cut into tiles.
    pub outputs: [usize; 2],
    /// Rows and columns of tiles.
    pub tiles: [usize; 2],
    /// So many tiles are transformed before they are multiplied.
    pub together: usize,
    /// So many output channels are multiplied before they are transformed back.
    pub channels: usize,
}

/// Room for transformed tiles, so that they stay in the second-level cache beside the weights.
const TILES_LEN: usize = 600 << 10;

/// The most numbers of a transformed weight's gradient: it stands once for each slot of images.
const MOST_SUMS: usize = 5 << 19;

/// What transforming a weight or its gradient costs for each pair of channels, in multiply-adds of 16
/// images, shared by the few groups of a usual batch.
const WEIGHT_COST: usize = 16;

impl Conv2dKernel {
    /// The kernel for a pass: of those that can run it the one with the least work, in multiply-adds
    /// of 16 images. What transforms cost was measured (`docs/kernels.md`).
    pub const fn choose(g: &Conv2d, pass: Conv2dPass) -> Conv2dKernel {
        let (mut best, mut least) = (Conv2dKernel::Direct, usize::MAX);
        let all = [Conv2dKernel::Direct, Conv2dKernel::Winograd2, Conv2dKernel::Winograd4];
        let mut i = 0;
        while i < all.len() {
            let fits = !matches!(pass, Conv2dPass::BackwardWeight)
                || all[i].weight_sums_len(g) <= MOST_SUMS;
            if all[i].runs(g) && fits && all[i].work(g) < least {
                (best, least) = (all[i], all[i].work(g));
            }
            i += 1;
        }
        best
    }

    /// The work of a pass, in multiply-adds of 16 images.
    const fn work(self, g: &Conv2d) -> usize {
        let channels = g.input.dim(0).saturating_mul(g.out_channels);
        match self.tiling(g, Conv2dPass::Forward) {
            Some(tiling) => {
                let tiles = tiling.tiles[0] * tiling.tiles[1];
                // For each number of a tile and each channel, in and out.
                let transform = tiling.tile * tiling.tile * if tiling.tile == 2 { 16 } else { 12 };
                let products = (tiles * tiling.points() + WEIGHT_COST).saturating_mul(channels);
                products.saturating_add(tiles * transform * (g.input.dim(0) + g.out_channels))
            }
            None => (taps(g, 0) * taps(g, 1)).saturating_mul(channels / g.groups),
        }
    }

    /// What it is called in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Conv2dKernel::Direct => "direct",
            Conv2dKernel::Winograd2 => "Winograd 2×2",
            Conv2dKernel::Winograd4 => "Winograd 4×4",
        }
    }

    /// Whether this kernel can run a convolution.
    pub const fn runs(self, g: &Conv2d) -> bool {
        match self {
            Conv2dKernel::Direct => true,
            Conv2dKernel::Winograd2 | Conv2dKernel::Winograd4 => {
                matches!((g.kernel, g.stride, g.dilation), ([3, 3], [1, 1], [1, 1]))
                    && g.groups == 1
                    && g.output().is_ok()
            }
        }
    }

    /// The pieces of a pass; `None` where this is no Winograd kernel or cannot run the convolution.
    pub const fn tiling(self, g: &Conv2d, pass: Conv2dPass) -> Option<Tiling> {
        let tile = match self {
            Conv2dKernel::Direct => return None,
            Conv2dKernel::Winograd2 => 2,
            Conv2dKernel::Winograd4 => 4,
        };
        let Ok(output) = g.output() else { return None };
        if !self.runs(g) {
            return None;
        }
        let (from, to) = match pass {
            Conv2dPass::Forward | Conv2dPass::BackwardWeight => (g.input, output),
            Conv2dPass::BackwardData => (output, g.input),
        };
        Some(Tiling::new(tile, from, to, pass))
    }

    /// Numbers of the transformed weights, for the output and for the input's gradient.
    pub const fn transformed_len(self, g: &Conv2d) -> usize {
        match self.tiling(g, Conv2dPass::Forward) {
            Some(tiling) => tiling.points() * tiling.in_channels * tiling.out_channels,
            None => 0,
        }
    }

    /// Numbers of the transformed gradient of the weight.
    pub const fn weight_sums_len(self, g: &Conv2d) -> usize {
        match self.tiling(g, Conv2dPass::BackwardWeight) {
            Some(tiling) => tiling.points() * tiling.in_channels * tiling.padded_out_channels(),
            None => 0,
        }
    }

    /// Numbers of 16 images that a pass needs for itself while it runs.
    pub const fn scratch_len(self, g: &Conv2d, pass: Conv2dPass) -> usize {
        match self.tiling(g, pass) {
            Some(tiling) => tiling.scratch_len(pass),
            None => 0,
        }
    }
}

impl Tiling {
    const fn new(tile: usize, from: Shape, to: Shape, pass: Conv2dPass) -> Tiling {
        let [in_channels, out_channels] = [from.dim(0), to.dim(0)];
        let outputs = [to.dim(1), to.dim(2)];
        let tiles = [outputs[0].div_ceil(tile), outputs[1].div_ceil(tile)];
        let count = tiles[0] * tiles[1];
        let points = (tile + 2) * (tile + 2);
        let room = TILES_LEN / (points * in_channels * 64);
        let (together, channels) = match pass {
            _ if room >= 2 => (room, 12),
            _ => (4, out_channels),
        };
        // As even as can be.
        let together = if together > 8 { 8 } else { together / 2 * 2 };
        let together = count.div_ceil(count.div_ceil(together));
        let channels = out_channels.div_ceil(out_channels.div_ceil(channels));
        Tiling { tile, in_channels, out_channels, outputs, tiles, together, channels }
    }

    /// Products of a tile for each pair of channels.
    pub const fn points(&self) -> usize {
        (self.tile + 2) * (self.tile + 2)
    }

    /// Whole vectors of 16 output channels, for the weight's gradient.
    pub const fn padded_out_channels(&self) -> usize {
        self.out_channels.next_multiple_of(16)
    }

    /// From a point to the next among transformed tiles of so many channels. The odd one keeps the
    /// points of a tile from falling onto the same lines of a cache.
    pub const fn point_step(&self, channels: usize) -> usize {
        channels * self.together + 1
    }

    const fn scratch_len(&self, pass: Conv2dPass) -> usize {
        let products = match pass {
            Conv2dPass::Forward | Conv2dPass::BackwardData => self.channels,
            Conv2dPass::BackwardWeight => self.padded_out_channels(),
        };
        self.points() * (self.point_step(self.in_channels) + self.point_step(products))
    }
}

/// How many taps of all outputs along an axis lie inside the input.
const fn taps(g: &Conv2d, axis: usize) -> usize {
    let Ok(output) = g.output() else { return 0 };
    let (mut taps, mut output_at) = (0, 0);
    while output_at < output.dim(axis + 1) {
        let mut tap = 0;
        while tap < g.kernel[axis] {
            let at = output_at * g.stride[axis] + tap * g.dilation[axis];
            if at >= g.padding[axis] && at - g.padding[axis] < g.input.dim(axis + 1) {
                taps += 1;
            }
            tap += 1;
        }
        output_at += 1;
    }
    taps
}

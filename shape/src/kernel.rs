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

/// What a kernel computes.
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
    /// So many output channels are multiplied before they are transformed back, at most.
    pub channels: usize,
}

/// Bytes of transformed tiles that stay in the second-level cache beside the weights' stream.
const TILES_FORWARD: usize = 600 << 10;

/// Bytes of transformed tiles for a weight's gradient. There the sums are the longer way for every
/// product, so that many tiles should share it.
const TILES_WEIGHT: usize = 10 << 20;

/// The fewest tiles that fill the registers beside one block of weights, and the most that pay.
const TOGETHER: [usize; 2] = [2, 8];

/// Output channels whose sums of two vectors fill the most registers there are.
const CHANNELS: usize = 12;

impl Conv2dKernel {
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

    /// Vectors of 16 numbers of the transformed gradient of the weight.
    pub const fn weight_sums_len(self, g: &Conv2d) -> usize {
        match self.tiling(g, Conv2dPass::BackwardWeight) {
            Some(tiling) => {
                tiling.points() * tiling.in_channels * tiling.padded_out_channels() / 16
            }
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
        let bytes = points * size_of::<[f32; 16]>();
        let room = match pass {
            Conv2dPass::Forward | Conv2dPass::BackwardData => TILES_FORWARD / (bytes * in_channels),
            Conv2dPass::BackwardWeight => TILES_WEIGHT / (bytes * (in_channels + out_channels)),
        };
        let most = if room > TOGETHER[1] { TOGETHER[1] } else { room };
        let most = if most < TOGETHER[0] { TOGETHER[0] } else { most };
        // As even as can be, in pairs.
        let together = count.div_ceil(count.div_ceil(most)).next_multiple_of(2);
        let together = if together > count { count } else { together };
        let channels = out_channels.div_ceil(out_channels.div_ceil(CHANNELS));
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

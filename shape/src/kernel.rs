//! Which kernel runs a convolution on 16 images side by side, and the memory it needs for that.

mod taps_in_lanes;

pub use taps_in_lanes::TapsInLanes;

use crate::counts::{product, sum, whole_vectors};
use crate::{Conv2d, Shape};

/// A kernel that computes a convolution.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conv2dKernel {
    /// Multiplies weights and values as they are. It runs every convolution.
    Direct,
    /// A 1×1 convolution as a product of two matrices: the weights, and the values, which it packs.
    Gemm,
    /// Winograd's F(2×2, 3×3): 16 products for tiles of 2×2 outputs, in place of 36; or F(2×2, 5×5): 36
    /// products in place of 100.
    Winograd2,
    /// Winograd's F(4×4, 3×3): 36 products for tiles of 4×4 outputs, in place of 144.
    Winograd4,
}

/// Which pass of a convolution a kernel computes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conv2dPass {
    /// The output.
    Forward,
    /// The gradient of the input.
    BackwardData,
    /// The gradient of the weight.
    BackwardWeight,
}

/// How Winograd's algorithm cuts a pass into tiles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tiling {
    /// How many outputs a tile has along an axis.
    pub tile: usize,
    /// Taps of the convolution along an axis: 3, or 5 for tiles of 2.
    pub kernel: usize,
    /// Channels that the pass reads.
    pub in_channels: usize,
    /// Channels that it writes; for the weight's gradient those of the output.
    pub out_channels: usize,
    /// Height and width of what is cut into tiles.
    pub outputs: [usize; 2],
    /// Rows and columns of tiles.
    pub tiles: [usize; 2],
    /// How many tiles are transformed before they are multiplied.
    pub together: usize,
    /// The most output channels that are multiplied before they are transformed back.
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

/// The most vectors of a transformed weight's gradient, 10 MB: it stands once for each slot of images.
const MOST_SUMS: usize = 160 << 10;

/// Vectors of 16 numbers from which on weights come from memory rather than from a cache, 8 MB.
const FAR: u64 = 128 << 10;

impl Conv2dKernel {
    /// What it is called in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Conv2dKernel::Direct => "direct",
            Conv2dKernel::Gemm => "1×1 as GEMM",
            Conv2dKernel::Winograd2 => "Winograd 2×2",
            Conv2dKernel::Winograd4 => "Winograd 4×4",
        }
    }

    /// Whether this kernel can run a convolution.
    pub const fn runs(self, g: &Conv2d) -> bool {
        match self {
            Conv2dKernel::Direct => true,
            Conv2dKernel::Gemm => is_pointwise(g) && g.output().is_ok(),
            Conv2dKernel::Winograd2 | Conv2dKernel::Winograd4 => {
                self.tile(g).is_some() && g.output().is_ok()
            }
        }
    }

    /// Whether it can run this pass of a convolution.
    pub const fn runs_pass(self, g: &Conv2d, pass: Conv2dPass) -> bool {
        let has_stride = !matches!(g.stride, [1, 1]);
        match (self, pass) {
            (Conv2dKernel::Gemm, Conv2dPass::BackwardData) if has_stride => false,
            _ => self.runs(g),
        }
    }

    /// How many positions [`Gemm`](Conv2dKernel::Gemm) packs at a time: enough to share the weights, and few
    /// enough for the second-level cache.
    pub const fn positions(g: &Conv2d, pass: Conv2dPass) -> usize {
        let channels = match pass {
            Conv2dPass::Forward => g.input.dim(0),
            Conv2dPass::BackwardData => g.out_channels,
            Conv2dPass::BackwardWeight => g.input.dim(0).midpoint(g.out_channels),
        };
        match 4096usize.checked_div(channels) {
            Some(0..8) => 8,
            Some(most @ 8..32) => most / 2 * 2,
            _ => 32,
        }
    }

    /// The tiles of a pass; `None` where this is no Winograd kernel or cannot run the convolution.
    pub const fn tiling(self, g: &Conv2d, pass: Conv2dPass) -> Option<Tiling> {
        match g.output() {
            Ok(output) => self.tiling_of(g, output, pass),
            Err(_) => None,
        }
    }

    /// [`tiling`](Self::tiling) where the output's shape is known.
    const fn tiling_of(self, g: &Conv2d, output: Shape, pass: Conv2dPass) -> Option<Tiling> {
        let Some(tile) = self.tile(g) else { return None };
        let (from, to) = match pass {
            Conv2dPass::Forward | Conv2dPass::BackwardWeight => (g.input, output),
            Conv2dPass::BackwardData => (output, g.input),
        };
        Some(Tiling::new(tile, g.kernel[0], from, to, pass))
    }

    /// Outputs of a tile along an axis; `None` where this is no Winograd kernel or does not compute
    /// convolutions of these numbers, whatever their sizes are.
    const fn tile(self, g: &Conv2d) -> Option<usize> {
        if !matches!((g.stride, g.dilation, g.groups), ([1, 1], [1, 1], 1)) {
            return None;
        }
        match (self, g.kernel) {
            (Conv2dKernel::Winograd2, [3, 3] | [5, 5]) => Some(2),
            (Conv2dKernel::Winograd4, [3, 3]) => Some(4),
            _ => None,
        }
    }

    /// The kernel that takes the least time for a pass, by [`cost`](Self::cost). A Winograd kernel must be
    /// faster by a tenth, because it needs more memory and is less exact.
    ///
    /// For benchmarks, the environment variable `TYPENET_CONV2D` (`direct`, `gemm`, `winograd2`, `winograd4`)
    /// at compile time forces this kernel on all convolutions that it can run.
    pub const fn choose(g: &Conv2d, pass: Conv2dPass) -> Conv2dKernel {
        if let Some(forced) = FORCED
            && forced.runs_pass(g, pass)
        {
            return forced;
        }
        // Without costs, since constants are evaluated slowly.
        if is_pointwise(g) {
            let gemm = Conv2dKernel::Gemm.runs_pass(g, pass) && does_packing_pay(g);
            return if gemm { Conv2dKernel::Gemm } else { Conv2dKernel::Direct };
        }
        if Conv2dKernel::Winograd2.tile(g).is_none() {
            return Conv2dKernel::Direct;
        }
        let Ok(output) = g.output() else { return Conv2dKernel::Direct };
        let [four, two] = [
            Conv2dKernel::Winograd4.cost_if_it_fits(g, output, pass),
            Conv2dKernel::Winograd2.cost_if_it_fits(g, output, pass),
        ];
        let direct = Conv2dKernel::Direct.cost_of(g, output, pass);
        Conv2dKernel::of_least_cost(direct, [four, two])
    }

    /// [`cost`](Self::cost), unless the sums of the weight's gradient are too long.
    const fn cost_if_it_fits(self, g: &Conv2d, output: Shape, pass: Conv2dPass) -> u64 {
        match (pass, self.tiling_of(g, output, pass)) {
            (Conv2dPass::BackwardWeight, Some(tiling)) if tiling.weight_sums_len() > MOST_SUMS => {
                u64::MAX
            }
            (_, Some(tiling)) => tiling.cost(pass),
            (_, None) => u64::MAX,
        }
    }

    /// Of the direct kernel and Winograd's, of tiles of 4 and of 2.
    const fn of_least_cost(direct: u64, [four, two]: [u64; 2]) -> Conv2dKernel {
        let bar = direct / 10 * 9;
        if four < bar && four <= two {
            Conv2dKernel::Winograd4
        } else if two < bar {
            Conv2dKernel::Winograd2
        } else {
            Conv2dKernel::Direct
        }
    }

    /// The estimated cycles of a pass for 16 images, on a core that multiplies and adds 16 numbers a cycle;
    /// [`u64::MAX`] where this kernel cannot run the convolution.
    ///
    /// The constants are measured with AVX-512; AVX2 and the same vectors in two halves keep the order of the
    /// kernels. Transformed weights are assumed to serve four groups of 16 images.
    pub const fn cost(self, g: &Conv2d, pass: Conv2dPass) -> u64 {
        match g.output() {
            Ok(output) => self.cost_of(g, output, pass),
            Err(_) => u64::MAX,
        }
    }

    const fn cost_of(self, g: &Conv2d, output: Shape, pass: Conv2dPass) -> u64 {
        if matches!(self, Conv2dKernel::Direct) {
            let pairs = [(g.input.dim(0) / g.groups) as u64, g.out_channels as u64];
            let taps = [taps_inside(g, output, 0), taps_inside(g, output, 1)];
            let products = product([taps[0], taps[1], pairs[0], pairs[1]]);
            return match pass {
                Conv2dPass::Forward => sum([products, product([5, output.elements() as u64])]),
                Conv2dPass::BackwardData => {
                    sum([products, product([5, g.input.elements() as u64])])
                }
                Conv2dPass::BackwardWeight => {
                    sum([product([products / 10, 11]), product([4, output.elements() as u64])])
                }
            };
        }
        match self.tiling_of(g, output, pass) {
            Some(tiling) => tiling.cost(pass),
            None => u64::MAX,
        }
    }

    /// The kernel that takes the least time for one image alone, by [`cost_for_one`](Self::cost_for_one).
    pub const fn choose_for_one(g: &Conv2d) -> Conv2dKernel {
        let [direct, four, two] = [
            Conv2dKernel::Direct.cost_for_one(g),
            Conv2dKernel::Winograd4.cost_for_one(g),
            Conv2dKernel::Winograd2.cost_for_one(g),
        ];
        Conv2dKernel::of_least_cost(direct, [four, two])
    }

    /// The estimated cycles for the output of one image with 16 channels side by side, on a core that
    /// multiplies and adds 16 numbers a cycle; [`u64::MAX`] where this kernel cannot run the convolution.
    pub const fn cost_for_one(self, g: &Conv2d) -> u64 {
        let Ok(output) = g.output() else { return u64::MAX };
        let (ins, outs) = (g.input.dim(0) as u64, g.out_channels.div_ceil(16) as u64);
        let Some(tiling) = self.tiling_of(g, output, Conv2dPass::Forward) else {
            if !matches!(self, Conv2dKernel::Direct) {
                return u64::MAX;
            }
            let taps = [taps_inside(g, output, 0), taps_inside(g, output, 1)];
            let products = product([taps[0], taps[1], ins / g.groups as u64, outs]);
            return product([products / 10, 12]);
        };
        let tiles = tiling.count() as u64;
        let transforms = product([tiles, tiling.transforms(ins.div_ceil(16), outs)]);
        // Few tiles wait for the weights, the longer the farther these are.
        let weights = product([tiling.points() as u64, ins, outs]);
        let wait = if weights > FAR { 8 } else { 4 };
        let products = product([weights, if tiles < wait { wait } else { tiles }]);
        sum([transforms, product([products / 10, 11])])
    }

    /// The kernel that takes the least time, by [`cost_of_images`](Self::cost_of_images), for a pass of a
    /// training step of `images` images with 16 channels side by side.
    pub const fn choose_for_images(g: &Conv2d, pass: Conv2dPass, images: usize) -> Conv2dKernel {
        if Conv2dKernel::Winograd2.tile(g).is_none() {
            return Conv2dKernel::Direct;
        }
        let [direct, four, two] = [
            Conv2dKernel::Direct.cost_of_images(g, pass, images),
            Conv2dKernel::Winograd4.cost_of_images(g, pass, images),
            Conv2dKernel::Winograd2.cost_of_images(g, pass, images),
        ];
        Conv2dKernel::of_least_cost(direct, [four, two])
    }

    /// The estimated cycles for a pass of a training step of `images` images with 16 channels side by side, on
    /// a core that multiplies and adds 16 numbers a cycle. The weights are packed for this step. [`u64::MAX`]
    /// where this kernel cannot run the convolution.
    pub const fn cost_of_images(self, g: &Conv2d, pass: Conv2dPass, images: usize) -> u64 {
        let Ok(output) = g.output() else { return u64::MAX };
        let images = images as u64;
        let Some(tiling) = self.tiling_of(g, output, pass) else {
            if !matches!(self, Conv2dKernel::Direct) {
                return u64::MAX;
            }
            let (ins, outs) = match (pass, TapsInLanes::new(g)) {
                (Conv2dPass::BackwardData, Some(taps)) => {
                    return taps.cost(g, output, images);
                }
                (Conv2dPass::BackwardData, None) => (g.out_channels, g.input.dim(0)),
                _ => (g.input.dim(0), g.out_channels),
            };
            let taps = [taps_inside(g, output, 0), taps_inside(g, output, 1)];
            let pairs = product([(ins / g.groups) as u64, outs.div_ceil(16) as u64]);
            let products = product([product([taps[0], taps[1]]), pairs, images]);
            return product([products / 10, 12]);
        };
        let tiles = product([tiling.count() as u64, images]);
        let (ins, outs) = (tiling.in_channels as u64, tiling.out_channels.div_ceil(16) as u64);
        let transforms = product([tiles, tiling.transforms(ins.div_ceil(16), outs)]);
        // Beside the products of a point there are loads of its tile, and stores of sums.
        let products = product([tiling.points() as u64, ins + 2, outs, tiles]);
        // The transformed weights, or their gradients, are written once and read once, from far.
        let weights = product([ins, outs, sum([product([8, tiling.points() as u64]), 100])]);
        sum([transforms, product([products / 10, 11]), weights])
    }

    /// How many numbers the transformed weights have, for the output and for the input's gradient; 0 where
    /// nothing is transformed.
    pub const fn transformed_len(self, g: &Conv2d) -> usize {
        match self.tiling(g, Conv2dPass::Forward) {
            Some(tiling) => tiling.transformed_len(),
            None => 0,
        }
    }

    /// How many vectors of 16 numbers the transformed gradient of the weight has; 0 where nothing is
    /// transformed.
    pub const fn weight_sums_len(self, g: &Conv2d) -> usize {
        match self.tiling(g, Conv2dPass::BackwardWeight) {
            Some(tiling) => tiling.weight_sums_len(),
            None => 0,
        }
    }

    /// How much scratch memory a pass needs while it runs, in vectors of 16 numbers.
    pub const fn scratch_len(self, g: &Conv2d, pass: Conv2dPass) -> usize {
        if matches!(self, Conv2dKernel::Gemm) && self.runs_pass(g, pass) {
            let (ins, outs) = (g.input.dim(0), g.out_channels);
            let positions = Conv2dKernel::positions(g, pass);
            return match pass {
                Conv2dPass::Forward => ins.saturating_mul(positions + 1),
                Conv2dPass::BackwardData => outs.saturating_mul(positions + 1),
                Conv2dPass::BackwardWeight => {
                    let packed = whole_vectors(ins).saturating_mul(positions);
                    outs.saturating_mul(positions + 1).saturating_add(packed)
                }
            };
        }
        match self.tiling(g, pass) {
            Some(tiling) => tiling.scratch_len(pass),
            None => 0,
        }
    }
}

/// See [`Conv2dKernel::choose`].
const FORCED: Option<Conv2dKernel> = match option_env!("TYPENET_CONV2D") {
    None => None,
    Some(name) => match name.as_bytes() {
        b"" => None,
        b"direct" => Some(Conv2dKernel::Direct),
        b"gemm" => Some(Conv2dKernel::Gemm),
        b"winograd2" => Some(Conv2dKernel::Winograd2),
        b"winograd4" => Some(Conv2dKernel::Winograd4),
        _ => panic!("TYPENET_CONV2D is direct, gemm, winograd2 or winograd4"),
    },
};

/// Whether packing costs less than it spares: 32 channels on both sides share it. Fewer are about as fast
/// without, or slower by a tenth, by the set of instructions.
const fn does_packing_pay(g: &Conv2d) -> bool {
    g.input.dim(0) >= 32 && g.out_channels >= 32
}

/// Whether a convolution is a product of matrices.
const fn is_pointwise(g: &Conv2d) -> bool {
    matches!((g.kernel, g.padding, g.extra, g.groups), ([1, 1], [0, 0], [0, 0], 1))
}

impl Tiling {
    const fn new(tile: usize, kernel: usize, from: Shape, to: Shape, pass: Conv2dPass) -> Tiling {
        let [in_channels, out_channels] = [from.dim(0), to.dim(0)];
        let outputs = [to.dim(1), to.dim(2)];
        let tiles = [outputs[0].div_ceil(tile), outputs[1].div_ceil(tile)];
        let count = Shape::new(&tiles).elements();
        let side = tile + kernel - 1;
        let points = side * side;
        let bytes = points * size_of::<[f32; 16]>();
        let room = match pass {
            Conv2dPass::Forward | Conv2dPass::BackwardData => TILES_FORWARD / bytes / in_channels,
            Conv2dPass::BackwardWeight => {
                TILES_WEIGHT / bytes / in_channels.saturating_add(out_channels)
            }
        };
        let most = if room > TOGETHER[1] { TOGETHER[1] } else { room };
        let most = if most < TOGETHER[0] { TOGETHER[0] } else { most };
        // As even as can be, in pairs.
        let together = count.div_ceil(count.div_ceil(most)).next_multiple_of(2);
        let together = if together > count { count } else { together };
        let channels = out_channels.div_ceil(out_channels.div_ceil(CHANNELS));
        Tiling { tile, kernel, in_channels, out_channels, outputs, tiles, together, channels }
    }

    /// Cycles of one tile's transforms: to the points, of so many vectors of channels or images, and
    /// back from them.
    const fn transforms(&self, ins: u64, outs: u64) -> u64 {
        let [to, back] = match (self.tile, self.kernel) {
            (2, 3) => [70, 60],
            (2, _) => [250, 100],
            _ => [250, 200],
        };
        sum([product([to, ins]), product([back, outs])])
    }

    /// [`Conv2dKernel::cost`] of a pass in these pieces.
    const fn cost(&self, pass: Conv2dPass) -> u64 {
        let tiles = self.count() as u64;
        let points = self.points() as u64;
        let ins = self.in_channels as u64;
        let outs = match pass {
            Conv2dPass::BackwardWeight => self.padded_out_channels() as u64,
            Conv2dPass::Forward | Conv2dPass::BackwardData => self.out_channels as u64,
        };
        let transforms = product([tiles, self.transforms(ins, outs)]);
        let weights = product([points, ins, outs]);
        let products = product([product([weights, tiles]) / 10, 11]);
        let sums = match pass {
            // Each block of tiles reads and writes all of them.
            Conv2dPass::BackwardWeight => {
                product([weights / 16, 12, tiles.div_ceil(self.together as u64)])
            }
            Conv2dPass::Forward | Conv2dPass::BackwardData => 0,
        };
        sum([transforms, products, weights / 4, sums])
    }

    /// How many tiles there are.
    const fn count(&self) -> usize {
        Shape::new(&self.tiles).elements()
    }

    /// [`Conv2dKernel::transformed_len`].
    pub(crate) const fn transformed_len(&self) -> usize {
        Shape::new(&[self.points(), self.in_channels, self.out_channels]).elements()
    }

    /// [`Conv2dKernel::weight_sums_len`].
    pub(crate) const fn weight_sums_len(&self) -> usize {
        // The last factor is whole vectors.
        Shape::new(&[self.points(), self.in_channels, self.out_channels.div_ceil(16)]).elements()
    }

    /// How many products a tile takes for each pair of an input and an output channel.
    pub const fn points(&self) -> usize {
        let side = self.tile + self.kernel - 1;
        side * side
    }

    /// The output channels rounded up to a multiple of 16, for the weight's gradient.
    pub const fn padded_out_channels(&self) -> usize {
        whole_vectors(self.out_channels)
    }

    /// The distance from a point to the next among transformed tiles of `channels` channels. The extra 1 keeps
    /// the points of a tile from falling onto the same cache lines.
    pub const fn point_step(&self, channels: usize) -> usize {
        channels.saturating_mul(self.together).saturating_add(1)
    }

    /// [`Conv2dKernel::scratch_len`].
    pub(crate) const fn scratch_len(&self, pass: Conv2dPass) -> usize {
        let products = match pass {
            Conv2dPass::Forward | Conv2dPass::BackwardData => self.channels,
            Conv2dPass::BackwardWeight => self.padded_out_channels(),
        };
        let steps = self.point_step(self.in_channels).saturating_add(self.point_step(products));
        steps.saturating_mul(self.points())
    }
}

/// Pairs of an output and a tap along an axis where the tap is not in the padding.
const fn taps_inside(g: &Conv2d, output: Shape, axis: usize) -> u64 {
    let (mut count, mut tap) = (0u64, 0);
    while tap < g.kernel[axis] {
        let (stride, offset) = (g.stride[axis], g.dilation[axis].saturating_mul(tap));
        let (size, padding) = (g.input.dim(axis + 1), g.padding[axis]);
        let first = padding.saturating_sub(offset).div_ceil(stride);
        let behind = size.saturating_add(padding).saturating_sub(offset).div_ceil(stride);
        let outputs = output.dim(axis + 1);
        let behind = if behind > outputs { outputs } else { behind };
        count = count.saturating_add(behind.saturating_sub(first) as u64);
        tap += 1;
    }
    count
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests;

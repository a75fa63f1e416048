//! Input gradients of few channels, with the channels of an image side by side.

use super::taps_inside;
use crate::counts::{product, sum};
use crate::{Conv2d, Shape};

/// Cycles to add what a tap adds to a place of the input.
const ADDITION: u64 = 6;

/// How the input gradient of a convolution of few channels fills 16 lanes: the taps of a row of the kernel
/// stand beside each other, each with its channels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TapsInLanes {
    /// Taps of a block of 16 lanes.
    pub taps: usize,
    /// Blocks that hold a row of the kernel.
    pub blocks: usize,
}

impl TapsInLanes {
    /// `None` with more than 8 channels or several groups, or where the additions cost more than the products that
    /// they save.
    pub const fn new(g: &Conv2d) -> Option<TapsInLanes> {
        let [height, width] = g.kernel;
        let taps = match 16usize.checked_div(g.input.dim(0)) {
            Some(taps) if taps > 1 && g.groups == 1 => taps,
            _ => return None,
        };
        let blocks = width.div_ceil(taps);
        // For a row of outputs.
        let saved = product([g.out_channels as u64, height as u64, (width - blocks) as u64]);
        if saved < product([ADDITION, width as u64, g.stride[0] as u64]) {
            return None;
        }
        Some(TapsInLanes { taps, blocks })
    }

    /// Cycles for the gradient of so many images.
    pub(super) const fn cost(&self, g: &Conv2d, output: Shape, images: u64) -> u64 {
        let columns = output.dim(2) as u64;
        let blocks = product([g.out_channels as u64, self.blocks as u64]);
        let products = product([taps_inside(g, output, 0), columns, blocks]);
        let additions = product([g.input.dim(1) as u64, columns, g.kernel[1] as u64]);
        product([images, sum([products / 10 * 12, product([ADDITION, additions])])])
    }
}

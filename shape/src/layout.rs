//! In which layout a batch of images runs: 16 images side by side (interleaved), or 16 channels of one image
//! (blocked).

use crate::counts::{product, sum};
use crate::{Conv2dKernel, Conv2dPass, Graph, Op, Shape};

/// The estimated cycles of inference in each layout, on a core that multiplies and adds 16 numbers a cycle.
///
/// The constants are fitted to the nets of the zoo and to small ones on a core with AVX-512; AVX2 keeps
/// their order. They say which layout is faster, not how long it takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LayoutCosts {
    /// The cycles of one group of 16 images side by side, also where it is not full.
    pub group: u64,
    /// The cycles of one image with 16 channels side by side.
    pub image: u64,
}

/// How many images of a batch run in each layout.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shares {
    /// How many run in groups of 16 side by side: the first images of the batch. The last group may not be
    /// full.
    pub grouped: usize,
    /// How many run with 16 channels of an image side by side.
    pub blocked: usize,
}

/// Images in a group.
const GROUP: usize = 16;

/// [`GROUP`] numbers that stay in the second-level cache from one layer to the next.
const NEAR: u64 = (1 << 20) / 64;

/// An image of at least this many cycles takes long: some milliseconds.
const LONG: u64 = 10_000_000;

/// Cycles to begin a layer.
const BEGIN: u64 = 150;

impl LayoutCosts {
    /// Estimates a net. `shapes` are the output shapes of its nodes.
    ///
    /// # Panics
    /// When there are not as many shapes as nodes.
    pub const fn new(graph: &Graph<'_>, shapes: &[Shape]) -> LayoutCosts {
        let mut costs = LayoutCosts { group: 0, image: 0 };
        let mut index = 0;
        while index < graph.nodes.len() {
            let node = &graph.nodes[index];
            if let [first, ..] = node.inputs
                && !node.op.keeps_numbers()
            {
                let (input, output) = (shapes[*first], shapes[index]);
                costs.group = sum([costs.group, group_cost(&node.op, input, output)]);
                costs.image = sum([costs.image, image_cost(&node.op, input, output)]);
            }
            index += 1;
        }
        costs
    }

    /// How a batch of `images` images is split between the layouts. The size of the batch decides, never the
    /// number of threads: the last bits of the results depend on the layout.
    ///
    /// A group is the work of one thread; an image is the work of one thread or of several. So a few groups are
    /// worth it only if they cost clearly less than their images, as far as more than one or two threads may
    /// wait for work. The same holds for many groups of a net that takes long, whose groups fill no cache
    /// either.
    pub const fn shares(&self, images: usize) -> Shares {
        let (groups, rest) = ((images / GROUP) as u64, (images % GROUP) as u64);
        let alone = Shares { grouped: 0, blocked: images };
        if groups == 0 {
            let image = self.image.saturating_mul(rest);
            let is_cheap = rest <= 1 || image <= self.group.saturating_add(self.group / 2);
            return if is_cheap { alone } else { Shares { grouped: images, blocked: 0 } };
        }
        let few = self.group / 2 / (groups * groups);
        let large = if self.image >= LONG { self.group / 4 } else { 0 };
        let more = if few > large { few } else { large };
        if self.image.saturating_mul(GROUP as u64) <= self.group.saturating_add(more) {
            return alone;
        }
        if self.image.saturating_mul(rest) <= self.group.saturating_add(self.group / 4) {
            let grouped = images - rest as usize;
            Shares { grouped, blocked: rest as usize }
        } else {
            Shares { grouped: images, blocked: 0 }
        }
    }
}

/// Cycles for values of so many vectors, which are read or written once.
const fn traffic(vectors: u64) -> u64 {
    if vectors > NEAR { product([vectors, 5]) } else { vectors }
}

/// Pixels of a channel.
const fn area(shape: Shape) -> u64 {
    (shape.elements() / if shape.dim(0) == 0 { 1 } else { shape.dim(0) }) as u64
}

/// Vectors of a value with 16 channels side by side.
const fn vectors(shape: Shape) -> u64 {
    product([shape.dim(0).div_ceil(GROUP) as u64, area(shape)])
}

/// Whether the layer before computes this one in its pass, mostly.
const fn is_fused(op: &Op) -> bool {
    matches!(op, Op::BatchNorm { .. } | Op::Dropout { .. }) || op.activation().is_some()
}

const fn group_cost(op: &Op, input: Shape, output: Shape) -> u64 {
    if is_fused(op) {
        return 0;
    }
    let (ins, outs) = (input.elements() as u64, output.elements() as u64);
    let values = sum([traffic(ins), traffic(outs), BEGIN]);
    let work = match op.conv2d(input) {
        Some(g) => {
            let kernel = match Conv2dKernel::choose(&g, Conv2dPass::Forward) {
                // About as fast.
                Conv2dKernel::Gemm => Conv2dKernel::Direct,
                kernel => kernel,
            };
            kernel.cost(&g, Conv2dPass::Forward)
        }
        None => product([op.multiply_adds(input, output) / 10, 12]),
    };
    sum([work, values])
}

const fn image_cost(op: &Op, input: Shape, output: Shape) -> u64 {
    if is_fused(op) {
        return 0;
    }
    let values = sum([traffic(vectors(input)), traffic(vectors(output)), BEGIN]);
    let work = match (op.conv2d(input), op.conv_transpose2d(input)) {
        (Some(g), _) => {
            let of_group = [g.input.dim(0), g.out_channels];
            let of_group =
                match (of_group[0].checked_div(g.groups), of_group[1].checked_div(g.groups)) {
                    (Some(ins), Some(outs)) => [ins, outs],
                    _ => of_group,
                };
            let taps = (g.kernel[0].saturating_mul(g.kernel[1])) as u64;
            if g.groups == 1 {
                let kernel = Conv2dKernel::choose_for_one(&g);
                // Beside what the choice of kernels knows.
                let tenths = if matches!(kernel, Conv2dKernel::Direct) { 9 } else { 11 };
                product([kernel.cost_for_one(&g) / 10, tenths])
            } else if let [1, 1] = of_group {
                product([vectors(output), taps])
            } else {
                let blocks = product([g.groups as u64, of_group[1].div_ceil(GROUP) as u64]);
                product([blocks, of_group[0] as u64, taps, area(output)])
            }
        }
        (_, Some(g)) => {
            let taps = (g.kernel[0].saturating_mul(g.kernel[1])) as u64;
            let blocks = g.out_channels.div_ceil(GROUP) as u64;
            product([input.elements() as u64, blocks, taps])
        }
        _ => match op {
            // The weights come from far.
            Op::Linear { out_features, .. } => {
                product([input.elements() as u64, out_features.div_ceil(GROUP) as u64, 2])
            }
            _ => 0,
        },
    };
    sum([work, values])
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn costs(group: u64, image: u64) -> LayoutCosts {
        LayoutCosts { group, image }
    }

    #[test]
    fn every_image_has_its_share() {
        for costs in [costs(1600, 80), costs(1600, 105), costs(1600, 250), costs(u64::MAX, 1)] {
            for images in 0..300 {
                let Shares { grouped, blocked } = costs.shares(images);
                assert_eq!(grouped + blocked, images);
                // Only where no others are beside them is a group filled up.
                assert!(blocked == 0 || grouped % GROUP == 0);
            }
        }
    }

    #[test]
    fn what_is_left_over_runs_alone_where_that_costs_less_than_a_group() {
        let costs = costs(1600, 150);
        assert_eq!(costs.shares(100), Shares { grouped: 96, blocked: 4 });
        assert_eq!(costs.shares(110), Shares { grouped: 110, blocked: 0 });
        assert_eq!(costs.shares(96), Shares { grouped: 96, blocked: 0 });
        assert_eq!(costs.shares(1), Shares { grouped: 0, blocked: 1 });
        assert_eq!(costs.shares(16), Shares { grouped: 0, blocked: 16 });
    }

    #[test]
    fn cheap_images_run_alone_and_so_do_those_that_take_long() {
        assert_eq!(costs(1600, 99).shares(1000), Shares { grouped: 0, blocked: 1000 });
        assert_eq!(costs(1600, 115).shares(128).blocked, 0);
        assert_eq!(costs(16 * LONG, LONG / 8 * 9).shares(128).grouped, 0);
    }
}

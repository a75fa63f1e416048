//! In which layout a batch of images runs: 16 images side by side, or 16 channels of one.

use crate::counts::{product, sum};
use crate::{Conv2dKernel, Conv2dPass, Graph, Op, Shape};

/// About how many cycles of a core that multiplies and adds 16 numbers a cycle inference takes in each
/// layout.
///
/// The constants are fitted to the nets of the zoo and to small ones on a core with AVX-512; AVX2 keeps
/// their order. They say which layout is faster, not how long it takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LayoutCosts {
    /// For 16 images side by side, however many of them there are.
    pub group: u64,
    /// For one image with 16 channels side by side.
    pub image: u64,
}

/// How many images of a batch run in each layout.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shares {
    /// In groups of 16 side by side, of which the last may be filled up; these are the first images.
    pub grouped: usize,
    /// With 16 channels of an image side by side.
    pub blocked: usize,
}

/// Images of a group.
const GROUP: usize = 16;

/// [`GROUP`] numbers that stay in the second-level cache from one layer to the next.
const NEAR: u64 = (1 << 20) / 64;

/// Cycles to begin a layer.
const BEGIN: u64 = 150;

impl LayoutCosts {
    /// Of a net whose output shapes are `shapes`.
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

    /// How a batch of so many images is shared out: the size of the batch decides, never how many
    /// threads there are, since the last bits of the results depend on it.
    pub const fn shares(&self, images: usize) -> Shares {
        let rest = images % GROUP;
        if self.image.saturating_mul(GROUP as u64) <= self.group {
            return Shares { grouped: 0, blocked: images };
        }
        if self.image.saturating_mul(rest as u64) <= self.group {
            Shares { grouped: images - rest, blocked: rest }
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
        Some(g) => Conv2dKernel::choose(&g, Conv2dPass::Forward).cost(&g, Conv2dPass::Forward),
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
                Conv2dKernel::choose_for_one(&g).cost_for_one(&g)
            } else if let [1, 1] = of_group {
                product([vectors(output), taps, 2])
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
                product([input.elements() as u64, out_features.div_ceil(GROUP) as u64, 3])
            }
            _ => 0,
        },
    };
    sum([work, values])
}

//! In which layout a training step runs: 16 images side by side (interleaved), or 16 channels of one image
//! (blocked).

use crate::counts::{product, sum};
use crate::{Conv2dKernel, Conv2dPass, Graph, Op, Shape};

/// The estimated cycles of a training step in each layout, on a core that multiplies and adds 16 numbers a
/// cycle.
///
/// The constants say which layout is faster, not how long it takes. On a core with AVX-512 the ratio of the two
/// is within a fourth of what was measured, for nets of the zoo and for small ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TrainingCosts {
    /// How many groups of 16 images side by side there are.
    pub groups: u64,
    /// The cycles with 16 images side by side, for all groups.
    pub interleaved: u64,
    /// The cycles with 16 channels of an image side by side.
    pub blocked: u64,
}

/// Images in a group.
const GROUP: u64 = 16;

/// This many groups are work for as many threads as most machines have; with fewer, some threads may wait.
const MANY: u64 = 4;

/// The same for images that take long.
const MANY_LARGE: u64 = 8;

/// A step of at least this many cycles is worth sharing out among threads: about a millisecond.
const LONG: u64 = 3_000_000;

/// Where an image takes at least this many cycles, each of its layers is worth sharing out: about ten
/// milliseconds.
const LARGE: u64 = 30_000_000;

/// Vectors that stay in the second-level cache from one layer to the next.
const NEAR: u64 = (1 << 20) / 64;

/// From so many cycles on, some tenths of a millisecond, work is worth another thread.
const HELPED: u64 = 1_000_000;

/// Cycles to begin a call that is shared out among threads, and one of a group.
const SHARED: u64 = 6000;
const BEGIN: u64 = 150;

/// The gradient of the input last: what reads a net's input computes none.
const PASSES: [Conv2dPass; 3] =
    [Conv2dPass::Forward, Conv2dPass::BackwardWeight, Conv2dPass::BackwardData];

impl TrainingCosts {
    /// Estimates a step of `images` images. `shapes` are the output shapes of the net's nodes.
    ///
    /// # Panics
    /// When there are not as many shapes as nodes.
    pub const fn new(graph: &Graph<'_>, shapes: &[Shape], images: usize) -> TrainingCosts {
        let mut group = 0;
        let mut blocked = 0;
        let mut index = 0;
        while index < graph.nodes.len() {
            let node = &graph.nodes[index];
            if let [first, ..] = node.inputs
                && !node.op.keeps_numbers()
            {
                let (input, output) = (shapes[*first], shapes[index]);
                // The inputs of a net have no gradient.
                let passes = match source(graph, *first) {
                    Op::Input { .. } => PASSES.split_at(2).0,
                    _ => &PASSES,
                };
                group = sum([group, group_cost(&node.op, input, output, passes)]);
                blocked = sum([blocked, blocked_cost(&node.op, input, output, images, passes)]);
            }
            index += 1;
        }
        let groups = (images as u64).div_ceil(GROUP);
        TrainingCosts { groups, interleaved: product([group, groups]), blocked }
    }

    /// Whether 16 channels side by side are faster. The size of the batch decides, never the number of threads:
    /// the last bits of the results depend on the layout.
    ///
    /// A single group is one thread's work, while a step that is shared out may cost somewhat more. A few
    /// groups are work for as many threads: they must cost clearly more, as groups that are not full do. Images
    /// that take long run with channels side by side even if that costs somewhat more: 32 of them are two
    /// groups, which leave all but two threads without work.
    pub const fn is_blocked(&self) -> bool {
        let tenth = self.interleaved / 10;
        match self.groups {
            1 if self.blocked >= LONG => self.blocked / 5 <= self.interleaved / 4,
            1 => self.blocked < self.interleaved,
            2..MANY_LARGE if self.interleaved / (GROUP * self.groups) >= LARGE => {
                self.blocked / 6 <= self.interleaved / 5
            }
            MANY.. => false,
            _ => self.blocked <= self.interleaved - tenth,
        }
    }

    /// Whether the last images of a batch, which do not fill a group, are faster with 16 channels side by side
    /// than as one more group beside full ones. `self` must be the costs of these last images alone.
    ///
    /// Where one thread computes them beside the groups, they must cost at most three quarters of what a group
    /// costs. Otherwise all threads meet at each layer, which takes up to twice as long where cores are far from each
    /// other, while one more group beside full ones keeps no thread waiting: they must cost at most half.
    pub const fn is_left_over_blocked(&self) -> bool {
        let most = if self.is_alone() { self.interleaved / 4 * 3 } else { self.interleaved / 2 };
        self.groups == 1 && self.blocked <= most
    }

    /// Whether these images with 16 channels side by side are so little work that one thread does it alone,
    /// beside groups.
    pub const fn is_alone(&self) -> bool {
        self.blocked < HELPED
    }

    /// The most threads that the groups can use: one for each, and more where a group is work for several.
    pub const fn threads_of_groups(&self) -> u64 {
        let groups = if self.groups == 0 { 1 } else { self.groups };
        sum([groups, self.interleaved / HELPED])
    }
}

/// What computes a node's numbers.
const fn source<'a>(graph: &Graph<'a>, mut node: usize) -> &'a Op {
    while let ([first, ..], true) = (graph.nodes[node].inputs, graph.nodes[node].op.keeps_numbers())
    {
        node = *first;
    }
    &graph.nodes[node].op
}

/// Cycles for values of so many vectors, which are read or written once, while so many others are.
const fn traffic(vectors: u64, all: u64) -> u64 {
    if all > NEAR { product([vectors, 4]) } else { vectors }
}

/// Pixels of a channel.
const fn area(shape: Shape) -> u64 {
    (shape.elements() / if shape.dim(0) == 0 { 1 } else { shape.dim(0) }) as u64
}

/// Vectors of a value with 16 channels side by side.
const fn vectors(shape: Shape) -> u64 {
    product([shape.dim(0).div_ceil(GROUP as usize) as u64, area(shape)])
}

/// How often a layer reads or writes values as long as its input and as its output, forward and backward.
const fn visits(op: &Op) -> [u64; 2] {
    match op {
        // What it reads is read again for the weight's gradient, and the output's gradient for both.
        _ if op.takes_factors() => [3, 3],
        Op::BatchNorm { .. } => [5, 4],
        Op::LayerNorm { .. } | Op::GroupNorm { .. } => [6, 4],
        // Mostly another layer computes it in its pass.
        _ if op.activation().is_some() => [0, 1],
        _ => [2, 2],
    }
}

const fn group_cost(op: &Op, input: Shape, output: Shape, passes: &[Conv2dPass]) -> u64 {
    let (ins, outs) = (input.elements() as u64, output.elements() as u64);
    let visits = visits(op);
    let values =
        sum([product([visits[0], traffic(ins, ins)]), product([visits[1], traffic(outs, outs)])]);
    let work = match op.conv2d(input) {
        Some(g) => {
            let (mut all, mut pass) = (0, 0);
            while pass < passes.len() {
                let kernel = match Conv2dKernel::choose(&g, passes[pass]) {
                    // About as fast.
                    Conv2dKernel::Gemm => Conv2dKernel::Direct,
                    kernel => kernel,
                };
                all = sum([all, kernel.cost(&g, passes[pass])]);
                pass += 1;
            }
            all
        }
        None => product([op.multiply_adds(input, output), passes.len() as u64]),
    };
    sum([work, values, BEGIN])
}

const fn blocked_cost(
    op: &Op,
    input: Shape,
    output: Shape,
    images: usize,
    passes: &[Conv2dPass],
) -> u64 {
    let count = images as u64;
    let (ins, outs) = (vectors(input), vectors(output));
    let visits = visits(op);
    let values = sum([
        product([visits[0], count, traffic(ins, ins)]),
        product([visits[1], count, traffic(outs, outs)]),
    ]);
    let work = match (op.conv2d(input), op.conv_transpose2d(input)) {
        (Some(g), _) => {
            let of_group = match (
                g.input.dim(0).checked_div(g.groups),
                g.out_channels.checked_div(g.groups),
            ) {
                (Some(ins), Some(outs)) => [ins, outs],
                _ => [g.input.dim(0), g.out_channels],
            };
            let taps = (g.kernel[0].saturating_mul(g.kernel[1])) as u64;
            if let ([1, 1], 2..) = (of_group, g.groups) {
                product([outs, taps, count, 6])
            } else if g.groups > 1 {
                // Each group by itself, in blocks of its own.
                let vectors = product([of_group[1].div_ceil(GROUP as usize) as u64, area(output)]);
                let pairs = product([g.groups as u64, of_group[0] as u64, vectors]);
                product([pairs, taps, count, 4])
            } else {
                let (mut all, mut pass) = (0, 0);
                while pass < passes.len() {
                    let kernel = Conv2dKernel::choose_for_images(&g, passes[pass], images);
                    all = sum([all, kernel.cost_of_images(&g, passes[pass], images)]);
                    pass += 1;
                }
                all
            }
        }
        (_, Some(g)) => {
            let taps = (g.kernel[0].saturating_mul(g.kernel[1])) as u64;
            let blocks = g.out_channels.div_ceil(GROUP as usize) as u64;
            product([input.elements() as u64, blocks, taps, count, 4])
        }
        // The weights come from far, once for a few images.
        _ => product([op.multiply_adds(input, output) / GROUP, passes.len() as u64, count + 2]),
    };
    sum([work, values, SHARED])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Node, Padding};

    const fn conv(out_channels: usize) -> Op {
        Op::Conv2d {
            out_channels,
            kernel: [3, 3],
            stride: [1, 1],
            padding: Padding::Zeros([1, 1]),
            dilation: [1, 1],
            groups: 1,
            bias: false,
        }
    }

    fn costs(input: [usize; 3], channels: usize, images: usize) -> TrainingCosts {
        let norm = Op::BatchNorm { affine: true, momentum: 0.1, eps: 1e-5 };
        let nodes = [
            Node { name: "input", op: Op::Input { shape: Shape::new(&input) }, inputs: &[] },
            Node { name: "conv1", op: conv(channels), inputs: &[0] },
            Node { name: "norm1", op: norm, inputs: &[1] },
            Node { name: "relu1", op: Op::Relu, inputs: &[2] },
            Node { name: "conv2", op: conv(channels), inputs: &[3] },
            Node { name: "norm2", op: norm, inputs: &[4] },
            Node { name: "relu2", op: Op::Relu, inputs: &[5] },
        ];
        let graph = Graph::new("Small", &nodes);
        let shapes: [Shape; 7] = graph.shapes();
        TrainingCosts::new(&graph, &shapes, images)
    }

    #[test]
    fn batches_that_fill_few_groups_run_channels_side_by_side() {
        for images in [1, 4, 8, 16, 17, 24] {
            assert!(costs([64, 56, 56], 64, images).is_blocked(), "{images}");
        }
        for images in [1, 4, 8] {
            assert!(costs([3, 32, 32], 32, images).is_blocked(), "{images}");
        }
    }

    #[test]
    fn full_groups_and_many_of_them_run_side_by_side() {
        for images in [32, 48, 64, 128, 1000] {
            assert!(!costs([16, 32, 32], 16, images).is_blocked(), "{images}");
        }
        for images in [49, 50, 64, 65, 1000] {
            assert!(!costs([64, 56, 56], 64, images).is_blocked(), "{images}");
        }
        // Most of 16 channels are empty.
        for images in [8, 16, 128] {
            assert!(!costs([1, 12, 12], 4, images).is_blocked(), "{images}");
        }
    }

    #[test]
    fn few_images_that_are_left_over_run_channels_side_by_side() {
        for images in [1, 4, 6] {
            assert!(costs([16, 32, 32], 16, images).is_left_over_blocked(), "{images}");
        }
        // Nearly a full group.
        assert!(!costs([16, 32, 32], 16, 12).is_left_over_blocked());
        // Most of 16 channels are empty.
        assert!(!costs([1, 12, 12], 4, 4).is_left_over_blocked());
        assert!(!costs([16, 32, 32], 16, 16 + 4).is_left_over_blocked());
    }

    #[test]
    fn a_net_s_input_has_no_gradient() {
        let linear = Op::Linear { out_features: 100, bias: true };
        let nodes = [
            Node { name: "input", op: Op::Input { shape: Shape::new(&[100]) }, inputs: &[] },
            Node { name: "flat", op: Op::Flatten, inputs: &[0] },
            Node { name: "fc1", op: linear, inputs: &[1] },
            Node { name: "fc2", op: linear, inputs: &[2] },
        ];
        let of = |count: usize| {
            let graph = Graph::new("Linear", &nodes[..count]);
            let shapes = [Shape::new(&[100]); 4];
            TrainingCosts::new(&graph, &shapes[..count], 16)
        };
        let ([first, both], three) = ([of(3), of(4)], 100 * 100 * 3);
        assert_eq!(both.interleaved - first.interleaved - first.interleaved, three / 3);
        assert!(both.blocked - first.blocked > first.blocked);
    }

    #[test]
    fn one_thread_s_work_is_left_over_more_often() {
        let costs = |interleaved, blocked| TrainingCosts { groups: 1, interleaved, blocked };
        assert!(costs(1_000_000, 750_000).is_left_over_blocked());
        assert!(!costs(1_000_000, 750_001).is_left_over_blocked());
        assert!(costs(4_000_000, 2_000_000).is_left_over_blocked());
        assert!(!costs(4_000_000, 2_000_001).is_left_over_blocked());
        assert_eq!(costs(999_999, 0).threads_of_groups(), 1);
        assert_eq!(costs(2_000_000, 0).threads_of_groups(), 3);
    }

    #[test]
    fn nothing_costs_nothing() {
        let costs = costs([3, 32, 32], 8, 0);
        assert_eq!((costs.groups, costs.interleaved), (0, 0));
    }
}

//! How one image runs: the kernel of each layer, and how its values and packed weights are stored.

use std::ops::Range;

use typenet_kernels::winograd::{self, blocked as blocked_winograd};
use typenet_kernels::{LANES, blocked};
use typenet_shape::{Buffer, Conv2d, Conv2dKernel, Node, Op, Output, Shape, TensorKind};

use crate::spec::NetSpec;

/// From so many multiply-adds on, more threads than one save more than sending for them costs.
const SHARED: u64 = 4_000_000;

/// How a net runs one image: known from its declaration, before its weights are.
#[derive(Clone, Debug)]
pub struct OneImagePlan {
    pub(super) nodes: Vec<Place>,
    /// How many of them are inputs.
    pub(super) inputs: usize,
    /// How many threads an image is worth.
    pub(crate) threads: usize,
    /// `Lanes` that a step needs for each thread while it runs.
    scratch: usize,
    /// Whether a layer reads the image in blocks of channels rather than as it comes.
    pub(super) packs_image: bool,
    /// `Lanes` of all packed parameters.
    pub(super) packed_len: usize,
}

/// What is known of a node.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The packed parameters.
    pub(super) packed: Range<usize>,
    /// The shape in which the value stands in memory: flattening moves nothing.
    pub(super) stored: Shape,
    /// Whether the value is one of the inputs as it came.
    pub(super) is_image: bool,
    /// Then where it stands among the numbers of all inputs.
    pub(super) pixels: Range<usize>,
    /// The node whose value it reads first.
    pub(super) source: usize,
    /// The kernel of a convolution.
    pub(super) kernel: Conv2dKernel,
}

/// `Lanes` of a value.
pub(super) fn len(stored: Shape) -> usize {
    match stored.rank() {
        3 => blocked::blocks(stored.dim(0)) * stored.dim(1) * stored.dim(2),
        _ => blocked::blocks(stored.elements()),
    }
}

/// What one image needs of a buffer for 16.
pub(super) fn part(whole: Buffer, stored: Shape) -> Buffer {
    Buffer { offset: whole.offset, len: len(stored) }
}

/// Whether a value's numbers stand in their order.
pub(super) fn in_order(stored: Shape) -> bool {
    stored.elements() == stored.dim(0)
}

pub(super) fn is_depthwise(g: &Conv2d) -> bool {
    g.groups > 1 && g.groups == g.out_channels && g.groups == g.input.dim(0)
}

impl OneImagePlan {
    /// The plan of a net, or `None` where a layer has no kernel for one image.
    pub fn new(spec: &NetSpec) -> Option<OneImagePlan> {
        let NetSpec { graph, shapes, layout, .. } = *spec;
        let mut plan = OneImagePlan {
            nodes: Vec::with_capacity(graph.nodes.len()),
            inputs: graph.input_count(),
            threads: 1,
            scratch: 0,
            packs_image: false,
            packed_len: 0,
        };
        let work = |(node, output): (&Node<'_>, &Shape)| {
            node.inputs.first().map_or(0, |&input| node.op.multiply_adds(shapes[input], *output))
        };
        if graph.nodes.iter().zip(shapes).map(work).sum::<u64>() >= SHARED {
            plan.threads = usize::MAX;
        }
        for index in 0..graph.nodes.len() {
            let place = plan.place(spec, index)?;
            plan.packed_len = place.packed.end;
            plan.nodes.push(place);
        }
        // An image that nothing changes is not worth a kernel.
        let is_changed = |output: &Output| !plan.nodes[output.node].is_image;
        layout.outputs.iter().all(is_changed).then_some(plan)
    }

    /// The kernel that a convolution has.
    pub fn kernel(&self, node: usize) -> Conv2dKernel {
        self.nodes[node].kernel
    }

    /// `Lanes` that a team of so many threads needs for itself.
    pub(crate) fn scratch_len(&self, threads: usize) -> usize {
        threads * self.scratch
    }

    /// The place of the next node.
    fn place(&mut self, spec: &NetSpec, index: usize) -> Option<Place> {
        let NetSpec { graph, shapes, layout, .. } = *spec;
        let node = &graph.nodes[index];
        let len_of = |kind: TensorKind| layout.place(index, kind).len();
        let source = node.inputs.first().copied().unwrap_or(index);
        let (mut stored, mut is_image) = (shapes[index], matches!(node.op, Op::Input { .. }));
        let (mut pixels, mut kernel, mut packed_len) = (0..0, Conv2dKernel::Direct, 0);
        match node.op {
            Op::Input { .. } => {
                // They follow one another.
                let first = self.nodes.last().map_or(0, |before| before.pixels.end);
                pixels = first..first + stored.elements();
            }
            Op::Flatten | Op::Dropout { .. } | Op::NetInput { .. } | Op::NetOutput { .. } => {
                stored = self.nodes[source].stored;
                is_image = self.nodes[source].is_image;
                pixels = self.nodes[source].pixels.clone();
            }
            Op::Conv2d { .. } | Op::DepthwiseConv2d { .. } => {
                let g = node.op.conv2d(shapes[source])?;
                if !blocked::runs_conv2d(&g) {
                    return None;
                }
                let from_image = self.nodes[source].is_image;
                self.packs_image |= is_depthwise(&g) && from_image;
                if winograd::is_enabled() && !from_image {
                    kernel = Conv2dKernel::choose_for_one(&g);
                }
                if kernel == Conv2dKernel::Direct {
                    packed_len = blocked::conv2d_packed_len(&g);
                } else {
                    packed_len = blocked_winograd::packed_len(kernel, &g);
                    self.scratch = self.scratch.max(blocked_winograd::scratch_len(kernel, &g, 1));
                }
            }
            Op::ConvTranspose2d { .. } => {
                let g = node.op.conv_transpose2d(shapes[source])?;
                if !blocked::runs_conv_transpose2d(&g) {
                    return None;
                }
                packed_len = blocked::conv_transpose2d_packed_len(&g);
            }
            Op::Linear { out_features, .. } => {
                let inputs = self.linear_inputs(source, shapes[source].elements());
                packed_len = blocked::linear_packed_len(inputs, out_features);
            }
            Op::MaxPool2d { .. }
            | Op::AvgPool2d { .. }
            | Op::GlobalAvgPool
            | Op::Upsample { .. } => {
                self.packs_image |= self.nodes[source].is_image;
            }
            Op::BatchNorm { .. } if layout.is_folded(index) => {
                stored = self.nodes[source].stored;
            }
            Op::BatchNorm { .. } => {
                stored = self.nodes[source].stored;
                self.packs_image |= self.nodes[source].is_image;
                let channels = len_of(TensorKind::RunningMean);
                // The channels must have a place of their own.
                if channels != stored.dim(0) {
                    return None;
                }
                packed_len = 2 * blocked::blocks(channels);
            }
            Op::LayerNorm { .. } => {
                stored = self.nodes[source].stored;
                self.packs_image |= self.nodes[source].is_image;
                let tensors = [TensorKind::Weight, TensorKind::Bias].map(len_of);
                packed_len = tensors.iter().filter(|&&numbers| numbers > 0).count() * len(stored);
            }
            Op::Add => {
                stored = self.nodes[source].stored;
                for &input in node.inputs {
                    self.packs_image |= self.nodes[input].is_image;
                    // The same numbers may stand in another order after a flatten.
                    if self.nodes[input].stored != stored {
                        return None;
                    }
                }
            }
            Op::Softmax | Op::LogSoftmax => {
                stored = self.nodes[source].stored;
                self.packs_image |= self.nodes[source].is_image;
                if !in_order(stored) {
                    return None;
                }
            }
            Op::Scale { .. } => {
                stored = self.nodes[source].stored;
                self.packs_image |= self.nodes[source].is_image;
            }
            Op::Own(_) => {
                let numbers = shapes[source].elements().div_ceil(LANES);
                self.scratch = self.scratch.max(numbers + stored.elements().div_ceil(LANES));
            }
            _ if node.op.activation().is_some() => {
                stored = self.nodes[source].stored;
                self.packs_image |= self.nodes[source].is_image;
            }
            _ => return None,
        }
        let packed = self.packed_len..self.packed_len + packed_len;
        Some(Place { packed, stored, is_image, pixels, source, kernel })
    }

    /// How many numbers a linear layer reads, where its input has so many features: behind a value in
    /// blocks of channels also those past the last channel.
    pub(super) fn linear_inputs(&self, source: usize, features: usize) -> usize {
        let (stored, is_image) = (self.nodes[source].stored, self.nodes[source].is_image);
        if is_image || in_order(stored) { features } else { len(stored) * LANES }
    }
}

//! How a net runs with 16 channels side by side: the kernel of each layer, the order in which it reads and
//! writes values, and where its packed weights stand.

mod memory;

use std::ops::Range;

use typenet_kernels::blocked::{self, GroupNorm};
use typenet_kernels::winograd::{self, blocked as blocked_winograd};
use typenet_kernels::{LANES, Lanes};
use typenet_shape::{
    Buffer, Conv2d, Conv2dKernel, Fused, Item, LayoutCosts, Op, Shape, TensorKind,
};

use crate::spec::NetSpec;

pub(crate) use memory::Memory;
use memory::lives;

/// How a net runs with 16 channels side by side: known from its declaration, before its weights are.
#[derive(Clone, Debug)]
pub struct BlockedPlan {
    pub(super) nodes: Vec<Place>,
    /// Multiply-adds of an image.
    pub(crate) work: u64,
    /// [`Lanes`] that a step needs for each thread while it runs.
    scratch: usize,
    /// [`Lanes`] of all packed parameters.
    pub(super) packed_len: usize,
    /// The memory of an image from the first layer to the last.
    pub(crate) whole: Memory,
    /// How the images of a batch run, where their last layers run together.
    pub(crate) halves: Option<Halves>,
    /// What inference costs in each layout.
    pub costs: LayoutCosts,
}

/// A net in two halves. In the first, each image goes through one layer after the other by itself, while its
/// values are in cache. In the second, all images go through each layer together, while its weights are in
/// cache.
#[derive(Clone, Debug)]
pub(crate) struct Halves {
    /// The first node of the second.
    pub(crate) begins: usize,
    pub(crate) first: Memory,
    pub(crate) second: Memory,
    /// The values of the first half that the second half reads.
    pub(crate) carried: Vec<Carried>,
}

/// A value of an image that goes from the memory of one half to that of the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carried {
    pub(crate) from: Buffer,
    pub(crate) to: Buffer,
}

/// What is known of a node.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The node in whose pass it is computed, from which on its value is there.
    pub(super) host: usize,
    /// Whether that is the node itself, and it computes something.
    pub(super) runs: bool,
    /// The node whose buffer holds its value.
    pub(super) root: usize,
    /// The value stands in blocks of so many channels: flattening moves nothing.
    pub(super) channels: usize,
    pub(super) elements: usize,
    /// Where the value stands among the numbers of all inputs, if it is one of them as the caller gave it.
    pub(super) pixels: Option<Range<usize>>,
    /// What the node reads, if it runs, in the order of its inputs, followed by the value that it adds.
    pub(super) reads: Vec<Read>,
    /// Whether the last of the reads is added.
    pub(super) adds: bool,
    /// The packed parameters.
    pub(super) packed: Range<usize>,
    /// The kernel of a convolution.
    pub(super) kernel: Conv2dKernel,
    /// [`Lanes`] that its kernel needs of each image while it runs.
    pub(super) room: usize,
}

/// A value that a node reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Read {
    pub(super) node: usize,
    /// In blocks of so many channels.
    pub(super) channels: usize,
    /// The view to which it is converted first, if it stands in another order.
    pub(super) view: Option<usize>,
}

/// Whether a value of the first half is read in the second, which begins with the node `cut`.
fn carries(life: &Item, cut: usize) -> bool {
    life.len > 0 && life.start < cut && life.end >= cut
}

/// [`Lanes`] of a layer's weights that stay in the second-level cache from one image to the next.
const NEAR: usize = (512 << 10) / size_of::<Lanes>();

/// [`Lanes`] of traffic that a second half must save to be worth it.
const WORTH: usize = (1 << 20) / size_of::<Lanes>();

/// In which order a node reads a value.
#[derive(Clone, Copy)]
enum Order {
    /// In blocks of so many channels.
    Channels(usize),
    /// As the caller gave it, if it is an input; else in blocks of so many channels.
    AsItCame(usize),
    /// As it stands.
    Any,
}

/// [`Lanes`] of a value in blocks of channels.
pub(super) fn len(elements: usize, channels: usize) -> usize {
    blocked::blocks(channels) * (elements / channels)
}

impl Place {
    /// [`Lanes`] of its value.
    pub(super) fn len(&self) -> usize {
        len(self.elements, self.channels)
    }

    /// Whether the value's numbers stand in their order.
    pub(super) fn is_in_order(&self) -> bool {
        self.elements == self.channels
    }
}

pub(super) fn is_depthwise(g: &Conv2d) -> bool {
    g.groups > 1 && g.groups == g.out_channels && g.groups == g.input.dim(0)
}

/// What the planning of a node finds out.
struct Found {
    channels: usize,
    orders: Vec<Order>,
    packed: usize,
    kernel: Conv2dKernel,
    room: usize,
}

impl BlockedPlan {
    /// The plan of a net.
    pub fn new(spec: &NetSpec) -> BlockedPlan {
        let NetSpec { graph, shapes, .. } = *spec;
        let mut fused = [(); 2].map(|()| vec![Fused::NONE; graph.nodes.len()]);
        let [training, inference] = &mut fused;
        graph.fuse(training, inference);
        let mut plan = BlockedPlan {
            nodes: Vec::with_capacity(graph.nodes.len()),
            work: 0,
            scratch: 0,
            packed_len: 0,
            whole: Memory::default(),
            halves: None,
            costs: LayoutCosts::new(graph, shapes),
        };
        let (mut pixels, mut views) = (0, 0);
        for index in 0..graph.nodes.len() {
            let mut place = plan.place(spec, inference, index, &mut views);
            if let Op::Input { .. } = graph.nodes[index].op {
                place.pixels = Some(pixels..pixels + place.elements);
                pixels += place.elements;
            }
            plan.packed_len = place.packed.end;
            plan.nodes.push(place);
        }
        plan.work = (graph.nodes.iter().zip(shapes))
            .map(|(node, &output)| match node.inputs {
                [input, ..] => node.op.multiply_adds(shapes[*input], output),
                [] => 0,
            })
            .sum();
        let outputs: Vec<usize> = spec.layout.outputs.iter().map(|output| output.node).collect();
        let count = graph.nodes.len();
        plan.whole = Memory::new(&plan.nodes, graph, 0..count, &outputs, true);
        let lives = lives(&plan.nodes, &outputs);
        let cut = plan.cut(&lives);
        if cut < count {
            let first = Memory::new(&plan.nodes, graph, 0..cut, &outputs, true);
            let second = Memory::new(&plan.nodes, graph, cut..count, &outputs, false);
            let mut carried: Vec<Carried> = (plan.nodes.iter().enumerate())
                .filter(|(node, _)| carries(&lives[*node], cut))
                .map(|(_, place)| Carried { from: first.value(place), to: second.value(place) })
                .collect();
            carried.sort_by_key(|carried| carried.to.offset);
            plan.halves = Some(Halves { begins: cut, first, second, carried });
        }
        plan
    }

    /// The node with which the second half begins; the number of nodes where there is no second half. The cut
    /// minimises what comes from afar: weights, if they are large, once for each image in the first half; the
    /// values of all images at each layer in the second.
    fn cut(&self, lives: &[Item]) -> usize {
        let weights =
            |place: &Place| if place.packed.len() > NEAR { place.packed.len() } else { 0 };
        let values = |place: &Place| {
            let reads = place.reads.iter();
            let read: usize = reads.map(|read| self.nodes[read.node].len()).sum();
            place.len() + read
        };
        // Where the first half is all, each image reads all weights.
        let mut cost: usize = self.nodes.iter().map(weights).sum();
        let (mut best, mut cut) = (cost.saturating_sub(WORTH), self.nodes.len());
        for (node, place) in self.nodes.iter().enumerate().rev().filter(|(_, place)| place.runs) {
            cost = cost - weights(place) + values(place);
            let carried: usize =
                lives.iter().filter(|life| carries(life, node)).map(|life| life.len).sum();
            if cost + 2 * carried < best {
                (best, cut) = (cost + 2 * carried, node);
            }
        }
        cut
    }

    /// The kernel that a convolution has.
    pub fn kernel(&self, node: usize) -> Conv2dKernel {
        self.nodes[node].kernel
    }

    /// Bytes of an image's activations.
    pub fn bytes(&self) -> usize {
        self.whole.len * size_of::<Lanes>()
    }

    /// `Lanes` of scratch memory that a team of `threads` threads needs.
    pub(crate) fn scratch_len(&self, threads: usize) -> usize {
        threads * self.scratch
    }

    /// The place of the next node.
    fn place(&mut self, spec: &NetSpec, fused: &[Fused], index: usize, views: &mut usize) -> Place {
        let (node, shape) = (&spec.graph.nodes[index], spec.shapes[index]);
        let host = fused[index].host;
        let mut place = Place {
            host,
            runs: false,
            root: index,
            channels: shape.dim(0),
            elements: shape.elements(),
            pixels: None,
            reads: Vec::new(),
            adds: false,
            packed: self.packed_len..self.packed_len,
            kernel: Conv2dKernel::Direct,
            room: 0,
        };
        let Some(&source) = node.inputs.first() else { return place };
        if node.op.keeps_numbers() || matches!(node.op, Op::Dropout { .. }) {
            let source = &self.nodes[source];
            place.host = source.host;
            place.root = source.root;
            place.channels = source.channels;
            place.pixels = source.pixels.clone();
            return place;
        }
        place.root = fused[host].last;
        if host != index {
            place.channels = self.nodes[host].channels;
            return place;
        }
        let mut found = self.found(spec, index);
        let mut inputs = node.inputs.to_vec();
        if let Some(added) = fused[index].added {
            inputs.push(added);
            found.orders.push(Order::Channels(found.channels));
            place.adds = true;
        }
        place.runs = true;
        place.channels = found.channels;
        place.packed.end += found.packed;
        place.kernel = found.kernel;
        place.room = found.room;
        for (node, order) in inputs.into_iter().zip(found.orders) {
            let from = &self.nodes[node];
            let (channels, may_be_input) = match order {
                Order::Channels(channels) => (channels, false),
                Order::AsItCame(channels) => (channels, true),
                Order::Any => (from.channels, true),
            };
            let stands = match from.pixels {
                Some(_) => may_be_input,
                None => from.channels == channels,
            };
            let view = (!stands).then(|| {
                *views += 1;
                *views - 1
            });
            place.reads.push(Read { node, channels, view });
        }
        place
    }

    /// What the kernel of a node needs, and how it reads and writes.
    fn found(&mut self, spec: &NetSpec, index: usize) -> Found {
        let NetSpec { graph, shapes, layout, .. } = *spec;
        let node = &graph.nodes[index];
        let len_of = |kind: TensorKind| layout.place(index, kind).len();
        let (source, input) = (&self.nodes[node.inputs[0]], shapes[node.inputs[0]]);
        let is_input = source.pixels.is_some();
        let own = Order::Channels(input.dim(0));
        // Elementwise steps leave numbers where they stand.
        let kept = if is_input { input.dim(0) } else { source.channels };
        let mut found = Found {
            channels: shapes[index].dim(0),
            orders: vec![own],
            packed: 0,
            kernel: Conv2dKernel::Direct,
            room: 0,
        };
        let output_area = area(shapes[index]);
        match node.op {
            Op::Conv2d { .. } | Op::DepthwiseConv2d { .. } => {
                let Some(g) = node.op.conv2d(input) else { return found };
                if winograd::is_enabled() && !is_input {
                    found.kernel = Conv2dKernel::choose_for_one(&g);
                }
                if !is_depthwise(&g) {
                    found.orders = vec![Order::AsItCame(input.dim(0))];
                }
                if found.kernel == Conv2dKernel::Direct {
                    let filled = blocked::filled_conv2d(&g);
                    let run = filled.unwrap_or(g);
                    found.packed = blocked::conv2d_packed_len(&run);
                    found.room = match (filled, blocked::gathered_conv2d(&g)) {
                        (Some(filled), _) => blocked::blocks(filled.out_channels) * output_area,
                        (None, Some(g)) if !is_input => {
                            blocked::blocks(g.input.dim(0)) * output_area
                        }
                        _ => 0,
                    };
                } else {
                    found.packed = blocked_winograd::packed_len(found.kernel, &g);
                    let scratch = blocked_winograd::scratch_len(found.kernel, &g, 1);
                    self.scratch = self.scratch.max(scratch);
                }
            }
            Op::ConvTranspose2d { .. } => {
                let Some(g) = node.op.conv_transpose2d(input) else { return found };
                found.orders = vec![Order::AsItCame(input.dim(0))];
                let filled = blocked::filled_conv_transpose2d(&g);
                found.packed = blocked::conv_transpose2d_packed_len(&filled.unwrap_or(g));
                found.room = filled.map_or(0, |g| blocked::blocks(g.out_channels) * output_area);
            }
            Op::Linear { out_features, .. } => {
                found.orders = vec![Order::Any];
                let inputs = linear_inputs(source);
                found.packed = blocked::linear_packed_len(inputs, out_features);
            }
            Op::BatchNorm { .. } => {
                found.packed = 2 * blocked::blocks(len_of(TensorKind::RunningMean));
            }
            Op::LayerNorm { .. } => {
                found.channels = kept;
                found.orders = vec![Order::Channels(kept)];
                let tensors = [TensorKind::Weight, TensorKind::Bias].map(len_of);
                let count = tensors.iter().filter(|&&numbers| numbers > 0).count();
                found.packed = count * len(input.elements(), kept);
            }
            Op::GroupNorm { .. } => {
                let tensors = [TensorKind::Weight, TensorKind::Bias].map(len_of);
                let count = tensors.iter().filter(|&&numbers| numbers > 0).count();
                found.packed = count * blocked::blocks(input.dim(0));
                found.room = GroupNorm::room_len(input.dim(0));
            }
            Op::Add => {
                found.channels = kept;
                found.orders = vec![Order::Channels(kept); node.inputs.len()];
            }
            Op::Mul => {
                // Factors of channels meet these in their own blocks.
                let is_factor = |&&other: &&usize| shapes[other] != input;
                let some = node.inputs.iter().any(|other| is_factor(&other));
                found.channels = if some { input.dim(0) } else { kept };
                let order = |other: &usize| {
                    let factor = is_factor(&other);
                    Order::Channels(if factor { shapes[*other].dim(0) } else { found.channels })
                };
                found.orders = node.inputs.iter().map(order).collect();
            }
            Op::Concat => {
                let order = |&other: &usize| Order::Channels(shapes[other].dim(0));
                found.orders = node.inputs.iter().map(order).collect();
            }
            Op::Own(_) => {
                found.orders = vec![Order::Any];
                let numbers = [input, shapes[index]].map(|shape| shape.elements().div_ceil(LANES));
                self.scratch = self.scratch.max(numbers[0] + numbers[1]);
            }
            Op::Scale { .. } => {
                found.channels = kept;
                found.orders = vec![Order::Channels(kept)];
            }
            _ if node.op.activation().is_some() => {
                found.channels = kept;
                found.orders = vec![Order::Channels(kept)];
            }
            _ => {}
        }
        found
    }
}

/// How many numbers a linear layer reads of a value. Where the value stands in blocks of channels, it also
/// reads those past the last channel.
pub(super) fn linear_inputs(source: &Place) -> usize {
    if source.pixels.is_some() || source.is_in_order() {
        source.elements
    } else {
        source.len() * LANES
    }
}

/// Pixels of a channel.
pub(super) fn area(shape: Shape) -> usize {
    shape.elements() / shape.dim(0)
}

//! Inference of one image: the same steps as for 16, with the image's channels side by side. The
//! weights are packed for it at the first prediction after they have changed.

use std::ops::Range;

use typenet_shape::{Buffer, Conv2d, Graph, Op, Shape, Step, Tensor, TensorKind};

use crate::kernels::single::{self, Pixels, blocks};
use crate::kernels::{Isa, Lanes, activation, pool2d};
use crate::network::softmax;
use crate::pass::{apart, wrong};

/// A net's weights, packed for one image, and how its values are stored.
#[derive(Debug)]
pub(crate) struct Single {
    packed: Vec<Lanes>,
    nodes: Vec<Place>,
    /// Whether a layer reads the image in blocks of channels rather than as it comes.
    packs_image: bool,
}

/// What is known of a node.
#[derive(Clone, Debug)]
struct Place {
    /// The packed parameters.
    packed: Range<usize>,
    /// The shape in which the value stands in memory: flattening moves nothing.
    stored: Shape,
    /// Whether the value is the image itself.
    is_image: bool,
    /// The node whose value it reads first.
    source: usize,
}

/// [`Lanes`] of a value.
fn len(stored: Shape) -> usize {
    match stored.rank() {
        3 => blocks(stored.dim(0)) * stored.dim(1) * stored.dim(2),
        _ => blocks(stored.elements()),
    }
}

/// Whether a value's numbers stand in their order.
fn in_order(stored: Shape) -> bool {
    stored.elements() == stored.dim(0)
}

fn is_depthwise(g: &Conv2d) -> bool {
    g.groups > 1 && g.groups == g.out_channels && g.groups == g.input.dim(0)
}

impl Single {
    /// Packs a net's parameters, or `None` where a layer has no kernel for one image.
    pub(crate) fn new(
        graph: &Graph<'_>,
        shapes: &[Shape],
        tensors: &[Tensor],
        parameters: &[f32],
    ) -> Option<Single> {
        let mut net = Single { packed: Vec::new(), nodes: Vec::new(), packs_image: false };
        for (index, node) in graph.nodes.iter().enumerate() {
            let tensor = |kind: TensorKind| {
                let tensor = tensors.iter().find(|t| t.node == index && t.kind == kind)?;
                Some(&parameters[tensor.offset..tensor.offset + tensor.shape.elements()])
            };
            let (weight, bias) = (tensor(TensorKind::Weight), tensor(TensorKind::Bias));
            let source = node.inputs.first().copied().unwrap_or(index);
            let start = net.packed.len();
            let (mut stored, mut is_image) = (shapes[index], matches!(node.op, Op::Input { .. }));
            match node.op {
                Op::Input { .. } => {}
                Op::Flatten | Op::Dropout { .. } => {
                    stored = net.nodes[source].stored;
                    is_image = net.nodes[source].is_image;
                }
                Op::Conv2d { .. } => {
                    let g = node.op.conv2d(shapes[source])?;
                    if !single::runs_conv2d(&g) {
                        return None;
                    }
                    net.packs_image |= is_depthwise(&g) && net.nodes[source].is_image;
                    net.packed.resize(start + single::conv2d_packed_len(&g), Lanes::ZERO);
                    single::pack_conv2d(&g, weight?, bias, &mut net.packed[start..]);
                }
                Op::Linear { out_features, .. } => {
                    net.pack_linear(source, out_features, weight?, bias)
                }
                Op::MaxPool2d { .. } | Op::AvgPool2d { .. } | Op::GlobalAvgPool => {
                    net.packs_image |= net.nodes[source].is_image;
                }
                Op::Softmax => {
                    stored = net.nodes[source].stored;
                    net.packs_image |= net.nodes[source].is_image;
                    if !in_order(stored) {
                        return None;
                    }
                }
                _ if node.op.activation().is_some() => {
                    stored = net.nodes[source].stored;
                    net.packs_image |= net.nodes[source].is_image;
                }
                _ => return None,
            }
            let packed = start..net.packed.len();
            net.nodes.push(Place { packed, stored, is_image, source });
        }
        // An image that nothing changes is not worth a kernel.
        (!net.nodes.last()?.is_image).then_some(net)
    }

    /// Packs a linear layer's weights in the order in which its input stands.
    fn pack_linear(&mut self, source: usize, outputs: usize, weight: &[f32], bias: Option<&[f32]>) {
        let (stored, is_image) = (self.nodes[source].stored, self.nodes[source].is_image);
        let inputs = weight.len() / outputs;
        let start = self.packed.len();
        if is_image || in_order(stored) {
            self.packed.resize(start + single::linear_packed_len(inputs, outputs), Lanes::ZERO);
            single::pack_linear(weight, bias, outputs, &mut self.packed[start..]);
            return;
        }
        let mut row = vec![Lanes::ZERO; len(stored)];
        let mut ordered = Vec::with_capacity(outputs * row.len() * crate::kernels::LANES);
        for weight in weight.chunks_exact(inputs) {
            single::from_planar(weight, stored.dim(0), &mut row);
            ordered.extend_from_slice(single::flat(&row));
        }
        let inputs = ordered.len() / outputs;
        self.packed.resize(start + single::linear_packed_len(inputs, outputs), Lanes::ZERO);
        single::pack_linear(&ordered, bias, outputs, &mut self.packed[start..]);
    }

    /// Writes the image where the layers read it, if one does not read it as it comes.
    pub(crate) fn load(&self, image: &[f32], to: &mut [Lanes]) {
        let stored = self.nodes[0].stored;
        if self.packs_image {
            single::from_planar(image, stored.dim(0), &mut to[..len(stored)]);
        }
    }

    /// The net's output in order.
    pub(crate) fn store(&self, from: &[Lanes], output: &mut [f32]) {
        let Some(last) = self.nodes.last() else { return };
        let from = &from[..len(last.stored)];
        if in_order(last.stored) {
            output.copy_from_slice(&single::flat(from)[..output.len()]);
        } else {
            single::to_planar(from, last.stored.dim(0), output);
        }
    }
}

/// The forward pass of one image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Image<'a> {
    pub(crate) net: &'a Single,
    pub(crate) pixels: &'a [f32],
}

impl Image<'_> {
    fn place(&self, step: &Step) -> (&Place, &Place) {
        let place = &self.net.nodes[step.node];
        (place, &self.net.nodes[place.source])
    }

    /// The value that a step reads and the one that it writes.
    fn values<'a>(&self, step: &Step, arena: &'a mut [Lanes]) -> [&'a mut [Lanes]; 2] {
        let (place, source) = self.place(step);
        let part = |whole: Buffer, stored| Buffer { offset: whole.offset, len: len(stored) };
        let x = part(step.inference.input, source.stored);
        let y = part(step.inference.output, place.stored);
        apart(arena, [x, y])
    }

    pub(crate) fn conv2d(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let Some(g) = step.op.conv2d(step.input) else { return wrong(step) };
        let (place, source) = self.place(step);
        let packed = &self.net.packed[place.packed.clone()];
        let [x, y] = self.values(step, arena);
        if is_depthwise(&g) {
            single::depthwise_conv2d(isa, &g, x, packed, step.activation, y);
        } else {
            let pixels =
                if source.is_image { Pixels::Planar(self.pixels) } else { Pixels::Blocked(x) };
            single::conv2d(isa, &g, pixels, packed, step.activation, y);
        }
    }

    pub(crate) fn linear(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let (place, source) = self.place(step);
        let packed = &self.net.packed[place.packed.clone()];
        let [x, y] = self.values(step, arena);
        let x = match source.stored {
            _ if source.is_image => self.pixels,
            stored if in_order(stored) => &single::flat(x)[..stored.elements()],
            _ => single::flat(x),
        };
        single::linear(isa, x, packed, step.activation, y);
    }

    pub(crate) fn pool2d(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let (_, source) = self.place(step);
        let [channels, height, width] = [0, 1, 2].map(|i| source.stored.dim(i));
        let of_blocks = Shape::new(&[blocks(channels), height, width]);
        let Some(g) = step.op.pool2d(of_blocks) else { return wrong(step) };
        let [x, y] = self.values(step, arena);
        match step.op {
            Op::MaxPool2d { .. } => pool2d::max_forward(isa, &g, x, y),
            _ => pool2d::avg_forward(isa, &g, x, y),
        }
    }

    pub(crate) fn global_avg_pool(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let [x, y] = self.values(step, arena);
        pool2d::global_avg_forward(isa, x, y);
    }

    pub(crate) fn activation(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let [x, y] = self.values(step, arena);
        activation::forward(isa, step.op.activation().unwrap_or(step.activation), x, y);
    }

    pub(crate) fn softmax(&self, step: &Step, arena: &mut [Lanes]) {
        let (place, _) = self.place(step);
        let [x, y] = self.values(step, arena);
        y.copy_from_slice(x);
        softmax(&mut single::flat_mut(y)[..place.stored.elements()]);
    }
}

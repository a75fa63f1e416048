//! Inference of one image: the same steps as for 16, with the image's channels side by side. The
//! weights are packed for it at the first prediction after they have changed.

use std::ops::Range;

use typenet_shape::{
    Buffer, Buffers, Conv2d, Conv2dKernel, Graph, Node, Op, Output, Own, Parameters, Shape, Step,
    TensorKind,
};

use crate::folded::Folded;
use crate::kernels::single::{self, LayerNorm, Pixels, blocks};
use crate::kernels::team::{Team, chunks, chunks_mut};
use crate::kernels::winograd::{self, one_image};
use crate::kernels::{self, Isa, LANES, Lanes, activation, join, pool2d, upsample};
use crate::layout::Layout;
use crate::network::{log_softmax, softmax};
use crate::pass::{apart, operands, wrong};

/// From so many multiply-adds on, more threads than one save more than sending for them costs.
const SHARED: u64 = 4_000_000;

/// A net's weights, packed for one image, and how its values are stored.
#[derive(Debug)]
pub(crate) struct Single {
    packed: Vec<Lanes>,
    nodes: Vec<Place>,
    /// How many of them are inputs.
    inputs: usize,
    /// How many threads an image is worth.
    pub(crate) threads: usize,
    /// Numbers of 16 channels that a step needs for each thread while it runs.
    scratch: usize,
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
    /// Whether the value is one of the inputs as it came.
    is_image: bool,
    /// Then where it stands among the numbers of all inputs.
    pixels: Range<usize>,
    /// The node whose value it reads first.
    source: usize,
    /// The kernel of a convolution.
    kernel: Conv2dKernel,
}

/// [`Lanes`] of a value.
fn len(stored: Shape) -> usize {
    match stored.rank() {
        3 => blocks(stored.dim(0)) * stored.dim(1) * stored.dim(2),
        _ => blocks(stored.elements()),
    }
}

/// What one image needs of a buffer for 16.
fn part(whole: Buffer, stored: Shape) -> Buffer {
    Buffer { offset: whole.offset, len: len(stored) }
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
        layout: &Layout,
        parameters: &[f32],
        folded: Option<&Folded>,
    ) -> Option<Single> {
        let tensors = layout.tensors;
        let mut net = Single {
            packed: Vec::new(),
            nodes: Vec::new(),
            inputs: graph.input_count(),
            threads: 1,
            scratch: 0,
            packs_image: false,
        };
        let work = |(node, output): (&Node<'_>, &Shape)| {
            node.inputs.first().map_or(0, |&input| node.op.multiply_adds(shapes[input], *output))
        };
        if graph.nodes.iter().zip(shapes).map(work).sum::<u64>() >= SHARED {
            net.threads = usize::MAX;
        }
        for (index, node) in graph.nodes.iter().enumerate() {
            let tensor = |kind: TensorKind| {
                let tensor = tensors.iter().find(|t| t.node == index && t.kind == kind)?;
                Some(&parameters[tensor.offset..tensor.offset + tensor.shape.elements()])
            };
            let (weight, bias) = match folded.and_then(|folded| folded.of(index)) {
                Some((weight, bias)) => (Some(weight), Some(bias)),
                None => (tensor(TensorKind::Weight), tensor(TensorKind::Bias)),
            };
            let source = node.inputs.first().copied().unwrap_or(index);
            let start = net.packed.len();
            let (mut stored, mut is_image) = (shapes[index], matches!(node.op, Op::Input { .. }));
            let mut pixels = 0..0;
            let mut kernel = Conv2dKernel::Direct;
            match node.op {
                Op::Input { .. } => {
                    // They follow one another.
                    let first = net.nodes.last().map_or(0, |before| before.pixels.end);
                    pixels = first..first + stored.elements();
                }
                Op::Flatten | Op::Dropout { .. } | Op::NetInput { .. } | Op::NetOutput { .. } => {
                    stored = net.nodes[source].stored;
                    is_image = net.nodes[source].is_image;
                    pixels = net.nodes[source].pixels.clone();
                }
                Op::Conv2d { .. } | Op::DepthwiseConv2d { .. } => {
                    let g = node.op.conv2d(shapes[source])?;
                    if !single::runs_conv2d(&g) {
                        return None;
                    }
                    let from_image = net.nodes[source].is_image;
                    net.packs_image |= is_depthwise(&g) && from_image;
                    if winograd::is_enabled() && !from_image {
                        kernel = Conv2dKernel::choose_for_one(&g);
                    }
                    net.pack_conv2d(kernel, &g, weight?, bias);
                }
                Op::ConvTranspose2d { .. } => {
                    let g = node.op.conv_transpose2d(shapes[source])?;
                    if !single::runs_conv_transpose2d(&g) {
                        return None;
                    }
                    let len = single::conv_transpose2d_packed_len(&g);
                    net.packed.resize(start + len, Lanes::ZERO);
                    single::pack_conv_transpose2d(&g, weight?, bias, &mut net.packed[start..]);
                }
                Op::Linear { out_features, .. } => {
                    net.pack_linear(source, out_features, weight?, bias)
                }
                Op::MaxPool2d { .. }
                | Op::AvgPool2d { .. }
                | Op::GlobalAvgPool
                | Op::Upsample { .. } => {
                    net.packs_image |= net.nodes[source].is_image;
                }
                Op::BatchNorm { .. } if layout.is_folded(index) => {
                    stored = net.nodes[source].stored;
                }
                Op::BatchNorm { eps, .. } => {
                    stored = net.nodes[source].stored;
                    net.packs_image |= net.nodes[source].is_image;
                    let running = [TensorKind::RunningMean, TensorKind::RunningVar].map(tensor);
                    net.pack_batch_norm(stored, running, weight, bias, eps)?;
                }
                Op::LayerNorm { .. } => {
                    stored = net.nodes[source].stored;
                    net.packs_image |= net.nodes[source].is_image;
                    for numbers in [weight, bias].into_iter().flatten() {
                        let start = net.packed.len();
                        net.packed.resize(start + len(stored), Lanes::ZERO);
                        net.pack_value(stored, numbers, start);
                    }
                }
                Op::Add => {
                    stored = net.nodes[source].stored;
                    for &input in node.inputs {
                        net.packs_image |= net.nodes[input].is_image;
                        // The same numbers may stand in another order after a flatten.
                        if net.nodes[input].stored != stored {
                            return None;
                        }
                    }
                }
                Op::Softmax | Op::LogSoftmax => {
                    stored = net.nodes[source].stored;
                    net.packs_image |= net.nodes[source].is_image;
                    if !in_order(stored) {
                        return None;
                    }
                }
                Op::Scale { .. } => {
                    stored = net.nodes[source].stored;
                    net.packs_image |= net.nodes[source].is_image;
                }
                Op::Own(_) => {
                    let numbers = shapes[source].elements().div_ceil(LANES);
                    net.scratch = net.scratch.max(numbers + stored.elements().div_ceil(LANES));
                }
                _ if node.op.activation().is_some() => {
                    stored = net.nodes[source].stored;
                    net.packs_image |= net.nodes[source].is_image;
                }
                _ => return None,
            }
            let packed = start..net.packed.len();
            net.nodes.push(Place { packed, stored, is_image, pixels, source, kernel });
        }
        // An image that nothing changes is not worth a kernel.
        let is_changed = |output: &Output| !net.nodes[output.node].is_image;
        layout.outputs.iter().all(is_changed).then_some(net)
    }

    /// Packs numbers in the places of a value's, from the `start`-th on.
    fn pack_value(&mut self, stored: Shape, numbers: &[f32], start: usize) {
        let to = &mut self.packed[start..];
        if in_order(stored) {
            single::flat_mut(to)[..numbers.len()].copy_from_slice(numbers);
        } else {
            single::from_planar(numbers, stored.dim(0), to);
        }
    }

    /// Packs a batch norm as a factor and a summand for each channel; `None` where the channels have
    /// no place of their own.
    fn pack_batch_norm(
        &mut self,
        stored: Shape,
        running: [Option<&[f32]>; 2],
        weight: Option<&[f32]>,
        bias: Option<&[f32]>,
        eps: f32,
    ) -> Option<()> {
        let [mean, variance] = [running[0]?, running[1]?];
        if mean.len() != stored.dim(0) {
            return None;
        }
        let start = self.packed.len();
        let blocks = blocks(mean.len());
        self.packed.resize(start + 2 * blocks, Lanes::ZERO);
        let (scale, shift) =
            single::flat_mut(&mut self.packed[start..]).split_at_mut(blocks * LANES);
        for (channel, (&mean, &variance)) in mean.iter().zip(variance).enumerate() {
            let spread = (f64::from(variance) + f64::from(eps)).sqrt();
            let factor = weight.map_or(1.0, |weight| f64::from(weight[channel])) / spread;
            let summand = bias.map_or(0.0, |bias| f64::from(bias[channel]));
            scale[channel] = factor as f32;
            shift[channel] = (summand - f64::from(mean) * factor) as f32;
        }
        Some(())
    }

    /// Packs a convolution's weights for its kernel.
    fn pack_conv2d(
        &mut self,
        kernel: Conv2dKernel,
        g: &Conv2d,
        weight: &[f32],
        bias: Option<&[f32]>,
    ) {
        let start = self.packed.len();
        if kernel == Conv2dKernel::Direct {
            self.packed.resize(start + single::conv2d_packed_len(g), Lanes::ZERO);
            single::pack_conv2d(g, weight, bias, &mut self.packed[start..]);
        } else {
            self.packed.resize(start + one_image::packed_len(kernel, g), Lanes::ZERO);
            one_image::pack(kernels::isa(), kernel, g, weight, bias, &mut self.packed[start..]);
            self.scratch = self.scratch.max(one_image::scratch_len(kernel, g, 1));
        }
    }

    /// Numbers of 16 channels that a team of so many threads needs for itself.
    pub(crate) fn scratch_len(&self, threads: usize) -> usize {
        threads * self.scratch
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

    /// Writes the inputs where the layers read them, if one does not read them as they come.
    pub(crate) fn load(&self, image: &[f32], to: &mut [Lanes]) {
        if !self.packs_image {
            return;
        }
        for Place { stored, pixels, .. } in &self.nodes[..self.inputs] {
            let to = &mut to[pixels.start..][..len(*stored)];
            single::from_planar(&image[pixels.clone()], stored.dim(0), to);
        }
    }

    /// The value of `node` in order.
    pub(crate) fn store(&self, node: usize, from: &[Lanes], output: &mut [f32]) {
        let stored = self.nodes[node].stored;
        let from = &from[..len(stored)];
        if in_order(stored) {
            output.copy_from_slice(&single::flat(from)[..output.len()]);
        } else {
            single::to_planar(from, stored.dim(0), output);
        }
    }
}

/// The forward pass of one image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Image<'a> {
    pub(crate) net: &'a Single,
    pub(crate) team: &'a Team,
    pub(crate) pixels: &'a [f32],
}

impl Image<'_> {
    fn place(&self, step: &Step) -> (&Place, &Place) {
        let place = &self.net.nodes[step.node];
        (place, &self.net.nodes[place.source])
    }

    /// One of the inputs, if that is what a layer reads, as it came.
    fn as_it_came(&self, source: &Place) -> Option<&[f32]> {
        source.is_image.then(|| &self.pixels[source.pixels.clone()])
    }

    /// What a convolution reads: an input as it came, or the value `x`.
    fn pixels<'a>(&'a self, source: &Place, x: &'a [Lanes]) -> Pixels<'a> {
        self.as_it_came(source).map_or(Pixels::Blocked(x), Pixels::Planar)
    }

    /// The value that a step reads and the one that it writes.
    fn values<'a>(&self, step: &Step, arena: &'a mut [Lanes]) -> [&'a mut [Lanes]; 2] {
        let (place, source) = self.place(step);
        let x = part(step.inference.input, source.stored);
        let y = part(step.inference.output, place.stored);
        apart(arena, [x, y])
    }

    /// [`values`](Self::values), and the one that the step adds.
    fn operands<'a>(
        &self,
        step: &Step,
        arena: &'a mut [Lanes],
    ) -> (&'a [Lanes], Option<&'a [Lanes]>, &'a mut [Lanes]) {
        let (place, source) = self.place(step);
        let x = part(step.inference.input, source.stored);
        let y = part(step.inference.output, place.stored);
        let added = step.inference.added.map(|added| part(added, place.stored));
        operands(arena, &Buffers { input: x, added, output: y, ..step.inference })
    }

    pub(crate) fn conv2d(&self, isa: Isa, step: &Step, arena: &mut [Lanes], scratch: &mut [Lanes]) {
        let Some(g) = step.op.conv2d(step.input) else { return wrong(step) };
        let (place, source) = self.place(step);
        let packed = &self.net.packed[place.packed.clone()];
        let (f, (x, other, y)) = (step.inference.activation, self.operands(step, arena));
        if is_depthwise(&g) {
            single::depthwise_conv2d(isa, self.team, &g, x, packed, other, f, y);
        } else if place.kernel != Conv2dKernel::Direct {
            let kernel = place.kernel;
            one_image::forward(isa, self.team, kernel, &g, x, packed, other, f, y, scratch);
        } else {
            let pixels = self.pixels(source, x);
            single::conv2d(isa, self.team, &g, pixels, packed, other, f, y);
        }
    }

    pub(crate) fn conv_transpose2d(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let Some(g) = step.op.conv_transpose2d(step.input) else { return wrong(step) };
        let (place, source) = self.place(step);
        let packed = &self.net.packed[place.packed.clone()];
        let (f, (x, other, y)) = (step.inference.activation, self.operands(step, arena));
        let pixels = self.pixels(source, x);
        single::conv_transpose2d(isa, self.team, &g, pixels, packed, other, f, y);
    }

    pub(crate) fn linear(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let (place, source) = self.place(step);
        let packed = &self.net.packed[place.packed.clone()];
        let (x, other, y) = self.operands(step, arena);
        let x = match (self.as_it_came(source), source.stored) {
            (Some(input), _) => input,
            (None, stored) if in_order(stored) => &single::flat(x)[..stored.elements()],
            (None, _) => single::flat(x),
        };
        single::linear(isa, self.team, x, packed, other, step.inference.activation, y);
    }

    pub(crate) fn pool2d(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let (_, source) = self.place(step);
        let [height, width] = [1, 2].map(|i| source.stored.dim(i));
        let of_block = Shape::new(&[1, height, width]);
        let Some(g) = step.op.pool2d(of_block) else { return wrong(step) };
        let [x, y] = self.values(step, arena);
        let parts =
            (chunks(x, height * width), chunks_mut(y, step.output.dim(1) * step.output.dim(2)));
        self.team.for_each(parts, |_, (x, y)| match step.op {
            Op::MaxPool2d { .. } => pool2d::max_forward(isa, &g, x, y),
            _ => pool2d::avg_forward(isa, &g, x, y),
        });
    }

    pub(crate) fn upsample(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let (_, source) = self.place(step);
        let [channels, height, width] = [0, 1, 2].map(|i| source.stored.dim(i));
        let of_blocks = Shape::new(&[blocks(channels), height, width]);
        let Some(g) = step.op.upsample2d(of_blocks) else { return wrong(step) };
        let [x, y] = self.values(step, arena);
        upsample::forward(isa, &g, x, y);
    }

    pub(crate) fn scale(&self, isa: Isa, step: &Step, factor: f32, arena: &mut [Lanes]) {
        let [x, y] = self.values(step, arena);
        kernels::scale(isa, factor, x, y);
    }

    pub(crate) fn global_avg_pool(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let [x, y] = self.values(step, arena);
        pool2d::global_avg_forward(isa, x, y);
    }

    pub(crate) fn activation(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let [x, y] = self.values(step, arena);
        activation::forward(isa, step.op.activation().unwrap_or(step.inference.activation), x, y);
    }

    pub(crate) fn softmax(&self, step: &Step, arena: &mut [Lanes]) {
        let (place, _) = self.place(step);
        let [x, y] = self.values(step, arena);
        y.copy_from_slice(x);
        let row = &mut single::flat_mut(y)[..place.stored.elements()];
        match step.op {
            Op::LogSoftmax => log_softmax(row),
            _ => softmax(row),
        }
    }

    pub(crate) fn batch_norm(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let (place, _) = self.place(step);
        let packed = &self.net.packed[place.packed.clone()];
        let (scale, shift) = packed.split_at(packed.len() / 2);
        let (x, other, y) = self.operands(step, arena);
        single::affine(isa, x, scale, shift, other, step.inference.activation, y);
    }

    pub(crate) fn layer_norm(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let Op::LayerNorm { eps, .. } = step.op else { return wrong(step) };
        let (place, _) = self.place(step);
        let packed = &self.net.packed[place.packed.clone()];
        let (weight, bias) = packed.split_at(packed.len() / 2);
        let [weight, bias] = [weight, bias].map(|part| (!part.is_empty()).then_some(part));
        let norm = LayerNorm { channels: place.stored.dim(0), eps, weight, bias };
        let [x, y] = self.values(step, arena);
        single::layer_norm(isa, &norm, x, step.inference.activation, y);
    }

    /// A layer of the user's own, which reads and writes images in order.
    pub(crate) fn own(
        &self,
        step: &Step,
        own: &Own,
        parameters: Parameters<'_>,
        arena: &mut [Lanes],
        scratch: &mut [Lanes],
    ) {
        let (place, source) = self.place(step);
        let [x, y] = self.values(step, arena);
        let [x_len, y_len] = [step.input.elements(), step.output.elements()];
        let (own_x, own_y) = scratch.split_at_mut(x_len.div_ceil(LANES));
        let x = match (self.as_it_came(source), source.stored) {
            (Some(input), _) => input,
            (None, stored) if in_order(stored) => &single::flat(x)[..x_len],
            (None, stored) => {
                let numbers = &mut single::flat_mut(own_x)[..x_len];
                single::to_planar(x, stored.dim(0), numbers);
                numbers
            }
        };
        let numbers = &mut single::flat_mut(own_y)[..y_len];
        numbers.fill(0.0);
        own.layer.forward(step.input, parameters, x, numbers);
        if in_order(place.stored) {
            let (y, rest) = single::flat_mut(y).split_at_mut(y_len);
            y.copy_from_slice(numbers);
            rest.fill(0.0);
        } else {
            single::from_planar(numbers, place.stored.dim(0), y);
        }
    }

    pub(crate) fn add(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let (place, _) = self.place(step);
        let len = len(place.stored);
        let y = Buffer { len, ..step.inference.output };
        for (k, source) in step.sources().iter().enumerate() {
            let [x, y] = apart(arena, [Buffer { len, ..source.inference }, y]);
            match k {
                0 => y.copy_from_slice(x),
                _ if k + 1 == step.sources().len() => {
                    join::add_activated(isa, x, step.inference.activation, y);
                }
                _ => join::add(isa, x, y),
            }
        }
    }
}

//! The forward pass of one image: one method for each kind of layer.

use typenet_kernels::blocked::{self, LayerNorm, Pixels};
use typenet_kernels::team::{Team, chunks, chunks_mut};
use typenet_kernels::winograd::blocked as blocked_winograd;
use typenet_kernels::{Isa, LANES, Lanes, activation, elementwise, pool2d, upsample};
use typenet_shape::{Buffer, Buffers, Conv2dKernel, Op, Own, Parameters, Shape, Step};

use super::plan::{Place, in_order, is_depthwise, len, part};
use super::weights::OneImageWeights;
use crate::arena::{apart, operands, wrong};
use crate::rows::{log_softmax, softmax};

/// The forward pass of one image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OneImage<'a> {
    pub(crate) net: &'a OneImageWeights,
    pub(crate) team: &'a Team,
    pub(crate) pixels: &'a [f32],
}

impl OneImage<'_> {
    fn place(&self, step: &Step) -> (&Place, &Place) {
        let place = &self.net.plan.nodes[step.node];
        (place, &self.net.plan.nodes[place.source])
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
            blocked::depthwise_conv2d(isa, self.team, &g, x, packed, other, f, y);
        } else if place.kernel != Conv2dKernel::Direct {
            let kernel = place.kernel;
            blocked_winograd::forward(isa, self.team, kernel, &g, x, packed, other, f, y, scratch);
        } else {
            let pixels = self.pixels(source, x);
            blocked::conv2d(isa, self.team, &g, pixels, packed, other, f, y);
        }
    }

    pub(crate) fn conv_transpose2d(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let Some(g) = step.op.conv_transpose2d(step.input) else { return wrong(step) };
        let (place, source) = self.place(step);
        let packed = &self.net.packed[place.packed.clone()];
        let (f, (x, other, y)) = (step.inference.activation, self.operands(step, arena));
        let pixels = self.pixels(source, x);
        blocked::conv_transpose2d(isa, self.team, &g, pixels, packed, other, f, y);
    }

    pub(crate) fn linear(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let (place, source) = self.place(step);
        let packed = &self.net.packed[place.packed.clone()];
        let (x, other, y) = self.operands(step, arena);
        let x = match (self.as_it_came(source), source.stored) {
            (Some(input), _) => input,
            (None, stored) if in_order(stored) => &blocked::flat(x)[..stored.elements()],
            (None, _) => blocked::flat(x),
        };
        blocked::linear(isa, self.team, x, packed, other, step.inference.activation, y);
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
        let of_blocks = Shape::new(&[blocked::blocks(channels), height, width]);
        let Some(g) = step.op.upsample2d(of_blocks) else { return wrong(step) };
        let [x, y] = self.values(step, arena);
        upsample::forward(isa, &g, x, y);
    }

    pub(crate) fn scale(&self, isa: Isa, step: &Step, factor: f32, arena: &mut [Lanes]) {
        let [x, y] = self.values(step, arena);
        elementwise::scale(isa, factor, x, y);
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
        let row = &mut blocked::flat_mut(y)[..place.stored.elements()];
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
        blocked::affine(isa, x, scale, shift, other, step.inference.activation, y);
    }

    pub(crate) fn layer_norm(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let Op::LayerNorm { eps, .. } = step.op else { return wrong(step) };
        let (place, _) = self.place(step);
        let packed = &self.net.packed[place.packed.clone()];
        let (weight, bias) = packed.split_at(packed.len() / 2);
        let [weight, bias] = [weight, bias].map(|part| (!part.is_empty()).then_some(part));
        let norm = LayerNorm { channels: place.stored.dim(0), eps, weight, bias };
        let [x, y] = self.values(step, arena);
        blocked::layer_norm(isa, &norm, x, step.inference.activation, y);
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
            (None, stored) if in_order(stored) => &blocked::flat(x)[..x_len],
            (None, stored) => {
                let numbers = &mut blocked::flat_mut(own_x)[..x_len];
                blocked::to_planar(x, stored.dim(0), numbers);
                numbers
            }
        };
        let numbers = &mut blocked::flat_mut(own_y)[..y_len];
        numbers.fill(0.0);
        own.layer.forward(step.input, parameters, x, numbers);
        if in_order(place.stored) {
            let (y, rest) = blocked::flat_mut(y).split_at_mut(y_len);
            y.copy_from_slice(numbers);
            rest.fill(0.0);
        } else {
            blocked::from_planar(numbers, place.stored.dim(0), y);
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
                    elementwise::add_activated(isa, x, step.inference.activation, y);
                }
                _ => elementwise::add(isa, x, y),
            }
        }
    }
}

//! Convolutions.

use typenet_kernels::Lanes;
use typenet_kernels::blocked::{self, Pixels};
use typenet_kernels::winograd::{self, blocked as blocked_winograd};
use typenet_shape::{Conv2d, Conv2dKernel, Conv2dPass, Step, TensorKind};

use super::call::Write;
use super::call::{Call, From};
use super::gradients::{Gradients, own};
use super::grouped::{self, Grouped, is_grouped};
use super::run::{Operands, Run, apart};

fn is_depthwise(g: &Conv2d) -> bool {
    g.groups > 1 && g.groups == g.out_channels && g.groups == g.input.dim(0)
}

/// The kernel of a pass; what reads an image as it came has one alone.
fn kernel(g: &Conv2d, pass: Conv2dPass, images: usize, is_image: bool) -> Conv2dKernel {
    if is_image || !winograd::is_enabled() {
        return Conv2dKernel::Direct;
    }
    Conv2dKernel::choose_for_images(g, pass, images)
}

/// [`Lanes`] that a convolution needs for itself, forward and backward, where it reads an image as it came or a
/// value, and `gives` a gradient to that or not.
pub(super) fn room_len(g: &Conv2d, images: usize, is_image: bool, gives: bool) -> [usize; 2] {
    let bias = if g.bias { blocked::bias_gradient_room(g.out_channels, images) } else { 0 };
    if is_depthwise(g) {
        let weight = blocked::depthwise_weight_room(g, images);
        let data = blocked::depthwise_data_packed_len(g);
        return [blocked::conv2d_packed_len(g), weight.max(data).max(bias)];
    }
    if is_grouped(g) {
        let [forward, backward] = grouped::room_len(g, images);
        return [forward, backward.max(bias)];
    }
    let forward = match kernel(g, Conv2dPass::Forward, images, is_image) {
        Conv2dKernel::Direct => blocked::conv2d_packed_len(g),
        kernel => blocked_winograd::packed_len(kernel, g),
    };
    let weight = match kernel(g, Conv2dPass::BackwardWeight, images, is_image) {
        Conv2dKernel::Direct => blocked::conv2d_weight_gradient_room(g, images, is_image),
        kernel => blocked_winograd::weight_room_len(kernel, g, images),
    };
    let data = match kernel(g, Conv2dPass::BackwardData, images, is_image) {
        _ if !gives => 0,
        Conv2dKernel::Direct => blocked::conv2d_data_room(g, images),
        kernel => blocked_winograd::data_packed_len(kernel, g),
    };
    [forward, weight.max(data).max(bias)]
}

/// [`Lanes`] that each thread needs for itself, in the pass that needs more; see [`room_len`].
pub(super) fn scratch_len(g: &Conv2d, images: usize, is_image: bool, gives: bool) -> usize {
    if g.groups > 1 {
        return 0;
    }
    let forward = match kernel(g, Conv2dPass::Forward, images, is_image) {
        Conv2dKernel::Direct => 0,
        kernel => blocked_winograd::scratch_len(kernel, g, 1),
    };
    let data = match kernel(g, Conv2dPass::BackwardData, images, is_image) {
        Conv2dKernel::Direct => 0,
        _ if !gives => 0,
        kernel => blocked_winograd::data_scratch_len(kernel, g, 1),
    };
    forward.max(data)
}

impl Run<'_> {
    /// Convolution with bias, sum and activation.
    pub(super) fn conv2d(&mut self, call: &Call, step: &Step) {
        let Some(g) = step.op.conv2d(step.input) else { return };
        let (isa, team, inputs) = (self.isa, self.team, self.inputs);
        let is_image = matches!(call.reads[0].from, From::Image(..));
        let kernel = kernel(&g, Conv2dPass::Forward, self.images, is_image);
        let threads = team.threads();
        let mut rooms = std::mem::take(self.rooms);
        let parameters = self.parameters;
        let weight = &parameters[self.layout.place(step.node, TensorKind::Weight)];
        let bias = self.layout.tensor(parameters, step.node, TensorKind::Bias);
        let input_len = self.layout.input_len;
        let f = step.training.activation;
        let images = self.images;
        let Operands { x, other, room, y } = self.operands(call);
        if is_depthwise(&g) {
            blocked::pack_conv2d_shared(isa, team, &g, weight, bias, room);
            blocked::depthwise_conv2d(isa, team, &g, x, room, other, f, y);
        } else if is_grouped(&g) {
            let of = Grouped { isa, team, g, images };
            of.forward(x, (weight, bias), other, f, room, y);
        } else if kernel == Conv2dKernel::Direct {
            blocked::pack_conv2d_shared(isa, team, &g, weight, bias, room);
            let x = pixels(&call.reads[0].from, x, inputs, input_len);
            blocked::conv2d(isa, team, &g, x, room, other, f, y);
        } else {
            let len = blocked_winograd::scratch_len(kernel, &g, threads);
            let scratch = Run::scratch(&mut rooms, len);
            blocked_winograd::pack_shared(isa, team, kernel, &g, weight, bias, room);
            blocked_winograd::forward(isa, team, kernel, &g, x, room, other, f, y, scratch);
        }
        *self.rooms = rooms;
    }

    /// Gradients of a convolution.
    pub(super) fn conv2d_backward(
        &mut self,
        call: &Call,
        step: &Step,
        gradients: &mut Gradients<'_>,
    ) {
        let Some(g) = step.op.conv2d(step.input) else { return };
        let Some(gradient) = self.output_gradient(call) else { return };
        if !step.is_undone {
            self.undo_activation(call, step.training.activation);
        }
        self.give(call);
        let (isa, team, images, inputs) = (self.isa, self.team, self.images, self.inputs);
        let read = &call.reads[0];
        let room = call.room[1].clone();
        let is_image = matches!(read.from, From::Image(..));
        if self.needs(step.node).own {
            let [dw, db] = own(self.layout, step.node, gradients.all);
            let accumulate = gradients.accumulate;
            let [x, dy, room] =
                apart(self.arena, [self.read(read), gradient.clone(), room.clone()]);
            let kernel = kernel(&g, Conv2dPass::BackwardWeight, images, is_image);
            match dw {
                None => {}
                Some(dw) if is_depthwise(&g) => blocked::depthwise_backward_weight(
                    isa, team, &g, images, x, dy, room, accumulate, dw,
                ),
                Some(dw) if is_grouped(&g) => {
                    let of = Grouped { isa, team, g, images };
                    of.backward_weight(x, dy, room, accumulate, dw);
                }
                Some(dw) if kernel == Conv2dKernel::Direct => {
                    let x = pixels(&read.from, x, inputs, self.layout.input_len);
                    blocked::conv2d_backward_weight(
                        isa, team, &g, images, x, dy, room, accumulate, dw,
                    );
                }
                Some(dw) => blocked_winograd::backward_weight(
                    isa, team, kernel, &g, images, x, dy, room, accumulate, dw,
                ),
            }
            if let Some(db) = db {
                blocked::backward_bias(isa, team, images, dy, room, accumulate, db);
            }
        }
        let Some(input_gradient) = self.input_gradient(read) else { return };
        let adds = read.write == Write::Adds;
        let mut rooms = std::mem::take(self.rooms);
        let weight = &self.parameters[self.layout.place(step.node, TensorKind::Weight)];
        let kernel = kernel(&g, Conv2dPass::BackwardData, images, is_image);
        let [dy, dx, room] = apart(self.arena, [gradient, input_gradient, room]);
        if is_depthwise(&g) {
            let packed = &mut room[..blocked::depthwise_data_packed_len(&g)];
            blocked::pack_depthwise_data(&g, weight, packed);
            blocked::depthwise_backward_data(isa, team, &g, images, dy, packed, adds, dx);
        } else if is_grouped(&g) {
            Grouped { isa, team, g, images }.backward_data(dy, weight, room, adds, dx);
        } else if kernel == Conv2dKernel::Direct {
            blocked::conv2d_backward_data(isa, team, &g, dy, weight, room, adds, dx);
        } else {
            let packed = &mut room[..blocked_winograd::data_packed_len(kernel, &g)];
            let len = blocked_winograd::data_scratch_len(kernel, &g, team.threads());
            let scratch = Run::scratch(&mut rooms, len);
            blocked_winograd::pack_data(isa, team, kernel, &g, weight, packed);
            blocked_winograd::backward_data(isa, team, kernel, &g, dy, packed, adds, dx, scratch);
        }
        *self.rooms = rooms;
    }
}

/// What a convolution reads: an image as it came, or the value `x`.
fn pixels<'a>(from: &From, x: &'a [Lanes], inputs: &'a [f32], step: usize) -> Pixels<'a> {
    match *from {
        From::Image(start) => Pixels::Planar { numbers: &inputs[start..], step },
        From::Value(_) => Pixels::Blocked(x),
    }
}

//! Convolutions.

use typenet_kernels::blocked::{self, Pixels};
use typenet_kernels::winograd::{self, blocked as blocked_winograd};
use typenet_kernels::{Isa, Lanes};
use typenet_shape::{Conv2d, Conv2dKernel, Shape, Step, TensorKind};

use super::backward::{Gradients, own};
use super::lives::Write;
use super::plan::{Call, From};
use super::run::{Operands, Run, apart};

/// Whether there are kernels for a convolution.
pub(super) fn runs(g: &Conv2d) -> bool {
    g.groups == 1
}

/// The kernel of the forward pass.
fn forward_kernel(g: &Conv2d, is_image: bool) -> Conv2dKernel {
    if is_image || !winograd::is_enabled() {
        return Conv2dKernel::Direct;
    }
    Conv2dKernel::choose_for_one(g)
}

/// The kernel of the data gradient: that of the convolution which it is.
fn data_kernel(g: &Conv2d) -> Conv2dKernel {
    let Ok(output) = g.output() else { return Conv2dKernel::Direct };
    let reach = [0, 1].map(|axis| (g.kernel[axis] - 1) * g.dilation[axis]);
    if g.stride != [1, 1] || !winograd::is_enabled() || g.padding[0] > reach[0] {
        return Conv2dKernel::Direct;
    }
    let padding = [0, 1].map(|axis| reach[axis].saturating_sub(g.padding[axis]));
    let [outs, ins] = [g.out_channels, g.input.dim(0)];
    let back = Conv2d { input: output, out_channels: ins, padding, extra: [0, 0], ..*g };
    debug_assert_eq!(output.dim(0), outs);
    Conv2dKernel::choose_for_one(&back)
}

/// [`Lanes`] that a convolution needs for itself, forward and backward.
pub(super) fn room_len(g: &Conv2d, images: usize, is_image: bool) -> [usize; 2] {
    let forward = match forward_kernel(g, is_image) {
        Conv2dKernel::Direct => blocked::conv2d_packed_len(g),
        kernel => blocked_winograd::packed_len(kernel, g),
    };
    let weight = blocked::conv2d_weight_gradient_room(g, images, is_image);
    let bias = blocked::bias_gradient_room(g.out_channels, images);
    let data = match data_kernel(g) {
        _ if is_image => 0,
        Conv2dKernel::Direct => blocked::conv2d_data_packed_len(g),
        kernel => blocked_winograd::data_packed_len(kernel, g),
    };
    [forward, weight.max(data).max(if g.bias { bias } else { 0 })]
}

impl Run<'_> {
    /// Convolution with bias, sum and activation.
    pub(super) fn conv2d(&mut self, call: &Call, step: &Step) {
        let Some(g) = step.op.conv2d(step.input) else { return };
        let (isa, team, inputs) = (self.isa, self.team, self.inputs);
        let kernel = forward_kernel(&g, matches!(call.reads[0].from, From::Image(..)));
        let threads = team.threads();
        let mut rooms = std::mem::take(self.rooms);
        let parameters = self.parameters;
        let [weight, bias] =
            [TensorKind::Weight, TensorKind::Bias].map(|kind| self.layout.place(step.node, kind));
        let weight = &parameters[weight];
        let bias = (!bias.is_empty()).then(|| &parameters[bias]);
        let input_len = self.layout.input_len;
        let f = step.training.activation;
        let Operands { x, other, room, y } = self.operands(call);
        if kernel == Conv2dKernel::Direct {
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
        if self.needs(step.node).own {
            let [dw, db] = own(self.layout, step.node, gradients.all);
            let accumulate = gradients.accumulate;
            let [x, dy, room] =
                apart(self.arena, [self.read(read), gradient.clone(), room.clone()]);
            if let Some(dw) = dw {
                let x = pixels(&read.from, x, inputs, self.layout.input_len);
                blocked::conv2d_backward_weight(isa, team, &g, images, x, dy, room, accumulate, dw);
            }
            if let Some(db) = db {
                blocked::backward_bias(isa, team, images, dy, room, accumulate, db);
            }
        }
        let Some(input_gradient) = self.input_gradient(read) else { return };
        let adds = read.write == Write::Adds;
        let mut rooms = std::mem::take(self.rooms);
        let weight = &self.parameters[self.layout.place(step.node, TensorKind::Weight)];
        let kernel = data_kernel(&g);
        let [dy, dx, room] = apart(self.arena, [gradient, input_gradient, room]);
        if kernel == Conv2dKernel::Direct {
            let packed = &mut room[..blocked::conv2d_data_packed_len(&g)];
            blocked::pack_conv2d_data(team, &g, weight, packed);
            blocked::conv2d_backward_data(isa, team, &g, dy, packed, adds, dx);
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
        From::Image(start, _) => Pixels::Planar { numbers: &inputs[start..], step },
        From::Value(_) => Pixels::Blocked(x),
    }
}

//! Transposed convolutions: the gradients are those of the convolution back, with its roles exchanged.

use typenet_kernels::blocked::{self, Pixels};
use typenet_shape::{Conv2d, ConvTranspose2d, Step, TensorKind};

use super::call::Call;
use super::call::Write;
use super::gradients::{Gradients, own};
use super::run::{Operands, Run, apart};

/// The convolution from the output back to the input.
fn back(g: &ConvTranspose2d) -> Option<Conv2d> {
    g.output().ok().map(|output| g.transposed(output))
}

/// Whether there are kernels for a transposed convolution.
pub(super) fn runs(g: &ConvTranspose2d) -> bool {
    let back = back(g).is_some_and(|back| blocked::runs_conv2d(&back) && back.groups == 1);
    back && blocked::runs_conv_transpose2d(g)
}

/// [`Lanes`](typenet_kernels::Lanes) that a transposed convolution needs for itself, forward and backward.
pub(super) fn room_len(g: &ConvTranspose2d, images: usize) -> [usize; 2] {
    let Some(back) = back(g) else { return [0, 0] };
    let weight = blocked::conv2d_weight_gradient_room(&back, images, false);
    let bias = blocked::bias_gradient_room(g.out_channels, images);
    let data = blocked::conv2d_packed_len(&back);
    [blocked::conv_transpose2d_packed_len(g), weight.max(bias).max(data)]
}

impl Run<'_> {
    /// Transposed convolution with bias, sum and activation.
    pub(super) fn conv_transpose2d(&mut self, call: &Call, step: &Step) {
        let Some(g) = step.op.conv_transpose2d(step.input) else { return };
        let (isa, team, parameters) = (self.isa, self.team, self.parameters);
        let weight = self.layout.place(step.node, TensorKind::Weight);
        let bias = self.layout.tensor(parameters, step.node, TensorKind::Bias);
        let f = step.training.activation;
        let Operands { x, other, room, y } = self.operands(call);
        blocked::pack_conv_transpose2d(&g, &parameters[weight], bias, room);
        blocked::conv_transpose2d(isa, team, &g, Pixels::Blocked(x), room, other, f, y);
    }

    /// Gradients of a transposed convolution.
    pub(super) fn conv_transpose2d_backward(
        &mut self,
        call: &Call,
        step: &Step,
        gradients: &mut Gradients<'_>,
    ) {
        let Some(g) = step.op.conv_transpose2d(step.input) else { return };
        let (Some(back), Some(gradient)) = (back(&g), self.output_gradient(call)) else { return };
        self.undo_activation(call, step.training.activation);
        self.give(call);
        let (isa, team, images) = (self.isa, self.team, self.images);
        let (read, room) = (&call.reads[0], call.room[1].clone());
        if self.needs(step.node).own {
            let accumulate = gradients.accumulate;
            let [dw, db] = own(self.layout, step.node, gradients.all);
            let ranges = [self.read(read), gradient.clone(), room.clone()];
            let [x, dy, room] = apart(self.arena, ranges);
            if let Some(dw) = dw {
                let pixels = Pixels::Blocked(dy);
                blocked::conv2d_backward_weight(
                    isa, team, &back, images, pixels, x, room, accumulate, dw,
                );
            }
            if let Some(db) = db {
                blocked::backward_bias(isa, team, images, dy, room, accumulate, db);
            }
        }
        let Some(to) = self.input_gradient(read) else { return };
        let weight = &self.parameters[self.layout.place(step.node, TensorKind::Weight)];
        let adds = read.write == Write::Adds;
        let [dy, dx, room] = apart(self.arena, [gradient, to, room]);
        let packed = &mut room[..blocked::conv2d_packed_len(&back)];
        blocked::pack_conv2d_shared(isa, team, &back, weight, None, packed);
        blocked::conv_transpose2d_backward_data(isa, team, &back, dy, packed, adds, dx);
    }
}

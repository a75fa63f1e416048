//! The passes of what comes from elsewhere: other nets, and layers of the user's own.

use typenet_shape::{Gradients, Parameters, Step};

use super::{Backward, Forward};
use crate::arena::apart;
use typenet_kernels::blocked::flat_mut;
use typenet_kernels::{Lanes, pack, unpack};

impl Forward<'_> {
    /// The step that a call means: the same unless a net that is a layer of another one runs.
    pub(super) fn at<'s>(&self, step: &'s Step) -> &'s Step {
        self.steps.at(step)
    }

    /// Runs the calls of a net that is a layer of this one and begins at this node.
    pub fn within(&mut self, first: usize, calls: impl FnOnce(&mut Self)) {
        self.steps.offset += first;
        calls(self);
        self.steps.offset -= first;
    }

    /// A layer of the user's own at this node, image by image.
    pub fn own(&mut self, node: usize, parameters: Parameters<'_>) {
        let Some((step, own)) = self.steps.own(node) else { return };
        if !self.runs(step) {
            return;
        }
        if let Some(blocked) = self.side_by_side() {
            return blocked.own(step, &own, parameters, self.arena, self.crew.scratch());
        }
        let images = self.images;
        let [x_len, y_len] = [step.input.elements(), step.output.elements()];
        let buffers = *self.mode.buffers(step);
        let [x, y] = apart(self.arena, [buffers.input, buffers.output]);
        let (xs, ys) = flat_mut(self.crew.scratch()).split_at_mut(images * x_len);
        let ys = &mut ys[..images * y_len];
        unpack(x, xs);
        ys.fill(0.0);
        for (x, y) in xs.chunks_exact(x_len).zip(ys.chunks_exact_mut(y_len)) {
            own.layer.forward(step.input, parameters, x, y);
        }
        pack(ys, y);
    }
}

impl Backward<'_> {
    /// As [`Forward::at`].
    pub(super) fn at<'s>(&self, step: &'s Step) -> &'s Step {
        self.steps.at(step)
    }

    /// As [`Forward::within`].
    pub fn within(&mut self, first: usize, calls: impl FnOnce(&mut Self)) {
        self.steps.offset += first;
        calls(self);
        self.steps.offset -= first;
    }

    /// Gradients of a layer of the user's own, image by image; the parameters' are added to
    /// `gradients`.
    pub fn own(&mut self, node: usize, parameters: Parameters<'_>, gradients: Gradients<'_>) {
        let Some((step, own)) = self.steps.own(node) else { return };
        if !self.runs(step) {
            return;
        }
        let Some(gradient) = self.output_gradient(step) else { return };
        let (images, is_trained) = (self.segment.images, self.needs(step.node).own);
        let [x_len, y_len] = [step.input.elements(), step.output.elements()];
        let input_gradient = self.input_gradient(step);
        let [x, dy] = apart(self.arena, [step.training.input, gradient]);
        let (xs, rest) = flat_mut(self.room.crew.scratch()).split_at_mut(images * x_len);
        let (dys, rest) = rest.split_at_mut(images * y_len);
        let (dxs, rest) = rest.split_at_mut(images * x_len);
        unpack(x, xs);
        unpack(dy, dys);
        dxs.fill(0.0);
        let Gradients { weight, bias } = if is_trained {
            gradients
        } else {
            // Nobody asks for these.
            let (weight, rest) = rest.split_at_mut(parameters.weight.len());
            Gradients { weight, bias: &mut rest[..parameters.bias.len()] }
        };
        let images = xs.chunks_exact(x_len).zip(dys.chunks_exact(y_len));
        for ((x, dy), dx) in images.zip(dxs.chunks_exact_mut(x_len)) {
            let gradients = Gradients { weight: &mut *weight, bias: &mut *bias };
            own.layer.backward(step.input, parameters, x, dy, dx, gradients);
        }
        if let Some(buffer) = input_gradient {
            let [dx]: [&mut [Lanes]; 1] = apart(self.arena, [buffer]);
            pack(dxs, dx);
            self.add_up(step);
        }
    }
}

//! The passes of pooling layers.

use typenet_shape::{Activation, Step};

use super::{Backward, Forward, by_channels};
use crate::arena::{apart, wrong};
use typenet_kernels::pool2d;

impl Forward<'_> {
    /// Maximum over windows.
    pub fn max_pool2d(&mut self, step: &Step) {
        let step = self.at(step);
        let Some(geometry) = step.op.pool2d(step.input) else { return wrong(step) };
        self.of_one(
            step,
            |blocked, isa, arena| blocked.pool2d(isa, step, arena),
            |isa, crew, x, y| {
                by_channels::pool(crew, &geometry, x, y, |g, x, y| {
                    pool2d::max_forward(isa, g, x, y)
                });
            },
        );
    }

    /// Average over windows.
    pub fn avg_pool2d(&mut self, step: &Step) {
        let step = self.at(step);
        let Some(geometry) = step.op.pool2d(step.input) else { return wrong(step) };
        self.of_one(
            step,
            |blocked, isa, arena| blocked.pool2d(isa, step, arena),
            |isa, crew, x, y| {
                by_channels::pool(crew, &geometry, x, y, |g, x, y| {
                    pool2d::avg_forward(isa, g, x, y)
                });
            },
        );
    }

    /// Average over height and width.
    pub fn global_avg_pool(&mut self, step: &Step) {
        let step = self.at(step);
        self.of_one(
            step,
            |blocked, isa, arena| blocked.global_avg_pool(isa, step, arena),
            |isa, _, x, y| pool2d::global_avg_forward(isa, x, y),
        );
    }
}

impl Backward<'_> {
    /// The gradient goes to the first largest value of each window.
    pub fn max_pool2d(&mut self, step: &Step) {
        let step = self.at(step);
        if !self.runs(step) {
            return;
        }
        let Some(geometry) = step.op.pool2d(step.input) else { return wrong(step) };
        let Some((gradient, input_gradient)) = self.both(step) else { return };
        let isa = self.isa;
        if step.undoes != Activation::Identity {
            let [y, dy] = apart(self.arena, [step.training.output, gradient]);
            by_channels::undo_activation(isa, &mut self.room.crew, step.undoes, y, dy);
        }
        let buffers = [step.training.input, step.training.output, gradient, input_gradient];
        let [x, y, dy, dx] = apart(self.arena, buffers);
        by_channels::max_backward(isa, &mut self.room.crew, &geometry, [x, y, dy], dx);
        self.add_up(step);
    }

    /// The gradient is spread evenly over each window.
    pub fn avg_pool2d(&mut self, step: &Step) {
        let step = self.at(step);
        let Some(geometry) = step.op.pool2d(step.input) else { return wrong(step) };
        self.of_one(step, |isa, dy, dx| pool2d::avg_backward(isa, &geometry, dy, dx));
    }

    /// The gradient is spread evenly over each channel.
    pub fn global_avg_pool(&mut self, step: &Step) {
        let step = self.at(step);
        self.of_one(step, pool2d::global_avg_backward);
    }
}

//! Pooling layers: each block of channels of each image is as a channel of 16 images.

use typenet_kernels::team::{chunks, chunks_mut};
use typenet_kernels::{Lanes, activation, pool2d};
use typenet_shape::{Activation, Op, Pool2d, Shape, Step};

use super::call::Call;
use super::run::{PIECE, Run, apart};

/// The windows on one block of channels, and [`Lanes`] of its input and output.
fn of_block(step: &Step) -> Option<(Pool2d, [usize; 2])> {
    let [height, width] = [1, 2].map(|axis| step.input.dim(axis));
    let g = step.op.pool2d(Shape::new(&[1, height, width]))?;
    Some((g, [height * width, step.output.dim(1) * step.output.dim(2)]))
}

impl Run<'_> {
    /// Maximum or average over windows.
    pub(super) fn pool2d(&mut self, call: &Call, step: &Step) {
        let Some((g, [from, to])) = of_block(step) else { return };
        let isa = self.isa;
        let ranges = [self.read(&call.reads[0]), call.value.range(self.images)];
        let [x, y] = apart(self.arena, ranges);
        let parts = (chunks(x, from), chunks_mut(y, to));
        self.team.for_each(parts, |_, (x, y)| match step.op {
            Op::MaxPool2d { .. } => pool2d::max_forward(isa, &g, x, y),
            _ => pool2d::avg_forward(isa, &g, x, y),
        });
    }

    /// The gradient goes to the first largest value of each window, or is spread evenly over it.
    pub(super) fn pool2d_backward(&mut self, call: &Call, step: &Step) {
        let Some((g, [from, to])) = of_block(step) else { return };
        let (isa, read) = (self.isa, &call.reads[0]);
        let (Some(gradient), Some(target)) = (self.output_gradient(call), self.target(call, read))
        else {
            return;
        };
        let is_max = matches!(step.op, Op::MaxPool2d { .. });
        // The average reads no values.
        let [x, y] =
            if is_max { [self.read(read), call.value.range(self.images)] } else { [0..0, 0..0] };
        let [x, y, dy, dx] = apart(self.arena, [x, y, gradient, target]);
        if step.undoes != Activation::Identity {
            let parts = (chunks(y, PIECE), chunks_mut(dy, PIECE));
            self.team.for_each(parts, |_, (y, dy)| {
                activation::backward_in_place(isa, step.undoes, y, dy);
            });
        }
        let (x, y): (&[Lanes], &[Lanes]) = (x, y);
        self.team.for_each((chunks(dy, to), chunks_mut(dx, from)), |index, (dy, dx)| {
            if is_max {
                let (x, y) = (&x[index * from..][..from], &y[index * to..][..to]);
                pool2d::max_backward(isa, &g, x, y, dy, dx);
            } else {
                pool2d::avg_backward(isa, &g, dy, dx);
            }
        });
        self.add_up(call, read);
    }

    /// Average over height and width.
    pub(super) fn global_avg_pool(&mut self, call: &Call, step: &Step) {
        let (isa, area) = (self.isa, step.input.dim(1) * step.input.dim(2));
        let ranges = [self.read(&call.reads[0]), call.value.range(self.images)];
        let [x, y] = apart(self.arena, ranges);
        let blocks = (PIECE / area).max(1);
        let parts = (chunks(x, blocks * area), chunks_mut(y, blocks));
        self.team.for_each(parts, |_, (x, y)| pool2d::global_avg_forward(isa, x, y));
    }

    /// The gradient is spread evenly over each channel.
    pub(super) fn global_avg_pool_backward(&mut self, call: &Call, step: &Step) {
        let (isa, area) = (self.isa, step.input.dim(1) * step.input.dim(2));
        let read = &call.reads[0];
        let (Some(gradient), Some(to)) = (self.output_gradient(call), self.target(call, read))
        else {
            return;
        };
        let [dy, dx] = apart(self.arena, [gradient, to]);
        let blocks = (PIECE / area).max(1);
        let parts = (chunks(dy, blocks), chunks_mut(dx, blocks * area));
        self.team.for_each(parts, |_, (dy, dx)| pool2d::global_avg_backward(isa, dy, dx));
        self.add_up(call, read);
    }
}

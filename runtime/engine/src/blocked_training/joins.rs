//! What reads several values, and what enlarges images.

use typenet_kernels::team::{chunks, chunks_mut};
use typenet_kernels::{Lanes, blocked, elementwise, upsample};
use typenet_shape::{Op, Shape, Step, Upsample2d};

use super::call::Write;
use super::call::{Call, Read, len};
use super::run::{Run, apart};

/// The channels of what a call reads.
fn channels(read: &Read) -> usize {
    read.value().map_or(0, |value| value.shape.dim(0))
}

/// The enlargement of one block of channels, and [`Lanes`] of its input and output.
fn of_block(step: &Step) -> Option<(Upsample2d, [usize; 2])> {
    let [height, width] = [1, 2].map(|axis| step.input.dim(axis));
    let g = step.op.upsample2d(Shape::new(&[1, height, width]))?;
    Some((g, [height * width, step.output.dim(1) * step.output.dim(2)]))
}

impl Run<'_> {
    /// Values one behind the other along the channels.
    pub(super) fn concat(&mut self, call: &Call) {
        let (y, of_image) = (call.value.range(self.images), len(call.value.shape));
        let mut start = 0;
        for read in &call.reads {
            let count = channels(read);
            let [x, y] = apart(self.arena, [self.read(read), y.clone()]);
            let parts = (chunks(x, x.len() / self.images), chunks_mut(y, of_image));
            self.team.for_each(parts, |_, (x, y)| blocked::join_channels(x, count, start, y));
            start += count;
        }
    }

    /// Each value has its own part of the gradient.
    pub(super) fn concat_backward(&mut self, call: &Call) {
        let Some(gradient) = self.output_gradient(call) else { return };
        let of_image = len(call.value.shape);
        let mut start = 0;
        for read in &call.reads {
            let count = channels(read);
            if let Some(to) = self.input_gradient(read) {
                let adds = read.write == Write::Adds;
                let [dy, dx] = apart(self.arena, [gradient.clone(), to]);
                let size = dx.len() / self.images;
                let parts = (chunks(dy, of_image), chunks_mut(dx, size));
                self.team.for_each(parts, |_, (dy, dx)| {
                    blocked::part_of_channels(dy, start, count, adds, dx);
                });
            }
            start += count;
        }
    }

    /// The product of values; those of one number a channel count for each of its pixels.
    pub(super) fn mul(&mut self, call: &Call) {
        let (isa, y) = (self.isa, call.value.range(self.images));
        for (k, read) in call.reads.iter().enumerate() {
            let [x, y] = apart(self.arena, [self.read(read), y.clone()]);
            let parts = equal(x, y, self.images);
            self.team.for_each(
                (chunks(x, parts[0]), chunks_mut(y, parts[1])),
                |_, (x, y)| match k {
                    0 => y.copy_from_slice(x),
                    _ => elementwise::multiply(isa, x, y),
                },
            );
        }
    }

    /// Each factor has the gradient of the product times the other factors.
    pub(super) fn mul_backward(&mut self, call: &Call) {
        let Some(gradient) = self.output_gradient(call) else { return };
        let (isa, room) = (self.isa, call.room[1].clone());
        for (k, read) in call.reads.iter().enumerate() {
            let Some(to) = self.input_gradient(read) else { continue };
            self.by_pieces(gradient.clone(), room.clone(), |_, dy, product| {
                product.copy_from_slice(dy);
            });
            for (_, factor) in call.reads.iter().enumerate().filter(|&(other, _)| other != k) {
                let [x, product] = apart(self.arena, [self.read(factor), room.clone()]);
                let parts = equal(x, product, self.images);
                let both = (chunks(x, parts[0]), chunks_mut(product, parts[1]));
                self.team.for_each(both, |_, (x, product)| elementwise::multiply(isa, x, product));
            }
            let adds = read.write == Write::Adds;
            let [product, dx] = apart(self.arena, [room.clone(), to]);
            let parts = equal(dx, product, self.images);
            let both = (chunks(product, parts[1]), chunks_mut(dx, parts[0]));
            self.team.for_each(both, |_, (product, dx)| {
                if !adds {
                    dx.fill(Lanes::ZERO);
                }
                elementwise::add_channels(isa, product, dx);
            });
        }
    }

    /// More pixels between those that there are.
    pub(super) fn upsample(&mut self, call: &Call, step: &Step) {
        let Some((g, [from, to])) = of_block(step) else { return };
        let isa = self.isa;
        let ranges = [self.read(&call.reads[0]), call.value.range(self.images)];
        let [x, y] = apart(self.arena, ranges);
        let parts = (chunks(x, from), chunks_mut(y, to));
        self.team.for_each(parts, |_, (x, y)| upsample::forward(isa, &g, x, y));
    }

    /// The gradient goes to the pixels that a number was made of.
    pub(super) fn upsample_backward(&mut self, call: &Call, step: &Step) {
        let Some((g, [from, to])) = of_block(step) else { return };
        let (isa, read) = (self.isa, &call.reads[0]);
        let (Some(gradient), Some(target)) = (self.output_gradient(call), self.target(call, read))
        else {
            return;
        };
        let [dy, dx] = apart(self.arena, [gradient, target]);
        let parts = (chunks(dy, to), chunks_mut(dx, from));
        self.team.for_each(parts, |_, (dy, dx)| upsample::backward(isa, &g, dy, dx));
        self.add_up(call, read);
    }

    /// Softmax over the channels, or its logarithm.
    pub(super) fn softmax(&mut self, call: &Call, step: &Step) {
        let (isa, channels) = (self.isa, step.input.dim(0));
        let log = matches!(step.op, Op::LogSoftmax);
        let of_image = len(call.value.shape);
        let ranges = [self.read(&call.reads[0]), call.value.range(self.images)];
        let [x, y] = apart(self.arena, ranges);
        let parts = (chunks(x, of_image), chunks_mut(y, of_image));
        self.team.for_each(parts, |_, (x, y)| blocked::softmax(isa, channels, log, x, y));
    }

    /// The gradient of a softmax.
    pub(super) fn softmax_backward(&mut self, call: &Call, step: &Step) {
        let (isa, channels) = (self.isa, step.input.dim(0));
        let log = matches!(step.op, Op::LogSoftmax);
        let of_image = len(call.value.shape);
        let read = &call.reads[0];
        let (Some(gradient), Some(target)) = (self.output_gradient(call), self.target(call, read))
        else {
            return;
        };
        let y = call.value.range(self.images);
        let [y, dy, dx] = apart(self.arena, [y, gradient, target]);
        let parts = (chunks(y, of_image), chunks(dy, of_image), chunks_mut(dx, of_image));
        self.team.for_each(parts, |_, (y, dy, dx)| {
            blocked::softmax_backward(isa, channels, log, y, dy, dx);
        });
        self.add_up(call, read);
    }
}

/// [`Lanes`] of an image of two values.
fn equal(x: &[Lanes], y: &[Lanes], images: usize) -> [usize; 2] {
    [x.len() / images, y.len() / images]
}

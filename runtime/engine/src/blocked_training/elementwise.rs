//! What works number by number.

use typenet_kernels::team::{chunks, chunks_mut};
use typenet_kernels::{activation, blocked, dropout, elementwise};
use typenet_shape::{Activation, Op, Shape, Step};

use super::call::Write;
use super::call::{Call, From, len};
use super::run::{PIECE, Run, apart};

impl Run<'_> {
    /// A value turned from one way of storing it to another.
    pub(super) fn turn(&mut self, call: &Call) {
        let (read, to) = (&call.reads[0], call.value.shape);
        let (input_len, inputs) = (self.layout.input_len, self.inputs);
        match read.from {
            From::Image(start) => {
                let [y] = apart(self.arena, [call.value.range(self.images)]);
                self.team.for_each(chunks_mut(y, len(to)), |image, y| {
                    let from = &inputs[image * input_len + start..][..to.elements()];
                    blocked::from_planar(from, to.dim(0), y);
                });
            }
            From::Value(from) => {
                let ranges = [from.range(self.images), call.value.range(self.images)];
                self.rearrange(ranges, [from.shape, to]);
            }
        }
    }

    fn rearrange(&mut self, ranges: [std::ops::Range<usize>; 2], [from, to]: [Shape; 2]) {
        let [x, y] = apart(self.arena, ranges);
        let parts = (chunks(x, len(from)), chunks_mut(y, len(to)));
        self.team.for_each(parts, |_, (x, y)| {
            blocked::rearrange(x, from.dim(0), y, to.dim(0));
        });
    }

    /// The gradient of a value that was turned, turned back.
    pub(super) fn turn_backward(&mut self, call: &Call) {
        let read = &call.reads[0];
        let (Some(gradient), Some(to), From::Value(from)) =
            (self.output_gradient(call), self.target(call, read), read.from)
        else {
            return;
        };
        self.rearrange([gradient, to], [call.value.shape, from.shape]);
        self.add_up(call, read);
    }

    /// An activation that no layer before it computes.
    pub(super) fn activation(&mut self, call: &Call, f: Activation) {
        let (x, y) = (self.read(&call.reads[0]), call.value.range(self.images));
        self.by_pieces(x, y, |isa, x, y| activation::forward(isa, f, x, y));
    }

    /// The gradient times the activation's derivative.
    pub(super) fn activation_backward(&mut self, call: &Call, f: Activation) {
        let read = &call.reads[0];
        let (Some(gradient), Some(to)) = (self.output_gradient(call), self.target(call, read))
        else {
            return;
        };
        let value = if f.from_output() { call.value.range(self.images) } else { self.read(read) };
        let isa = self.isa;
        let [value, dy, dx] = apart(self.arena, [value, gradient, to]);
        let parts = (chunks(value, PIECE), chunks(dy, PIECE), chunks_mut(dx, PIECE));
        self.team.for_each(parts, |_, (value, dy, dx)| {
            dx.copy_from_slice(dy);
            if f.from_output() {
                activation::backward_in_place(isa, f, value, dx);
            } else {
                activation::backward_from_input(isa, f, value, dx);
            }
        });
        self.add_up(call, read);
    }

    /// Zeroes some values.
    pub(super) fn dropout(&mut self, call: &Call, step: &Step) {
        let (x, y) = (self.read(&call.reads[0]), call.value.range(self.images));
        self.drop_some(step, len(call.value.shape), [x, y]);
    }

    /// The gradient where the value was kept.
    pub(super) fn dropout_backward(&mut self, call: &Call, step: &Step) {
        let read = &call.reads[0];
        let (Some(gradient), Some(to)) = (self.output_gradient(call), self.target(call, read))
        else {
            return;
        };
        self.drop_some(step, len(call.value.shape), [gradient, to]);
        self.add_up(call, read);
    }

    /// Each image with random numbers of its own.
    fn drop_some(&mut self, step: &Step, len: usize, ranges: [std::ops::Range<usize>; 2]) {
        let Op::Dropout { p } = step.op else { return };
        let (isa, key) = (self.isa, self.mode.dropout_key(step.node));
        let [x, y] = apart(self.arena, ranges);
        let parts = (chunks(x, len), chunks_mut(y, len));
        self.team.for_each(parts, |image, (x, y)| match key {
            Some(key) => {
                let key = dropout::Key { group: key.group + image as u64, ..key };
                dropout::forward(isa, p, key, x, y);
            }
            None => y.copy_from_slice(x),
        });
    }

    /// The value times a constant.
    pub(super) fn scale(&mut self, call: &Call, factor: f32) {
        let (x, y) = (self.read(&call.reads[0]), call.value.range(self.images));
        self.by_pieces(x, y, |isa, x, y| elementwise::scale(isa, factor, x, y));
    }

    /// The gradient times the constant.
    pub(super) fn scale_gradient(&mut self, call: &Call, factor: f32) {
        let read = &call.reads[0];
        let (Some(gradient), Some(to)) = (self.output_gradient(call), self.target(call, read))
        else {
            return;
        };
        self.by_pieces(gradient, to, |isa, dy, dx| elementwise::scale(isa, factor, dy, dx));
        self.add_up(call, read);
    }

    /// The sum of values, with activation.
    pub(super) fn add(&mut self, call: &Call, f: Activation) {
        let y = call.value.range(self.images);
        for (k, read) in call.reads.iter().enumerate() {
            let (x, is_last) = (self.read(read), k + 1 == call.reads.len());
            self.by_pieces(x, y.clone(), |isa, x, y| match k {
                0 => y.copy_from_slice(x),
                _ if is_last => elementwise::add_activated(isa, x, f, y),
                _ => elementwise::add(isa, x, y),
            });
        }
    }

    /// Each summand has the gradient of the sum.
    pub(super) fn add_backward(&mut self, call: &Call, f: Activation) {
        let Some(gradient) = self.output_gradient(call) else { return };
        self.undo_activation(call, f);
        for read in &call.reads {
            let Some(to) = self.input_gradient(read) else { continue };
            let adds = read.write == Write::Adds;
            self.by_pieces(gradient.clone(), to, |isa, dy, dx| {
                if adds { elementwise::add(isa, dy, dx) } else { dx.copy_from_slice(dy) }
            });
        }
    }
}

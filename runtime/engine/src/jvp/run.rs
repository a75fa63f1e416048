//! The steps of a group of images.

use typenet_kernels::{
    Epilogue, Isa, LANES, Lanes, Statistics, activation, blocked, conv_transpose2d, conv2d,
    dropout, elementwise, linear, pack, pointwise, pool2d, softmax, unpack, upsample, winograd,
};
use typenet_shape::{
    Activation, Along, Buffer, Conv2dKernel, Conv2dPass, Op, Own, Parameters, Step, TensorKind,
};

use super::Direction;
use super::plan::{Plan, Task};
use crate::arena::{apart, wrong};
use crate::layout::Layout;
use crate::pass::{Mode, kernel_of};
use crate::trainable::Needs;
use crate::weights::Folded;

/// A group of images on its way.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) isa: Isa,
    pub(super) layout: &'a Layout,
    pub(super) plan: &'a Plan,
    pub(super) images: usize,
    pub(super) mode: Mode,
    /// Whether dropout has the masks of a step with 16 channels side by side.
    pub(super) has_blocked_masks: bool,
    /// While training: what is trained of each node.
    pub(super) needs: &'a [Needs],
    pub(super) parameters: &'a [f32],
    pub(super) direction: Direction<'a>,
    /// Weights with a batch norm folded into them, and their tangents.
    pub(super) folded: [Option<&'a Folded>; 2],
    /// The weights of convolutions that transform them, and how they move.
    pub(super) transformed: [&'a [f32]; 2],
    /// While training: mean and `1 / √(variance + eps)` of all batch norms so far.
    pub(super) statistics: &'a [f32],
    /// And the means of the tangents that they read, and of these times the normalised values.
    pub(super) means: &'a [f32],
    /// Where the statistics of the batch norm go at which the segment ends.
    pub(super) gathered: &'a mut [f32],
    pub(super) values: &'a mut [Lanes],
    pub(super) tangents: &'a mut [Lanes],
    pub(super) scratch: &'a mut [Lanes],
}

/// What a step reads and writes.
pub(super) struct Operands<'a> {
    pub(super) x: &'a [Lanes],
    pub(super) other: Option<&'a [Lanes]>,
    pub(super) y: &'a mut [Lanes],
}

/// A product's weight, as it is and transformed, and its bias.
#[derive(Clone, Copy)]
struct Factors<'a> {
    weight: &'a [f32],
    transformed: &'a [f32],
    bias: Option<&'a [f32]>,
}

impl<'a> Run<'a> {
    /// Runs a task.
    pub(super) fn task(&mut self, task: &Task) {
        let step = task.step;
        match step.op {
            Op::Conv2d { .. } | Op::DepthwiseConv2d { .. } => self.conv2d(task),
            Op::Linear { .. } => self.linear(task),
            Op::ConvTranspose2d { .. } => self.conv_transpose2d(task),
            Op::BatchNorm { .. } => self.batch_norm(task),
            Op::LayerNorm { .. } | Op::GroupNorm { .. } => self.image_norm(task),
            Op::MaxPool2d { .. } => self.max_pool2d(task),
            Op::AvgPool2d { .. } => self.avg_pool2d(task),
            Op::GlobalAvgPool => self.of_each(task, pool2d::global_avg_forward),
            Op::Upsample { .. } => self.upsample(task),
            Op::Scale { factor } => {
                self.of_each(task, |isa, x, y| elementwise::scale(isa, factor, x, y));
            }
            Op::Dropout { p } => self.dropout(task, p),
            Op::Softmax | Op::LogSoftmax => self.softmax(task),
            Op::Add => self.add(task),
            Op::Mul => self.mul(task),
            Op::Concat => self.concat(task),
            Op::Own(own) => self.own(task, &own),
            op => match op.activation() {
                Some(f) => self.activation(task, f),
                None => wrong(step),
            },
        }
    }

    /// One of a layer's tensors, and how it moves; `None` where it has none of that kind, or rests.
    pub(super) fn tensor(&self, step: &Step, kind: TensorKind) -> [Option<&'a [f32]>; 2] {
        let of = |all: &'a [f32]| self.layout.tensor(all, step.node, kind);
        [of(self.parameters), self.direction.parameters.and_then(of)]
    }

    /// The buffers of a task's first input and of its value.
    pub(super) fn buffers(&self, task: &Task) -> [Buffer; 2] {
        let source = task.step.sources().first().map_or(0, |source| source.node);
        [self.plan.buffer(source), self.plan.buffer(task.value)]
    }

    /// The operands of a task, of the values and of the tangents.
    pub(super) fn operands(&mut self, task: &Task) -> [Operands<'_>; 2] {
        let [x, y] = self.buffers(task);
        let added = task.added.map(|added| self.plan.buffer(added));
        [&mut *self.values, &mut *self.tangents].map(|all| match added {
            Some(added) if added != x => {
                let [x, other, y] = apart(all, [x, added, y]);
                Operands { x, other: Some(other), y }
            }
            added => {
                let [x, y] = apart(all, [x, y]);
                let x: &[Lanes] = x;
                Operands { x, other: added.map(|_| x), y }
            }
        })
    }

    /// A linear function of one value: the same of its tangent.
    fn of_each(&mut self, task: &Task, kernel: impl Fn(Isa, &[Lanes], &mut [Lanes])) {
        let isa = self.isa;
        for Operands { x, y, .. } in self.operands(task) {
            kernel(isa, x, y);
        }
    }

    /// A product with the layer's weight, which `kernel` computes: `y = f(W x + b)`, and
    /// `ẏ = f'(…) (W ẋ + Ẇ x + ḃ)`. `place` is where the transformed weight stands.
    fn product(
        &mut self,
        task: &Task,
        place: Buffer,
        kernel: impl Fn(Isa, &[Lanes], Factors<'a>, Epilogue<'_>, &mut [Lanes], &mut [Lanes]),
    ) {
        let (isa, step) = (self.isa, task.step);
        let [weights, biases] =
            [TensorKind::Weight, TensorKind::Bias].map(|kind| self.tensor(step, kind));
        let [own, moves] = [0, 1].map(|i| {
            let transformed = self.transformed[i].get(place.offset..place.end());
            let transformed = transformed.unwrap_or_default();
            let plain = weights[i].map(|weight| Factors { weight, transformed, bias: biases[i] });
            match self.folded[i].and_then(|folded| folded.of(step.node)) {
                Some((weight, bias)) => Some(Factors { weight, transformed, bias: Some(bias) }),
                None => plain,
            }
        });
        let Some(own) = own else { return wrong(step) };
        // An input that rests moves nothing.
        let source = step.sources().first().map_or(0, |source| source.node);
        let input_moves = self.direction.inputs.is_some() || self.plan.is_moved(source);
        let scratch = std::mem::take(&mut self.scratch);
        let gathered = std::mem::take(&mut self.gathered);
        let gathers = self.gathers(step) && !gathered.is_empty();
        let statistics = Statistics { images: self.images, numbers: &mut *gathered };
        let statistics = Some(statistics).filter(|_| gathers);
        let [value, tangent] = self.operands(task);
        let (bias, add) = (own.bias, value.other);
        let activation = task.fused();
        let epilogue = Epilogue { bias, add, activation, statistics, accumulate: false };
        kernel(isa, value.x, own, epilogue, value.y, scratch);
        let add = tangent.other;
        if input_moves || moves.is_none() {
            let epilogue = Epilogue { add, ..Epilogue::default() };
            kernel(isa, tangent.x, own, epilogue, tangent.y, scratch);
        }
        if let Some(moves) = moves {
            let (bias, accumulate) = (moves.bias, input_moves);
            let epilogue = Epilogue { bias, add, accumulate, ..Epilogue::default() };
            kernel(isa, value.x, moves, epilogue, tangent.y, scratch);
        }
        activate(isa, task.activation, value.y, tangent.y);
        self.scratch = scratch;
        self.gathered = gathered;
    }

    /// Whether a convolution gathers the statistics of the batch norm behind it.
    fn gathers(&self, step: &Step) -> bool {
        let trains = matches!(self.mode, Mode::Training { .. });
        let is_fixed = |norm: usize| self.needs.get(norm).is_some_and(|needs| needs.fixed);
        trains && step.gathers_for.is_some_and(|norm| !is_fixed(norm))
    }

    fn conv2d(&mut self, task: &Task) {
        let step = task.step;
        let Some(g) = step.op.conv2d(step.input) else { return wrong(step) };
        let (kernel, place) = kernel_of(step, Conv2dPass::Forward);
        self.product(task, place, |isa, x, factors, epilogue, y, scratch| {
            let Factors { weight, transformed, .. } = factors;
            match kernel {
                Conv2dKernel::Direct => conv2d::forward(isa, &g, x, weight, epilogue, y),
                Conv2dKernel::Gemm => pointwise::forward(isa, &g, x, weight, epilogue, y, scratch),
                _ => winograd::forward(isa, kernel, &g, x, transformed, epilogue, y, scratch),
            }
        });
    }

    fn linear(&mut self, task: &Task) {
        self.product(task, Buffer::NONE, |isa, x, Factors { weight, .. }, epilogue, y, _| {
            let Epilogue { bias, add, accumulate, activation, .. } = epilogue;
            if accumulate {
                linear::accumulate(isa, x, weight, bias, y);
            } else {
                linear::forward_and_add(isa, x, weight, bias, add, activation, y);
            }
        });
    }

    fn conv_transpose2d(&mut self, task: &Task) {
        let step = task.step;
        let Some(g) = step.op.conv_transpose2d(step.input) else { return wrong(step) };
        self.product(task, Buffer::NONE, |isa, x, Factors { weight, .. }, epilogue, y, _| {
            let Epilogue { bias, add, accumulate, activation, .. } = epilogue;
            if accumulate {
                conv_transpose2d::accumulate(isa, &g, x, weight, bias, y);
            } else {
                conv_transpose2d::forward(isa, &g, x, weight, bias, add, activation, y);
            }
        });
    }

    /// An activation that is computed in no other layer's pass.
    fn activation(&mut self, task: &Task, f: Activation) {
        let isa = self.isa;
        let [value, tangent] = self.operands(task);
        activation::forward(isa, f, value.x, value.y);
        tangent.y.copy_from_slice(tangent.x);
        if f.from_output() {
            activation::backward_in_place(isa, f, value.y, tangent.y);
        } else {
            activation::backward_from_input(isa, f, value.x, tangent.y);
        }
    }

    fn max_pool2d(&mut self, task: &Task) {
        let step = task.step;
        let Some(g) = step.op.pool2d(step.input) else { return wrong(step) };
        let isa = self.isa;
        let [value, tangent] = self.operands(task);
        pool2d::max_forward(isa, &g, value.x, value.y);
        pool2d::max_jvp(isa, &g, value.x, value.y, tangent.x, tangent.y);
    }

    fn avg_pool2d(&mut self, task: &Task) {
        let step = task.step;
        let Some(g) = step.op.pool2d(step.input) else { return wrong(step) };
        self.of_each(task, |isa, x, y| pool2d::avg_forward(isa, &g, x, y));
    }

    fn upsample(&mut self, task: &Task) {
        let step = task.step;
        let Some(g) = step.op.upsample2d(step.input) else { return wrong(step) };
        self.of_each(task, |isa, x, y| upsample::forward(isa, &g, x, y));
    }

    fn softmax(&mut self, task: &Task) {
        let step = task.step;
        let (isa, channels) = (self.isa, step.input.dim(0));
        let is_log = matches!(step.op, Op::LogSoftmax);
        let [value, tangent] = self.operands(task);
        if is_log {
            softmax::log_forward(isa, channels, value.x, value.y);
            softmax::log_jvp(isa, channels, value.y, tangent.x, tangent.y);
        } else {
            softmax::forward(isa, channels, value.x, value.y);
            // Its Jacobian is symmetric.
            softmax::backward(isa, channels, value.y, tangent.x, tangent.y);
        }
    }

    /// The mask of the step that trains, on values and tangents.
    fn dropout(&mut self, task: &Task, p: f32) {
        let step = task.step;
        let Some(key) = self.mode.dropout_key(step.node) else {
            return self.of_each(task, |_, x, y| y.copy_from_slice(x));
        };
        if !self.has_blocked_masks {
            return self.of_each(task, |isa, x, y| dropout::forward(isa, p, key, x, y));
        }
        let (isa, images) = (self.isa, self.images);
        let Mode::Training { group, .. } = self.mode else { return wrong(step) };
        let scratch = std::mem::take(&mut self.scratch);
        let channels = step.output.dim(0);
        let area = step.output.elements() / channels;
        let (ones, rest) = scratch.split_at_mut(blocked::blocks(channels) * area);
        let mask = &mut rest[..ones.len()];
        ones.fill(Lanes([1.0; LANES]));
        let operands = self.operands(task).map(|Operands { x, y, .. }| {
            y.copy_from_slice(x);
            y
        });
        let [y, ty] = operands;
        for image in 0..images {
            let key = dropout::Key { group: (group * LANES + image) as u64, ..key };
            dropout::forward(isa, p, key, ones, mask);
            for (at, (y, ty)) in y.iter_mut().zip(&mut *ty).enumerate() {
                let (channel, pixel) = (at / area, at % area);
                let factor = mask[channel / LANES * area + pixel].0[channel % LANES];
                for number in [&mut y.0[image], &mut ty.0[image]] {
                    *number = if factor == 0.0 { 0.0 } else { *number * factor };
                }
            }
        }
        self.scratch = scratch;
    }

    /// A layer of the user's own, image by image.
    fn own(&mut self, task: &Task, own: &Own) {
        let step = task.step;
        let images = self.images;
        let [x_len, y_len] = [step.input.elements(), step.output.elements()];
        let [weights, biases] =
            [TensorKind::Weight, TensorKind::Bias].map(|kind| self.tensor(step, kind));
        let [parameters, moves] = [0, 1].map(|i| Parameters {
            weight: weights[i].unwrap_or_default(),
            bias: biases[i].unwrap_or_default(),
        });
        let scratch = std::mem::take(&mut self.scratch);
        let [value, tangent] = self.operands(task);
        let (xs, rest) = blocked::flat_mut(scratch).split_at_mut(images * x_len);
        let (txs, rest) = rest.split_at_mut(images * x_len);
        let (ys, rest) = rest.split_at_mut(images * y_len);
        let tys = &mut rest[..images * y_len];
        unpack(value.x, xs);
        unpack(tangent.x, txs);
        ys.fill(0.0);
        tys.fill(0.0);
        let inputs = xs.chunks_exact(x_len).zip(txs.chunks_exact(x_len));
        let outputs = ys.chunks_exact_mut(y_len).zip(tys.chunks_exact_mut(y_len));
        for ((x, tx), (y, ty)) in inputs.zip(outputs) {
            own.layer.forward(step.input, parameters, x, y);
            own.layer.jvp(step.input, parameters, x, Along { x: tx, parameters: moves }, ty);
        }
        pack(ys, value.y);
        pack(tys, tangent.y);
        self.scratch = scratch;
    }
}

/// The activation of a sum that stands in `y`, activated already where its slope is a function of its value;
/// and the tangent of that.
pub(super) fn activate(isa: Isa, f: Activation, y: &mut [Lanes], ty: &mut [Lanes]) {
    if f == Activation::Identity {
        return;
    }
    if f.from_output() {
        return activation::backward_in_place(isa, f, y, ty);
    }
    activation::backward_from_input(isa, f, y, ty);
    activation::forward_in_place(isa, f, y);
}

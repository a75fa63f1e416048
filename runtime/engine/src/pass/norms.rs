//! The passes of norms.

use typenet_shape::{Activation, Buffer, Op, Step, TensorKind};

use super::{Backward, Forward, ONLY_BLOCKED, Segment, by_channels};
use crate::arena::{apart, operands, wrong};
use crate::norms;
use crate::parameters::NormParameters;
use crate::spec::StepCall;
use typenet_kernels::batch_norm::{self, BatchNorm, Spread};
use typenet_kernels::group_norm::{self, Gradients, GroupNorm};

/// A batch norm with the statistics of the batch.
fn of_batch<'a>(
    step: &Step,
    statistics: &'a [f32],
    parameters: &'a impl NormParameters,
) -> BatchNorm<'a> {
    let own = [parameters.weight(), parameters.bias()];
    norms::of_batch(step, statistics, own, step.training.activation)
}

/// A batch norm with its running statistics; `None` for another layer.
fn of_running<'a>(
    step: &Step,
    parameters: &'a impl NormParameters,
    f: Activation,
) -> Option<BatchNorm<'a>> {
    let Op::BatchNorm { eps, .. } = step.op else { return None };
    let (mean, variance) = parameters.running()?;
    let spread = Spread::Variance { variance, eps };
    Some(BatchNorm { mean, spread, weight: parameters.weight(), bias: parameters.bias(), f })
}

/// A norm over each image by itself.
fn of_image<'a>(step: &Step, parameters: &'a impl NormParameters) -> Option<GroupNorm<'a>> {
    let (groups, eps) = step.op.image_norm()?;
    Some(GroupNorm { groups, eps, weight: parameters.weight(), bias: parameters.bias() })
}

impl<'a> Segment<'a> {
    /// The batch norm that a convolution applies to what it reads.
    pub(super) fn norm_of_input(&self, step: &Step) -> Option<BatchNorm<'a>> {
        let StepCall { spec, parameters, .. } = self.call;
        let norm = spec.layout.steps.get(step.normalizes?)?;
        let own = [TensorKind::Weight, TensorKind::Bias]
            .map(|kind| spec.layout.tensor(parameters, norm.node, kind));
        Some(norms::of_batch(norm, self.statistics, own, norm.training.activation))
    }
}

impl Forward<'_> {
    /// Each channel to mean 0 and variance 1, with activation. While training, the end of one segment
    /// gathers the statistics, and the next one starts with this.
    pub fn batch_norm(&mut self, step: &Step, parameters: &impl NormParameters) {
        let step = self.at(step);
        let isa = self.isa;
        if !ONLY_BLOCKED
            && let Some(segment) = &mut self.segment
            && !step.frozen
        {
            let buffers = &step.training;
            if segment.index + 1 == step.segment {
                if !step.is_gathered && !segment.is_fixed(step.node) {
                    let x = &self.arena[buffers.input.offset..buffers.input.end()];
                    by_channels::gather(isa, &mut self.crew, segment.images, x, segment.gathered);
                }
            } else if segment.index == step.segment && !step.is_applied_by_reader {
                let norm = of_batch(step, segment.statistics, parameters);
                let (x, other, y) = operands(self.arena, buffers);
                by_channels::apply(isa, &mut self.crew, &norm, x, other, y);
            }
            return;
        }
        if !self.runs(step) {
            return;
        }
        if let Some(blocked) = self.side_by_side() {
            return blocked.batch_norm(isa, step, self.arena);
        }
        let f = self.activation_of(step);
        let Some(norm) = of_running(step, parameters, f) else { return wrong(step) };
        let (x, other, y) = operands(self.arena, self.mode.buffers(step));
        by_channels::apply(isa, &mut self.crew, &norm, x, other, y);
    }

    /// Groups of channels, or all numbers, of each image to mean 0 and variance 1, with activation.
    pub fn group_norm(&mut self, step: &Step, parameters: &impl NormParameters) {
        let step = self.at(step);
        if !self.runs(step) {
            return;
        }
        if let Some(blocked) = self.side_by_side() {
            return blocked.group_norm(self.isa, step, self.arena);
        }
        let Some(norm) = of_image(step, parameters) else { return wrong(step) };
        let (isa, f) = (self.isa, self.activation_of(step));
        let (x, y) = self.buffers(step);
        group_norm::forward(isa, &norm, x, f, y);
    }
}

impl Backward<'_> {
    /// Gradients of a batch norm. Those of weight and bias are added up where all groups meet.
    pub fn batch_norm<P: NormParameters>(&mut self, step: &Step, parameters: &P, _: &mut P) {
        let step = self.at(step);
        let Some(gradient) = self.output_gradient(step) else { return };
        // The value that it adds may be trained where the norm and all before it are not.
        if !self.needs(step.node).value {
            if self.runs(step) {
                self.pass_on(step, gradient);
            }
            return;
        }
        if step.frozen {
            return self.frozen_batch_norm(step, gradient, parameters);
        }
        let input_gradient = self.input_gradient(step);
        let (isa, segment, crew) = (self.isa, &mut self.segment, &mut self.room.crew);
        let images = segment.images;
        let norm = of_batch(step, segment.statistics, parameters);
        // The gradient before the activation is also that of a value which is added.
        let again = step.training.added.is_none() && norm.f.is_simple();
        if segment.index == step.segment {
            if again {
                let [x, dy] = apart(self.arena, [step.training.input, gradient]);
                by_channels::gather_backward(isa, crew, (images, &norm), x, dy, segment.gathered);
                return;
            }
            // The output need not be there where nothing reads it.
            let y = match norm.f {
                Activation::Identity => Buffer::NONE,
                _ => step.training.output,
            };
            let [x, y, dy] = apart(self.arena, [step.training.input, y, gradient]);
            let (of, sums) = ((images, &norm), &mut *segment.gathered);
            by_channels::gather_backward_masked(isa, crew, of, [x, y], dy, sums);
            self.give(step, gradient);
        } else if segment.index + 1 == step.segment
            && let Some(input_gradient) = input_gradient
        {
            let f = if again { norm.f } else { Activation::Identity };
            let norm = BatchNorm { f, ..norm };
            let means = &segment.means[step.statistics.offset..step.statistics.end()];
            let [x, dy, dx] = apart(self.arena, [step.training.input, gradient, input_gradient]);
            by_channels::apply_backward(isa, crew, (images, &norm), [x, dy], means, dx);
            self.add_up(step);
        }
    }

    /// A frozen batch norm is a scale and a shift for each channel.
    fn frozen_batch_norm(
        &mut self,
        step: &Step,
        gradient: Buffer,
        parameters: &impl NormParameters,
    ) {
        if !self.runs(step) {
            return;
        }
        self.pass_on(step, gradient);
        let Some(norm) = of_running(step, parameters, Activation::Identity) else {
            return wrong(step);
        };
        let Some(input_gradient) = self.input_gradient(step) else { return };
        let isa = self.isa;
        let [dy, dx] = apart(self.arena, [gradient, input_gradient]);
        batch_norm::scale_backward(isa, &norm, dy, dx);
        self.add_up(step);
    }

    /// Gradients of a norm of each image by itself; the weight's and bias's are added to `gradients`.
    pub fn group_norm<P: NormParameters>(
        &mut self,
        step: &Step,
        parameters: &P,
        gradients: &mut P,
    ) {
        let step = self.at(step);
        if !self.runs(step) {
            return;
        }
        let Some(norm) = of_image(step, parameters) else { return wrong(step) };
        let Some(gradient) = self.output_gradient(step) else { return };
        self.undo_activation(step, gradient);
        let (isa, images) = (self.isa, self.segment.images);
        let own = self.needs(step.node).own;
        let (weight, bias) = gradients.both_mut().filter(|_| own).unzip();
        // The kernel writes a gradient that nobody reads, where there is no layer before it.
        let Some(input_gradient) = step.input_gradient.or(step.scratch) else { return };
        let [x, dy, dx] = apart(self.arena, [step.training.input, gradient, input_gradient]);
        group_norm::backward(isa, images, &norm, x, dy, Gradients { weight, bias }, dx);
        self.add_up(step);
    }
}

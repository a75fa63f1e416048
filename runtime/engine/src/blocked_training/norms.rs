//! Batch norms.

use std::ops::Range;

use typenet_kernels::Lanes;
use typenet_kernels::batch_norm::{BatchNorm, Spread};
use typenet_kernels::blocked::{self, NormGradient};
use typenet_shape::{Activation, Norm, Op, Step, TensorKind};

use super::call::{Call, Write};
use super::gradients::{Gradients, Statistics, own};
use super::run::{Operands, Run, apart};
use crate::norms;
use crate::trainable::{self, Needs};

impl<'a> Run<'a> {
    fn norm(&self, step: &Step) -> Option<&'static Norm> {
        self.layout.norms.iter().find(|norm| norm.node == step.node)
    }

    fn tensor(&self, step: &Step, kind: TensorKind) -> Option<&'a [f32]> {
        self.layout.tensor(self.parameters, step.node, kind)
    }

    /// A batch norm with the statistics of the batch.
    fn of_batch<'s>(&self, step: &Step, statistics: &'s [f32], f: Activation) -> BatchNorm<'s>
    where
        'a: 's,
    {
        let own = [TensorKind::Weight, TensorKind::Bias].map(|kind| self.tensor(step, kind));
        norms::of_batch(step, statistics, own, f)
    }

    /// A batch norm with its running statistics; `None` for another layer.
    fn of_running(&self, step: &Step, f: Activation) -> Option<BatchNorm<'a>> {
        let Op::BatchNorm { eps, .. } = step.op else { return None };
        let mean = self.tensor(step, TensorKind::RunningMean)?;
        let variance = self.tensor(step, TensorKind::RunningVar)?;
        let [weight, bias] =
            [TensorKind::Weight, TensorKind::Bias].map(|kind| self.tensor(step, kind));
        Some(BatchNorm { mean, spread: Spread::Variance { variance, eps }, weight, bias, f })
    }

    /// Each channel to mean 0 and variance 1, with sum and activation.
    pub(super) fn batch_norm(&mut self, call: &Call, step: &Step, all: &mut Statistics<'_>) {
        let Some(norm) = self.norm(step) else { return };
        let (isa, team, images) = (self.isa, self.team, self.images);
        let (layout, parameters) = (self.layout, self.parameters);
        let place = norm.statistics.offset..norm.statistics.end();
        let (mean, rstd) = all.of_batch[place.clone()].split_at_mut(norm.channels);
        if self.needs(step.node).fixed {
            trainable::running(layout, norm, parameters, mean, rstd);
        } else {
            let running = trainable::moving(layout, norm, parameters, &mut all.moved[place]);
            let Operands { x, room, .. } = self.operands(call);
            let (eps, to) = (norm.eps, [mean, rstd]);
            blocked::batch_norm_statistics(isa, team, images, x, room, eps, to, Some(running));
        }
        self.batch_norm_apply(call, step, all.of_batch);
    }

    /// What a batch norm gathers of a group, of these images.
    pub(super) fn batch_norm_gather(&mut self, call: &Call, numbers: &mut [f32]) {
        let (isa, team, images) = (self.isa, self.team, self.images);
        let Operands { x, room, .. } = self.operands(call);
        blocked::batch_norm_gather(isa, team, images, x, room, numbers);
    }

    /// A batch norm whose statistics are known.
    pub(super) fn batch_norm_apply(&mut self, call: &Call, step: &Step, statistics: &[f32]) {
        let (isa, team, images) = (self.isa, self.team, self.images);
        let norm = self.of_batch(step, statistics, step.training.activation);
        let Operands { x, other, y, .. } = self.operands(call);
        blocked::batch_norm_apply(isa, team, images, &norm, x, other, y);
    }

    /// A batch norm that the declaration freezes takes its running statistics.
    pub(super) fn frozen_batch_norm(&mut self, call: &Call, step: &Step) {
        let (isa, team, images) = (self.isa, self.team, self.images);
        let Some(norm) = self.of_running(step, step.training.activation) else { return };
        let Operands { x, other, y, .. } = self.operands(call);
        blocked::batch_norm_apply(isa, team, images, &norm, x, other, y);
    }

    /// Gradients of a batch norm.
    pub(super) fn batch_norm_backward(
        &mut self,
        call: &Call,
        step: &Step,
        all: &mut Statistics<'_>,
        gradients: &mut Gradients<'_>,
    ) {
        let Some(gradient) = self.norm_gradient(call, step) else { return };
        let (isa, team, images) = (self.isa, self.team, self.images);
        let Needs { own: is_own, fixed, .. } = self.needs(step.node);
        let own = if is_own { own(self.layout, step.node, gradients.all) } else { [None, None] };
        let accumulate = gradients.accumulate;
        let norm = self.of_batch(step, all.of_batch, step.training.activation);
        let means = &mut all.moved[step.statistics.offset..step.statistics.end()];
        self.sum_gradient(call, step, gradient, |x, dy, room| {
            blocked::batch_norm_means_backward(
                isa, team, images, &norm, x, dy, room, accumulate, own, means,
            );
        });
        if fixed {
            // Statistics that do not depend on the batch have no part in its gradient.
            means.fill(0.0);
        }
        self.batch_norm_apply_backward(call, step, all.of_batch, all.moved);
    }

    /// What a batch norm gathers of a group for its gradients, of these images.
    pub(super) fn batch_norm_gather_backward(
        &mut self,
        call: &Call,
        step: &Step,
        statistics: &[f32],
        sums: &mut [f32],
    ) {
        let Some(gradient) = self.norm_gradient(call, step) else { return };
        let (isa, team, images) = (self.isa, self.team, self.images);
        let norm = self.of_batch(step, statistics, step.training.activation);
        self.sum_gradient(call, step, gradient, |x, dy, room| {
            blocked::batch_norm_gather_backward(isa, team, images, &norm, x, dy, room, sums);
        });
    }

    /// The gradient of what a batch norm gives, if the norm or something before it is trained. What it adds may
    /// be trained where these are not, and gets its gradient then.
    fn norm_gradient(&mut self, call: &Call, step: &Step) -> Option<Range<usize>> {
        let gradient = self.output_gradient(call)?;
        if self.needs(step.node).value {
            return Some(gradient);
        }
        self.undo_activation(call, step.training.activation);
        self.give(call);
        None
    }

    /// Lets `sum` have what a batch norm read, the gradient of what it gave, and room; what it adds gets its
    /// gradient.
    fn sum_gradient(
        &mut self,
        call: &Call,
        step: &Step,
        gradient: Range<usize>,
        sum: impl FnOnce(&[Lanes], NormGradient<'_>, &mut [Lanes]),
    ) {
        let (x, room) = (self.read(&call.reads[0]), call.room[1].clone());
        if is_computed_again(call, step) {
            let [x, dy, room] = apart(self.arena, [x, gradient, room]);
            return sum(x, NormGradient::Recompute(dy), room);
        }
        // The output need not be there where nothing reads it.
        let y = match step.training.activation {
            Activation::Identity => 0..0,
            _ => call.value.range(self.images),
        };
        let [x, y, dy, room] = apart(self.arena, [x, y, gradient, room]);
        sum(x, NormGradient::Mask(dy, y), room);
        self.give(call);
    }

    /// The gradient of what a batch norm reads, once the means of gradients are known.
    pub(super) fn batch_norm_apply_backward(
        &mut self,
        call: &Call,
        step: &Step,
        statistics: &[f32],
        means: &[f32],
    ) {
        let read = &call.reads[0];
        let (Some(gradient), Some(to)) = (self.output_gradient(call), self.input_gradient(read))
        else {
            return;
        };
        let (isa, team, images) = (self.isa, self.team, self.images);
        let (x, adds) = (self.read(read), read.write == Write::Adds);
        let again = is_computed_again(call, step);
        let f = if again { step.training.activation } else { Activation::Identity };
        let norm = self.of_batch(step, statistics, f);
        let means = &means[step.statistics.offset..step.statistics.end()];
        let [x, dy, dx] = if to == gradient {
            let [x, dx] = apart(self.arena, [x, to]);
            [x, &mut [], dx]
        } else {
            apart(self.arena, [x, gradient, to])
        };
        let dy = (!dy.is_empty()).then_some(&*dy);
        blocked::batch_norm_apply_backward(isa, team, images, &norm, x, dy, means, adds, dx);
    }

    /// The gradient of what a batch norm reads that the declaration freezes.
    pub(super) fn frozen_batch_norm_backward(&mut self, call: &Call, step: &Step) {
        let Some(gradient) = self.norm_gradient(call, step) else { return };
        self.undo_activation(call, step.training.activation);
        self.give(call);
        let read = &call.reads[0];
        let norm = self.of_running(step, Activation::Identity);
        if let (Some(to), Some(norm)) = (self.input_gradient(read), norm) {
            self.scale_backward(&norm, gradient, read.write == Write::Adds, to);
        }
    }

    /// As [`blocked::batch_norm_scale_backward`], maybe in place.
    fn scale_backward(
        &mut self,
        norm: &BatchNorm<'_>,
        gradient: Range<usize>,
        adds: bool,
        to: Range<usize>,
    ) {
        let (isa, team, images) = (self.isa, self.team, self.images);
        if to == gradient {
            let [dx] = apart(self.arena, [to]);
            blocked::batch_norm_scale_backward(isa, team, images, norm, None, adds, dx);
        } else {
            let [dy, dx] = apart(self.arena, [gradient, to]);
            blocked::batch_norm_scale_backward(isa, team, images, norm, Some(dy), adds, dx);
        }
    }
}

/// Whether the gradient before the activation is found by computing the result again; else it is left where
/// the gradient of the result stands, since it is also that of a value which is added.
fn is_computed_again(call: &Call, step: &Step) -> bool {
    call.added.is_none() && step.training.activation.is_simple()
}

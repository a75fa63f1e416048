//! Batch norms.

use std::ops::Range;

use typenet_kernels::batch_norm::{BatchNorm, Running, Spread, recomputes};
use typenet_kernels::blocked::{self, NormGradient};
use typenet_shape::{Activation, Norm, Op, Step, TensorKind};

use super::call::Call;
use super::call::Write;
use super::gradients::{Gradients, Statistics, own};
use super::run::{Operands, Run, apart};
use crate::trainable;

impl Run<'_> {
    fn norm(&self, step: &Step) -> Option<&'static Norm> {
        self.layout.norms.iter().find(|norm| norm.node == step.node)
    }

    /// Each channel to mean 0 and variance 1, with sum and activation.
    pub(super) fn batch_norm(&mut self, call: &Call, step: &Step, all: &mut Statistics<'_>) {
        let (isa, team, images) = (self.isa, self.team, self.images);
        let (layout, parameters) = (self.layout, self.parameters);
        let tensor = |kind| {
            let range = layout.place(step.node, kind);
            (!range.is_empty()).then(|| &parameters[range])
        };
        let [weight, bias] = [TensorKind::Weight, TensorKind::Bias].map(tensor);
        let [mean, variance] = [TensorKind::RunningMean, TensorKind::RunningVar]
            .map(|kind| tensor(kind).unwrap_or_default());
        let f = step.training.activation;
        let fixed = self.needs(step.node).fixed;
        let Some(norm) = self.norm(step) else {
            // Frozen in the declaration.
            let Op::BatchNorm { eps, .. } = step.op else { return };
            let norm =
                BatchNorm { mean, spread: Spread::Variance { variance, eps }, weight, bias, f };
            let Operands { x, other, y, .. } = self.operands(call);
            return blocked::batch_norm_apply(isa, team, images, &norm, x, other, y);
        };
        let place = step.statistics.offset..step.statistics.end();
        let (own_mean, own_rstd) = all.of_batch[place.clone()].split_at_mut(norm.channels);
        let Operands { x, other, room, y } = self.operands(call);
        if fixed {
            trainable::running(layout, norm, parameters, own_mean, own_rstd);
        } else {
            let (moved_mean, moved_variance) = all.moved[place].split_at_mut(norm.channels);
            moved_mean.copy_from_slice(mean);
            moved_variance.copy_from_slice(variance);
            let running =
                Running { mean: moved_mean, variance: moved_variance, momentum: norm.momentum };
            let to = [&mut *own_mean, &mut *own_rstd];
            blocked::batch_norm_statistics(isa, team, images, x, room, norm.eps, to, Some(running));
        }
        let norm = BatchNorm { mean: own_mean, spread: Spread::Rstd(own_rstd), weight, bias, f };
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
        let Some(gradient) = self.output_gradient(call) else { return };
        let f = step.training.activation;
        // What it adds may be trained where the norm and all before it are not.
        if !self.needs(step.node).value {
            self.undo_activation(call, f);
            return self.give(call);
        }
        let (isa, team, images) = (self.isa, self.team, self.images);
        let (layout, parameters) = (self.layout, self.parameters);
        let tensor = |kind| {
            let range = layout.place(step.node, kind);
            (!range.is_empty()).then(|| &parameters[range])
        };
        let [weight, bias] = [TensorKind::Weight, TensorKind::Bias].map(tensor);
        let read = &call.reads[0];
        let input_gradient = self.input_gradient(read);
        let (x, adds) = (self.read(read), read.write == Write::Adds);
        if step.frozen {
            let Op::BatchNorm { eps, .. } = step.op else { return };
            self.undo_activation(call, f);
            self.give(call);
            let Some(to) = input_gradient else { return };
            let [mean, variance] = [TensorKind::RunningMean, TensorKind::RunningVar]
                .map(|kind| tensor(kind).unwrap_or_default());
            let spread = Spread::Variance { variance, eps };
            let norm = BatchNorm { mean, spread, weight, bias, f: Activation::Identity };
            return self.scale_backward(&norm, gradient, adds, to);
        }
        let place = step.statistics.offset..step.statistics.end();
        let (mean, rstd) = all.of_batch[place.clone()].split_at(step.statistics.len / 2);
        let means = &mut all.moved[place];
        let norm = BatchNorm { mean, spread: Spread::Rstd(rstd), weight, bias, f };
        // The gradient before the activation is also that of a value which is added.
        let again = call.added.is_none() && recomputes(f);
        let Needs { own: is_own, fixed } = Needs::of(self, step);
        let own = if is_own { own(layout, step.node, gradients.all) } else { [None, None] };
        let accumulate = gradients.accumulate;
        let room = call.room[1].clone();
        let f = if again {
            let [x, dy, room] = apart(self.arena, [x.clone(), gradient.clone(), room]);
            let dy = NormGradient::Recompute(dy);
            blocked::batch_norm_gather_backward(
                isa, team, images, &norm, x, dy, room, accumulate, own, means,
            );
            f
        } else {
            // The output need not be there where nothing reads it.
            let y = match f {
                Activation::Identity => 0..0,
                _ => call.value.range(images),
            };
            let [x, y, dy, room] = apart(self.arena, [x.clone(), y, gradient.clone(), room]);
            let dy = NormGradient::Mask(dy, y);
            blocked::batch_norm_gather_backward(
                isa, team, images, &norm, x, dy, room, accumulate, own, means,
            );
            self.give(call);
            Activation::Identity
        };
        if fixed {
            // Statistics that do not depend on the batch have no part in its gradient.
            means.fill(0.0);
        }
        let Some(to) = input_gradient else { return };
        let norm = BatchNorm { f, ..norm };
        if to == gradient {
            let [x, dx] = apart(self.arena, [x, to]);
            blocked::batch_norm_apply_backward(isa, team, images, &norm, x, None, means, false, dx);
        } else {
            let [x, dy, dx] = apart(self.arena, [x, gradient, to]);
            blocked::batch_norm_apply_backward(
                isa,
                team,
                images,
                &norm,
                x,
                Some(dy),
                means,
                adds,
                dx,
            );
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

/// What a backward pass does for the norm itself.
struct Needs {
    own: bool,
    fixed: bool,
}

impl Needs {
    fn of(run: &Run<'_>, step: &Step) -> Needs {
        let needs = run.needs(step.node);
        Needs { own: needs.own, fixed: needs.fixed }
    }
}

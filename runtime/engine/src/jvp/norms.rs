//! Norms. Each is `γ x̂ + β`, so its tangent is `γ ẋ̂ + γ̇ x̂ + β̇`.

use typenet_kernels::batch_norm::{self, BatchNorm, Spread};
use typenet_kernels::elementwise;
use typenet_kernels::group_norm::{self, GroupNorm};
use typenet_shape::{Activation, Norm, Op, TensorKind};

use super::plan::{CHUNK, Task};
use super::run::{Run, activate};
use crate::arena::wrong;
use crate::pass::Mode;

impl Run<'_> {
    /// Each channel with the statistics of the batch, which move with it; or with the running ones, which
    /// rest.
    pub(super) fn batch_norm(&mut self, task: &Task) {
        let step = task.step;
        let (isa, images) = (self.isa, self.images);
        let Op::BatchNorm { eps, .. } = step.op else { return wrong(step) };
        let of_batch = matches!(self.mode, Mode::Training { .. }) && !step.frozen;
        let [weight, bias, mean, variance] = TensorKind::ALL.map(|kind| self.tensor(step, kind));
        let (Some(mean), Some(variance)) = (mean[0], variance[0]) else { return wrong(step) };
        let (mean, spread, means) = if of_batch {
            let own = step.statistics.offset..step.statistics.end();
            let (mean, rstd) = self.statistics[own.clone()].split_at(own.len() / 2);
            (mean, Spread::Rstd(rstd), Some(&self.means[own]))
        } else {
            (mean, Spread::Variance { variance, eps }, None)
        };
        let f = task.fused();
        let norm = BatchNorm { mean, spread, weight: weight[0], bias: bias[0], f };
        let plain = BatchNorm { f: Activation::Identity, ..norm };
        let scratch = std::mem::take(&mut self.scratch);
        let [value, tangent] = self.operands(task);
        batch_norm::apply(isa, &norm, value.x, value.other, value.y);
        match means {
            Some(means) => {
                let (x, tx, ty) = (value.x, tangent.x, &mut *tangent.y);
                batch_norm::apply_backward(isa, images, &plain, x, tx, means, ty);
            }
            None => batch_norm::scale_backward(isa, &plain, tangent.x, tangent.y),
        }
        if let (Some(weight), Some(bias)) = (weight[1], bias[1]) {
            let channels = mean.len();
            let moves = BatchNorm { weight: Some(weight), bias: Some(bias), ..plain };
            let area = value.x.len() / channels;
            let at_once = (CHUNK / area).clamp(1, channels);
            for first in (0..channels).step_by(at_once) {
                let range = first..channels.min(first + at_once);
                let some = moves.of(&range);
                let own = range.start * area..range.end * area;
                let term = &mut scratch[..own.len()];
                batch_norm::apply(isa, &some, &value.x[own.clone()], None, term);
                elementwise::add(isa, term, &mut tangent.y[own]);
            }
        }
        if let Some(other) = tangent.other {
            elementwise::add(isa, other, tangent.y);
        }
        activate(isa, task.activation, value.y, tangent.y);
        self.scratch = scratch;
    }

    /// The statistics of a batch norm at which a segment of a training step ends, unless the convolution
    /// before it has gathered them.
    pub(super) fn gather(&mut self, task: &Task) {
        if task.step.is_gathered {
            return;
        }
        let [x, _] = self.buffers(task);
        let value = &self.values[x.offset..x.end()];
        batch_norm::gather(self.isa, self.images, value, self.gathered);
    }

    /// The sums of the tangents that it reads, and of these times the normalised values.
    pub(super) fn gather_tangents(&self, norm: &Norm, task: &Task, sums: &mut [f32]) {
        let (mean, rstd) =
            self.statistics[norm.statistics.offset..norm.statistics.end()].split_at(norm.channels);
        let spread = Spread::Rstd(rstd);
        let plain = BatchNorm { mean, spread, weight: None, bias: None, f: Activation::Identity };
        let [x, _] = self.buffers(task);
        let of = x.offset..x.end();
        let (x, tx) = (&self.values[of.clone()], &self.tangents[of]);
        batch_norm::gather_backward(self.isa, self.images, &plain, x, tx, sums);
    }

    /// Each image, or each group of its channels, with its own statistics.
    pub(super) fn image_norm(&mut self, task: &Task) {
        let step = task.step;
        let (isa, images) = (self.isa, self.images);
        let Some((groups, eps)) = step.op.image_norm() else { return wrong(step) };
        let [weight, bias] =
            [TensorKind::Weight, TensorKind::Bias].map(|kind| self.tensor(step, kind));
        let norm = GroupNorm { groups, eps, weight: weight[0], bias: bias[0] };
        let scratch = std::mem::take(&mut self.scratch);
        let [value, tangent] = self.operands(task);
        group_norm::forward(isa, &norm, value.x, task.fused(), value.y);
        group_norm::jvp(isa, images, &norm, value.x, tangent.x, tangent.y);
        if let (Some(weight), Some(bias)) = (weight[1], bias[1]) {
            let moves = GroupNorm { weight: Some(weight), bias: Some(bias), ..norm };
            let term = &mut scratch[..value.x.len()];
            group_norm::forward(isa, &moves, value.x, Activation::Identity, term);
            elementwise::add(isa, term, tangent.y);
        }
        activate(isa, task.activation, value.y, tangent.y);
        self.scratch = scratch;
    }
}

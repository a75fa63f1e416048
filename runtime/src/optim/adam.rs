use typenet_shape::Shape;

use super::Schedule;
use super::rule::{Rule, TensorStep, check_positive, check_share};
use super::settings::{as_it_is, optimizer};
use crate::Result;

optimizer! {
    /// Adam, step for step as PyTorch's `Adam` (Kingma and Ba 2015, with weight decay added to the
    /// gradient; [`AdamW`](super::AdamW) decouples it):
    ///
    /// ```text
    /// g ← gradient + weight_decay · w
    /// m ← β₁ · m + (1 − β₁) · g
    /// v ← β₂ · v + (1 − β₂) · g²
    /// w ← w − learning_rate · m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + eps)
    /// ```
    ///
    /// `t` counts the tensor's own steps from 1. With `amsgrad` the largest `v` so far takes the place of
    /// `v` in the last line (Reddi and others 2018). The buffers are `exp_avg`, `exp_avg_sq` and, with
    /// `amsgrad`, `max_exp_avg_sq`.
    ///
    /// ```
    /// use typenet_runtime::optim::{Adam, Schedule};
    /// let adam = Adam::new(1e-3).betas(0.9, 0.99).schedule(Schedule::exponential(0.95));
    /// assert!(adam.check().is_ok());
    /// ```
    pub struct Adam("Adam with this learning rate; 0.001 is PyTorch's default."),
    group AdamGroup, settings AdamSettings, named "Adam",
    buffers &["exp_avg", "exp_avg_sq", "max_exp_avg_sq"], for_tensor as_it_is;

    /// The decay rates of the means of gradients and of their squares, each 0 or more, below 1; 0.9 and
    /// 0.999 by default. Both are f64, since their distance from 1 counts.
    betas(beta1: f64, beta2: f64) = (0.9, 0.999);
    /// What is added to the root, against divisions by almost 0; 1e-8 by default.
    eps(eps: f32) = 1e-8;
    /// Adds this much of each parameter to its gradient; 0 by default.
    weight_decay(weight_decay: f32) = 0.0;
    /// Whether steps divide by the root of the largest mean of squares so far; `false` by default.
    amsgrad(amsgrad: bool) = false;
}

/// What Adam's steps and AdamW's have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct AdamRule {
    pub(super) betas: (f64, f64),
    pub(super) eps: f32,
    pub(super) weight_decay: f32,
    /// Whether weight decay is decoupled from the gradient.
    pub(super) decoupled: bool,
    pub(super) amsgrad: bool,
}

impl AdamRule {
    pub(super) fn check(&self) -> Result<()> {
        check_positive("weight_decay", self.weight_decay)?;
        check_positive("eps", self.eps)?;
        check_share("beta1", self.betas.0)?;
        check_share("beta2", self.betas.1)
    }

    pub(super) fn uses(&self, buffer: usize) -> bool {
        buffer < 2 || self.amsgrad
    }

    pub(super) fn step(&self, tensor: TensorStep<'_>) {
        let (beta1, beta2) = self.betas;
        let rate = f64::from(tensor.learning_rate);
        let steps = tensor.step.min(i32::MAX as u64) as i32;
        let step_size = (rate / (1.0 - beta1.powi(steps))) as f32;
        let root_of_correction = (1.0 - beta2.powi(steps)).sqrt() as f32;
        let (new1, keep2, new2) = ((1.0 - beta1) as f32, beta2 as f32, (1.0 - beta2) as f32);
        let decay = f64::from(self.weight_decay);
        let (keep, add) = if self.decoupled {
            ((1.0 - rate * decay) as f32, 0.0)
        } else {
            (1.0, self.weight_decay)
        };
        let eps = self.eps;
        let means = |w: &mut f32, g: f32, m: &mut f32, v: &mut f32| {
            *w *= keep;
            let g = g + add * *w;
            *m += new1 * (g - *m);
            *v = keep2 * *v + new2 * g * g;
        };
        if self.amsgrad {
            tensor.each_with_3(|w, g, [m, v, most]| {
                means(w, g, m, v);
                *most = most.max(*v);
                *w -= step_size * (*m / (most.sqrt() / root_of_correction + eps));
            });
        } else {
            tensor.each_with_2(|w, g, [m, v]| {
                means(w, g, m, v);
                *w -= step_size * (*m / (v.sqrt() / root_of_correction + eps));
            });
        }
    }
}

impl AdamSettings {
    fn rule(&self) -> AdamRule {
        let AdamSettings { betas, eps, weight_decay, amsgrad, .. } = *self;
        AdamRule { betas, eps, weight_decay, decoupled: false, amsgrad }
    }
}

impl Rule for AdamSettings {
    fn learning_rate(&self) -> f32 {
        self.learning_rate
    }

    fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    fn uses(&self, buffer: usize, _: Shape) -> bool {
        self.rule().uses(buffer)
    }

    fn check_settings(&self) -> Result<()> {
        check_positive("learning_rate", self.learning_rate)?;
        self.rule().check()?;
        self.schedule.check()
    }

    fn step(&self, tensor: TensorStep<'_>) {
        self.rule().step(tensor);
    }
}

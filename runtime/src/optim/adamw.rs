use typenet_shape::Shape;

use super::Schedule;
use super::adam::AdamRule;
use super::rule::{Rule, TensorStep, check_positive};
use super::settings::{as_it_is, optimizer};
use crate::Result;

optimizer! {
    /// [`Adam`](super::Adam) with decoupled weight decay, which does not go through the gradient, step for
    /// step as PyTorch's `AdamW` (Loshchilov and Hutter 2019):
    ///
    /// ```text
    /// w ← w − learning_rate · weight_decay · w
    /// m ← β₁ · m + (1 − β₁) · gradient
    /// v ← β₂ · v + (1 − β₂) · gradient²
    /// w ← w − learning_rate · m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + eps)
    /// ```
    ///
    /// The buffers are `exp_avg`, `exp_avg_sq` and, with `amsgrad`, `max_exp_avg_sq`.
    ///
    /// ```
    /// use typenet_runtime::optim::{AdamW, Schedule};
    /// let adamw = AdamW::new(1e-3)
    ///     .weight_decay(0.05)
    ///     .schedule(Schedule::one_cycle(20))
    ///     .group("head", |group| group.learning_rate(1e-2));
    /// assert!(adamw.check().is_ok());
    /// ```
    pub struct AdamW("AdamW with this learning rate; 0.001 is PyTorch's default."),
    group AdamWGroup, settings AdamWSettings, named "AdamW",
    buffers &["exp_avg", "exp_avg_sq", "max_exp_avg_sq"], for_tensor as_it_is;

    /// The decay rates of the means of gradients and of their squares, each 0 or more, below 1; 0.9 and
    /// 0.999 by default. Both are f64, since their distance from 1 counts.
    betas(beta1: f64, beta2: f64) = (0.9, 0.999);
    /// What is added to the root, against divisions by almost 0; 1e-8 by default.
    eps(eps: f32) = 1e-8;
    /// Each step subtracts the learning rate times this share of every weight from it; 0.01 by default.
    weight_decay(weight_decay: f32) = 0.01;
    /// Whether steps divide by the root of the largest mean of squares so far; `false` by default.
    amsgrad(amsgrad: bool) = false;
}

impl AdamWSettings {
    fn rule(&self) -> AdamRule {
        let AdamWSettings { betas, eps, weight_decay, amsgrad, .. } = *self;
        AdamRule { betas, eps, weight_decay, decoupled: true, amsgrad }
    }
}

impl Rule for AdamWSettings {
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

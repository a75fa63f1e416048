use typenet_shape::Shape;

use super::Schedule;
use super::rule::{Rule, TensorStep, check_positive, check_share};
use super::settings::{as_it_is, optimizer};
use crate::Result;

optimizer! {
    /// Lion: descent by the sign of a mean of gradients (Chen and others 2023, "Symbolic discovery of
    /// optimization algorithms", algorithm 2):
    ///
    /// ```text
    /// w ← w − learning_rate · weight_decay · w
    /// w ← w − learning_rate · sign(β₁ · m + (1 − β₁) · gradient)
    /// m ← β₂ · m + (1 − β₂) · gradient
    /// ```
    ///
    /// Every weight moves by the learning rate, so that rate should be a third to a tenth of AdamW's, and
    /// the weight decay as many times larger. The only buffer is `exp_avg`: half of what Adam keeps.
    ///
    /// ```
    /// use typenet_runtime::optim::Lion;
    /// assert!(Lion::new(1e-4).weight_decay(0.1).check().is_ok());
    /// ```
    pub struct Lion("Lion with this learning rate; 0.0001 is the paper's default."),
    group LionGroup, settings LionSettings, named "Lion",
    buffers &["exp_avg"], for_tensor as_it_is;

    /// The decay rates of the mean of gradients, for the step (β₁) and from step to step (β₂), each 0 or
    /// more, below 1; 0.9 and 0.99 by default.
    betas(beta1: f64, beta2: f64) = (0.9, 0.99);
    /// Each step subtracts the learning rate times this share of every weight from it; 0 by default.
    weight_decay(weight_decay: f32) = 0.0;
}

impl Rule for LionSettings {
    fn learning_rate(&self) -> f32 {
        self.learning_rate
    }

    fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    fn uses(&self, _: usize, _: Shape) -> bool {
        true
    }

    fn check_settings(&self) -> Result<()> {
        check_positive("learning_rate", self.learning_rate)?;
        check_positive("weight_decay", self.weight_decay)?;
        check_share("beta1", self.betas.0)?;
        check_share("beta2", self.betas.1)?;
        self.schedule.check()
    }

    fn step(&self, tensor: TensorStep<'_>) {
        let rate = tensor.learning_rate;
        let keep = (1.0 - f64::from(rate) * f64::from(self.weight_decay)) as f32;
        let (beta1, beta2) = self.betas;
        let (keep1, new1) = (beta1 as f32, (1.0 - beta1) as f32);
        let (keep2, new2) = (beta2 as f32, (1.0 - beta2) as f32);
        tensor.each_with_1(|w, g, m| {
            let update = keep1 * *m + new1 * g;
            // The sign of 0 is 0; a NaN stays one, so that it is noticed.
            let sign = if update == 0.0 { 0.0 } else { update.signum() };
            *w = keep * *w - rate * sign;
            *m = keep2 * *m + new2 * g;
        });
    }
}

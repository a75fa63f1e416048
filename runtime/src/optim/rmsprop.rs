use typenet_shape::Shape;

use super::Schedule;
use super::rule::{Rule, TensorStep, check_positive, check_share};
use super::settings::{as_it_is, optimizer};
use crate::Result;

optimizer! {
    /// RMSprop: descent by gradients divided by the root of the mean of their squares, step for step as
    /// PyTorch's `RMSprop` (Hinton 2012, lecture 6 of "Neural networks for machine learning"):
    ///
    /// ```text
    /// g ← gradient + weight_decay · w
    /// s ← alpha · s + (1 − alpha) · g²
    /// a ← alpha · a + (1 − alpha) · g              (with centered; else a is 0)
    /// u ← g / (√(s − a²) + eps)
    /// v ← momentum · v + u                         (without momentum v is u)
    /// w ← w − learning_rate · v
    /// ```
    ///
    /// The buffers are `square_avg`, `grad_avg` and `momentum_buffer`, as far as they are used.
    ///
    /// ```
    /// use typenet_runtime::optim::RmsProp;
    /// let rmsprop = RmsProp::new(1e-3).alpha(0.9).momentum(0.9).centered(true);
    /// assert!(rmsprop.check().is_ok());
    /// ```
    pub struct RmsProp("RMSprop with this learning rate; 0.01 is PyTorch's default."),
    group RmsPropGroup, settings RmsPropSettings, named "RMSprop",
    buffers &["square_avg", "grad_avg", "momentum_buffer"], for_tensor as_it_is;

    /// The decay rate of the mean of squares, 0 or more, below 1; 0.99 by default. An f64, since its
    /// distance from 1 counts.
    alpha(alpha: f64) = 0.99;
    /// What is added to the root, against divisions by almost 0; 1e-8 by default.
    eps(eps: f32) = 1e-8;
    /// The share of the last step that is kept: 0 (the default) or more, below 1.
    momentum(momentum: f32) = 0.0;
    /// Whether steps divide by the root of the variance `s − a²` in place of the mean of squares `s`;
    /// `false` by default.
    centered(centered: bool) = false;
    /// Adds this much of each parameter to its gradient; 0 by default.
    weight_decay(weight_decay: f32) = 0.0;
}

impl Rule for RmsPropSettings {
    fn learning_rate(&self) -> f32 {
        self.learning_rate
    }

    fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    fn uses(&self, buffer: usize, _: Shape) -> bool {
        [true, self.centered, self.momentum > 0.0][buffer]
    }

    fn check_settings(&self) -> Result<()> {
        check_positive("learning_rate", self.learning_rate)?;
        check_positive("weight_decay", self.weight_decay)?;
        check_positive("eps", self.eps)?;
        check_share("alpha", self.alpha)?;
        check_share("momentum", f64::from(self.momentum))?;
        self.schedule.check()
    }

    fn step(&self, tensor: TensorStep<'_>) {
        let (rate, decay, momentum, eps) =
            (tensor.learning_rate, self.weight_decay, self.momentum, self.eps);
        let (keep, new) = (self.alpha as f32, (1.0 - self.alpha) as f32);
        let square = |w: f32, g: f32, s: &mut f32| {
            let g = g + decay * w;
            *s = keep * *s + new * g * g;
            g
        };
        let root = |g: f32, s: f32, a: &mut f32| {
            *a += new * (g - *a);
            // Rounding may leave less than nothing of the difference.
            (s - *a * *a).max(0.0).sqrt() + eps
        };
        match (self.centered, momentum > 0.0) {
            (false, false) => tensor.each_with_1(|w, g, s| {
                let g = square(*w, g, s);
                *w -= rate * (g / (s.sqrt() + eps));
            }),
            (true, false) => tensor.each_with_2(|w, g, [s, a]| {
                let g = square(*w, g, s);
                *w -= rate * (g / root(g, *s, a));
            }),
            (false, true) => tensor.with_buffers([0, 2, 1]).each_with_2(|w, g, [s, v]| {
                let g = square(*w, g, s);
                *v = momentum * *v + g / (s.sqrt() + eps);
                *w -= rate * *v;
            }),
            (true, true) => tensor.each_with_3(|w, g, [s, a, v]| {
                let g = square(*w, g, s);
                *v = momentum * *v + g / root(g, *s, a);
                *w -= rate * *v;
            }),
        }
    }
}

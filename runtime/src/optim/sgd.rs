use typenet_shape::Shape;

use super::rule::{Rule, TensorStep, check_positive, check_share};
use super::settings::{as_it_is, optimizer};
use super::{Schedule, argument};
use crate::Result;

optimizer! {
    /// Stochastic gradient descent, step for step as PyTorch's `SGD`:
    ///
    /// ```text
    /// g ← gradient + weight_decay · w
    /// v ← momentum · v + (1 − dampening) · g        (v ← g in the first step)
    /// w ← w − learning_rate · v                     (· (g + momentum · v) with nesterov)
    /// ```
    ///
    /// Without momentum, `v` is `g` and is not stored; else it is the buffer `momentum_buffer`. As in
    /// PyTorch, weight decay applies to all parameters, biases included, except those that the declaration
    /// marks `#[no_decay]`; a [`group`](Self::group) makes exceptions, also from that mark. Parameters that
    /// are frozen, in the declaration or by [`set_trainable`](crate::Network::set_trainable), stay as they
    /// are, velocity included:
    ///
    /// ```
    /// use typenet_runtime::optim::{Schedule, Sgd};
    /// let sgd = Sgd::new(0.05)
    ///     .momentum(0.9)
    ///     .weight_decay(5e-4)
    ///     .schedule(Schedule::cosine(30).warmup(1.0))
    ///     .group("features", |group| group.learning_rate(0.005))
    ///     .group("fc1.bias", |group| group.weight_decay(0.0));
    /// assert!(sgd.check().is_ok());
    /// ```
    ///
    /// A [`State`](super::State), which [`state`](Self::state) makes for a net, holds the numbers of a run:
    /// velocity and learning rates.
    pub struct Sgd("Flat descent with this learning rate: no momentum, no weight decay, a constant rate."),
    group SgdGroup, settings SgdSettings, named "SGD", buffers &["momentum_buffer"],
    for_tensor as_it_is;

    /// The share of the last step's velocity that is kept: 0 (the default) or more, below 1.
    momentum(momentum: f32) = 0.0;
    /// Looks ahead along the velocity (Nesterov's momentum); `false` by default. It needs momentum,
    /// and no dampening.
    nesterov(nesterov: bool) = false;
    /// The share of the gradient that does not enter the velocity, 0 (the default) to 1; the first
    /// step is not dampened.
    dampening(dampening: f32) = 0.0;
    /// Adds this much of each parameter to its gradient; 0 by default.
    weight_decay(weight_decay: f32) = 0.0;
}

impl Rule for SgdSettings {
    fn learning_rate(&self) -> f32 {
        self.learning_rate
    }

    fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    fn uses(&self, _: usize, _: Shape) -> bool {
        self.momentum > 0.0
    }

    fn check_settings(&self) -> Result<()> {
        check_positive("learning_rate", self.learning_rate)?;
        check_positive("weight_decay", self.weight_decay)?;
        check_share("momentum", f64::from(self.momentum))?;
        if !(0.0..=1.0).contains(&self.dampening) {
            return Err(argument("dampening", self.dampening, "0 to 1 is allowed"));
        }
        if self.nesterov && (self.momentum == 0.0 || self.dampening != 0.0) {
            return Err(argument("nesterov", true, "it needs momentum, and dampening 0"));
        }
        self.schedule.check()
    }

    fn step(&self, tensor: TensorStep<'_>) {
        let (rate, decay, momentum) = (tensor.learning_rate, self.weight_decay, self.momentum);
        if momentum == 0.0 {
            return tensor.each(|w, g| *w -= rate * (g + decay * *w));
        }
        // The velocity starts as the gradient itself.
        let share = if tensor.step == 1 { 1.0 } else { 1.0 - self.dampening };
        let nesterov = self.nesterov;
        tensor.each_with_1(|w, g, v| {
            let g = g + decay * *w;
            *v = momentum * *v + share * g;
            *w -= rate * if nesterov { g + momentum * *v } else { *v };
        });
    }
}

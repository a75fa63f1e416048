use super::argument;
use crate::Result;

/// The 1cycle schedule of super-convergence (Smith and Topin 2018): the learning rate rises to its maximum
/// in the first part of training, and falls to almost 0 in the rest. It is PyTorch's `OneCycleLR`, counted
/// in epochs in place of steps; momentum stays as it is (`cycle_momentum=False`).
///
/// The optimiser's learning rate is the maximum:
///
/// ```
/// use typenet_runtime::optim::{AdamW, OneCycle, Schedule};
/// let schedule: Schedule = OneCycle::new(20).pct_start(0.25).into();
/// assert_eq!(schedule.factor(5.0), 1.0);
/// assert!((schedule.factor(0.0) - 1.0 / 25.0).abs() < 1e-12);
/// assert!((schedule.factor(20.0) - 1.0 / 25e4).abs() < 1e-12);
/// let adamw = AdamW::new(3e-3).schedule(OneCycle::new(20).linear());
/// # assert!(adamw.check().is_ok());
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct OneCycle {
    epochs: usize,
    pct_start: f64,
    div_factor: f64,
    final_div_factor: f64,
    linear: bool,
}

impl OneCycle {
    /// A cycle of `epochs` epochs, with PyTorch's defaults.
    pub fn new(epochs: usize) -> OneCycle {
        OneCycle { epochs, pct_start: 0.3, div_factor: 25.0, final_div_factor: 1e4, linear: false }
    }

    /// The share of the cycle in which the rate rises; 0.3 by default, between 0 and 1.
    #[must_use]
    pub fn pct_start(self, pct_start: f64) -> OneCycle {
        OneCycle { pct_start, ..self }
    }

    /// The maximum rate divided by the rate at the start; 25 by default.
    #[must_use]
    pub fn div_factor(self, div_factor: f64) -> OneCycle {
        OneCycle { div_factor, ..self }
    }

    /// The rate at the start divided by the rate at the end; 10,000 by default.
    #[must_use]
    pub fn final_div_factor(self, final_div_factor: f64) -> OneCycle {
        OneCycle { final_div_factor, ..self }
    }

    /// Straight lines in place of halves of a cosine (PyTorch's `anneal_strategy="linear"`).
    #[must_use]
    pub fn linear(self) -> OneCycle {
        OneCycle { linear: true, ..self }
    }

    pub(super) fn factor(&self, epoch: f64) -> f64 {
        let done = (epoch / self.epochs as f64).clamp(0.0, 1.0);
        let start = 1.0 / self.div_factor;
        let end = start / self.final_div_factor;
        let (from, to, share) = if done < self.pct_start {
            (start, 1.0, done / self.pct_start)
        } else {
            (1.0, end, (done - self.pct_start) / (1.0 - self.pct_start))
        };
        if self.linear {
            return from + (to - from) * share;
        }
        to + 0.5 * (from - to) * (1.0 + (std::f64::consts::PI * share).cos())
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.epochs == 0 {
            return Err(argument("epochs", 0, "1 epoch or more is needed"));
        }
        if !(self.pct_start > 0.0 && self.pct_start < 1.0) {
            return Err(argument("pct_start", self.pct_start, "a share between 0 and 1 is needed"));
        }
        for (name, value) in
            [("div_factor", self.div_factor), ("final_div_factor", self.final_div_factor)]
        {
            if !(value.is_finite() && value > 0.0) {
                return Err(argument(name, value, "a finite number above 0 is needed"));
            }
        }
        Ok(())
    }
}

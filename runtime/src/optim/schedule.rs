use std::fmt;
use std::sync::Arc;

use super::argument;
use super::one_cycle::OneCycle;
use crate::Result;

/// A learning rate schedule: the factor of the learning rate at each epoch. Epochs count from 0 and may be
/// fractions: 0.5 is after half of the first epoch. A trainer sets the rate before every step, so a smooth
/// schedule changes it within epochs too.
///
/// ```
/// use typenet_runtime::optim::Schedule;
/// let schedule = Schedule::step(30, 0.1);
/// assert_eq!(schedule.factor(29.9), 1.0);
/// assert_eq!(schedule.factor(30.0), 0.1);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    curve: Curve,
    warmup: f64,
}

#[derive(Clone, Default)]
enum Curve {
    #[default]
    Constant,
    Step {
        every_epochs: usize,
        factor: f64,
    },
    Milestones {
        epochs: Vec<usize>,
        factor: f64,
    },
    Cosine {
        epochs: usize,
    },
    Linear {
        start: f64,
        end: f64,
        epochs: usize,
    },
    Exponential {
        gamma: f64,
    },
    Polynomial {
        epochs: usize,
        power: f64,
    },
    OneCycle(OneCycle),
    Function(Arc<dyn Fn(f64) -> f64 + Send + Sync>),
}

/// The factor at epoch 0 of a warm-up.
const COLD: f64 = 0.01;

impl Schedule {
    /// Always 1.
    pub fn constant() -> Schedule {
        Schedule::default()
    }

    /// Multiplies by `factor` after every `every_epochs` epochs: `factor^⌊epoch / every_epochs⌋`, PyTorch's
    /// `StepLR`.
    pub fn step(every_epochs: usize, factor: f64) -> Schedule {
        Curve::Step { every_epochs, factor }.into()
    }

    /// Multiplies by `factor` at each of these epochs, given in rising order; PyTorch's `MultiStepLR`.
    pub fn milestones(epochs: &[usize], factor: f64) -> Schedule {
        Curve::Milestones { epochs: epochs.to_vec(), factor }.into()
    }

    /// Half a cosine from 1 at the start to 0 after `epochs` epochs, and 0 from there:
    /// `½ (1 + cos(π · epoch / epochs))`. Loshchilov and Hutter 2017, without restarts.
    pub fn cosine(epochs: usize) -> Schedule {
        Curve::Cosine { epochs }.into()
    }

    /// A straight line from `start_factor` at the start to `end_factor` after `epochs` epochs, and constant
    /// from there; PyTorch's `LinearLR`. `linear(1.0, 0.0, 30)` falls to 0 in 30 epochs.
    pub fn linear(start_factor: f64, end_factor: f64, epochs: usize) -> Schedule {
        Curve::Linear { start: start_factor, end: end_factor, epochs }.into()
    }

    /// `gamma^epoch`, at whole epochs PyTorch's `ExponentialLR`.
    pub fn exponential(gamma: f64) -> Schedule {
        Curve::Exponential { gamma }.into()
    }

    /// `(1 − epoch / epochs)^power`, and 0 after `epochs` epochs; at whole epochs PyTorch's
    /// `PolynomialLR`.
    pub fn polynomial(epochs: usize, power: f64) -> Schedule {
        Curve::Polynomial { epochs, power }.into()
    }

    /// Rises to the learning rate in the first 30 % of `epochs` epochs, and falls to almost 0 in the rest.
    /// [`OneCycle`] has the settings.
    pub fn one_cycle(epochs: usize) -> Schedule {
        OneCycle::new(epochs).into()
    }

    /// A function of the epoch, which returns a finite number, 0 or more.
    pub fn function(factor: impl Fn(f64) -> f64 + Send + Sync + 'static) -> Schedule {
        Curve::Function(Arc::new(factor)).into()
    }

    /// Warms up: multiplies the schedule by a factor that rises in a straight line from 0.01 at the start
    /// to 1 after `epochs` epochs (fractions are allowed). Large batches and high learning rates need it.
    /// The schedule's own epochs count from the start of training as before.
    #[must_use]
    pub fn warmup(mut self, epochs: f64) -> Schedule {
        self.warmup = epochs;
        self
    }

    /// What the learning rate is multiplied by at `epoch`, counted in epochs since the start of training.
    pub fn factor(&self, epoch: f64) -> f64 {
        let warm = if epoch < self.warmup {
            COLD + (1.0 - COLD) * (epoch / self.warmup).max(0.0)
        } else {
            1.0
        };
        warm * match &self.curve {
            Curve::Constant => 1.0,
            Curve::Step { every_epochs, factor } => {
                power(*factor, (epoch / *every_epochs as f64).floor().max(0.0))
            }
            Curve::Milestones { epochs, factor } => {
                let passed = epochs.iter().filter(|&&milestone| milestone as f64 <= epoch).count();
                power(*factor, passed as f64)
            }
            Curve::Cosine { epochs } => {
                let done = (epoch / *epochs as f64).clamp(0.0, 1.0);
                0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            }
            Curve::Linear { start, end, epochs } => {
                let done = (epoch / *epochs as f64).clamp(0.0, 1.0);
                start + (end - start) * done
            }
            Curve::Exponential { gamma } => gamma.powf(epoch.max(0.0)),
            Curve::Polynomial { epochs, power } => {
                (1.0 - (epoch / *epochs as f64).clamp(0.0, 1.0)).powf(*power)
            }
            Curve::OneCycle(cycle) => cycle.factor(epoch),
            Curve::Function(factor) => factor(epoch),
        }
    }

    /// Checks the arguments; a [`function`](Self::function) is checked at epoch 0.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) with the first that is out of range.
    pub fn check(&self) -> Result<()> {
        if !(self.warmup.is_finite() && self.warmup >= 0.0) {
            return Err(argument("warmup", self.warmup, "a finite number of epochs, 0 or more"));
        }
        let in_range = |factor: f64| factor.is_finite() && factor >= 0.0;
        match &self.curve {
            Curve::Step { every_epochs: 0, .. } => {
                Err(argument("every_epochs", 0, "1 epoch or more is needed"))
            }
            Curve::Cosine { epochs: 0 }
            | Curve::Linear { epochs: 0, .. }
            | Curve::Polynomial { epochs: 0, .. } => {
                Err(argument("epochs", 0, "1 epoch or more is needed"))
            }
            Curve::Linear { start: factor, .. } | Curve::Linear { end: factor, .. }
                if !in_range(*factor) =>
            {
                Err(argument("factor", factor, "a finite number, 0 or more, is needed"))
            }
            Curve::Exponential { gamma: value } | Curve::Polynomial { power: value, .. }
                if !in_range(*value) =>
            {
                let name = match &self.curve {
                    Curve::Exponential { .. } => "gamma",
                    _ => "power",
                };
                Err(argument(name, value, "a finite number, 0 or more, is needed"))
            }
            Curve::OneCycle(cycle) => cycle.check(),
            Curve::Milestones { epochs, .. } if !epochs.is_sorted_by(|a, b| a < b) => {
                Err(argument("epochs", format!("{epochs:?}"), "milestones stand in rising order"))
            }
            Curve::Step { factor, .. } | Curve::Milestones { factor, .. } if !in_range(*factor) => {
                Err(argument("factor", factor, "a finite number, 0 or more, is needed"))
            }
            Curve::Function(factor) if !in_range(factor(0.0)) => {
                Err(argument("function(0)", factor(0.0), "a finite number, 0 or more, is needed"))
            }
            _ => Ok(()),
        }
    }
}

/// `factorⁿ` for a whole number `n`, exactly 1 for 0.
fn power(factor: f64, n: f64) -> f64 {
    factor.powi(n.min(f64::from(i32::MAX)) as i32)
}

impl From<OneCycle> for Schedule {
    fn from(cycle: OneCycle) -> Schedule {
        Curve::OneCycle(cycle).into()
    }
}

impl From<Curve> for Schedule {
    fn from(curve: Curve) -> Schedule {
        Schedule { curve, warmup: 0.0 }
    }
}

impl fmt::Debug for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Curve::Constant => write!(f, "Constant"),
            Curve::Step { every_epochs, factor } => write!(f, "Step({every_epochs}, {factor})"),
            Curve::Milestones { epochs, factor } => write!(f, "Milestones({epochs:?}, {factor})"),
            Curve::Cosine { epochs } => write!(f, "Cosine({epochs})"),
            Curve::Linear { start, end, epochs } => write!(f, "Linear({start}, {end}, {epochs})"),
            Curve::Exponential { gamma } => write!(f, "Exponential({gamma})"),
            Curve::Polynomial { epochs, power } => write!(f, "Polynomial({epochs}, {power})"),
            Curve::OneCycle(cycle) => write!(f, "{cycle:?}"),
            Curve::Function(_) => write!(f, "Function(..)"),
        }
    }
}

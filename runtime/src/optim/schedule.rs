use std::sync::Arc;

use crate::{Error, Result};

/// A factor on the learning rate that depends on the epoch, counted from 0.
///
/// ```
/// use typenet_runtime::optim::Schedule;
/// assert_eq!(Schedule::step(10, 0.5).factor(25.0), 0.25);
/// assert_eq!(Schedule::milestones(&[3, 5], 0.1).factor(4.0), 0.1);
/// assert_eq!(Schedule::constant().warmup(4).factor(1.0), 0.5);
/// ```
#[derive(Clone, Default)]
pub struct Schedule {
    shape: Shape,
    warmup: usize,
}

#[derive(Clone, Default)]
enum Shape {
    #[default]
    Constant,
    Step { every: usize, factor: f64 },
    Milestones { epochs: Vec<usize>, factor: f64 },
    Cosine { epochs: usize },
    Function(Arc<dyn Fn(f64) -> f64 + Send + Sync>),
}

impl Schedule {
    fn of(shape: Shape) -> Schedule {
        Schedule { shape, warmup: 0 }
    }

    /// Always 1.
    pub fn constant() -> Schedule {
        Schedule::default()
    }

    /// Step decay: `factor` to the power of `⌊epoch / every⌋`. PyTorch's `StepLR`.
    pub fn step(every: usize, factor: f64) -> Schedule {
        Schedule::of(Shape::Step { every, factor })
    }

    /// `factor` to the power of how many of `epochs` are over. PyTorch's `MultiStepLR`.
    pub fn milestones(epochs: &[usize], factor: f64) -> Schedule {
        Schedule::of(Shape::Milestones { epochs: epochs.to_vec(), factor })
    }

    /// `(1 + cos(π · epoch / epochs)) / 2`: from 1 down to 0. Loshchilov and Hutter, *SGDR*, 2017.
    pub fn cosine(epochs: usize) -> Schedule {
        Schedule::of(Shape::Cosine { epochs })
    }

    /// A function of the epoch.
    pub fn function(factor: impl Fn(f64) -> f64 + Send + Sync + 'static) -> Schedule {
        Schedule::of(Shape::Function(Arc::new(factor)))
    }

    /// Rises linearly over the first `epochs`: `(epoch + 1) / epochs` times the schedule's factor.
    #[must_use]
    pub fn warmup(self, epochs: usize) -> Schedule {
        Schedule { warmup: epochs, ..self }
    }

    /// The factor at `epoch`.
    pub fn factor(&self, epoch: f64) -> f64 {
        let factor = match &self.shape {
            Shape::Constant => 1.0,
            Shape::Step { every, factor } => factor.powf((epoch / *every as f64).floor()),
            Shape::Milestones { epochs, factor } => {
                let over = epochs.iter().filter(|&&at| at as f64 <= epoch).count();
                factor.powf(over as f64)
            }
            Shape::Cosine { epochs } => {
                let share = (epoch / *epochs as f64).clamp(0.0, 1.0);
                (1.0 + (std::f64::consts::PI * share).cos()) / 2.0
            }
            Shape::Function(function) => function(epoch),
        };
        let warm = if self.warmup == 0 { 1.0 } else { ((epoch + 1.0) / self.warmup as f64).min(1.0) };
        warm * factor
    }

    pub(super) fn check(&self) -> Result<()> {
        let wrong = |name, value: String, expected| Err(Error::Argument { name, value, expected });
        match &self.shape {
            Shape::Step { every: 0, .. } => wrong("every", "0".into(), "at least one epoch"),
            Shape::Cosine { epochs: 0 } => wrong("epochs", "0".into(), "at least one epoch"),
            Shape::Step { factor, .. } | Shape::Milestones { factor, .. } => {
                super::check_not_negative("factor", *factor)
            }
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.shape {
            Shape::Constant => write!(f, "Constant")?,
            Shape::Step { every, factor } => write!(f, "Step {{ every: {every}, factor: {factor} }}")?,
            Shape::Milestones { epochs, factor } => {
                write!(f, "Milestones {{ epochs: {epochs:?}, factor: {factor} }}")?;
            }
            Shape::Cosine { epochs } => write!(f, "Cosine {{ epochs: {epochs} }}")?,
            Shape::Function(_) => write!(f, "Function")?,
        }
        if self.warmup == 0 { Ok(()) } else { write!(f, " after {} epochs of warmup", self.warmup) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_follow_the_formulas() {
        let cosine = Schedule::cosine(10);
        for (epoch, expected) in [(0.0, 1.0), (5.0, 0.5), (10.0, 0.0), (20.0, 0.0)] {
            assert!((cosine.factor(epoch) - expected).abs() <= 1e-12, "{epoch}");
        }
        let halves: Vec<f64> = (0..5).map(|e| Schedule::step(2, 0.5).factor(f64::from(e))).collect();
        assert_eq!(halves, [1.0, 1.0, 0.5, 0.5, 0.25]);
        assert_eq!(Schedule::milestones(&[], 0.1).factor(9.0), 1.0);
        assert_eq!(Schedule::function(|epoch| 1.0 / (1.0 + epoch)).factor(3.0), 0.25);
        assert!(Schedule::step(0, 0.5).check().is_err());
        assert!(Schedule::milestones(&[1], f64::NAN).check().is_err());
    }
}

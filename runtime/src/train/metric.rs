use super::history::Epoch;
use crate::{Error, Result};

/// A number of each epoch that something goes by: [`EarlyStopping`], [`Trainer::restore_best`],
/// [`Trainer::plateau`].
///
/// [`Trainer::restore_best`]: super::Trainer::restore_best
/// [`Trainer::plateau`]: super::Trainer::plateau
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Metric {
    /// The training loss.
    Loss,
    /// The share of training images that were classified right.
    Accuracy,
    /// The loss on the images held back by [`Trainer::validation`](super::Trainer::validation).
    ValidationLoss,
    /// The accuracy on these images.
    ValidationAccuracy,
    /// The loss on the test set that `fit` was given.
    TestLoss,
    /// The accuracy on that.
    TestAccuracy,
}

impl Metric {
    /// Its number in this epoch, if there is one.
    pub fn of(self, epoch: &Epoch) -> Option<f64> {
        let (validation, test) = (epoch.validation.as_ref(), epoch.test.as_ref());
        match self {
            Metric::Loss => Some(epoch.loss),
            Metric::Accuracy => epoch.accuracy,
            Metric::ValidationLoss => validation.map(|evaluation| evaluation.loss),
            Metric::ValidationAccuracy => validation?.accuracy(),
            Metric::TestLoss => test.map(|evaluation| evaluation.loss),
            Metric::TestAccuracy => test?.accuracy(),
        }
    }

    /// Whether larger numbers are better: true of accuracies.
    pub fn is_maximized(self) -> bool {
        self.is_accuracy()
    }

    pub(super) fn is_accuracy(self) -> bool {
        matches!(self, Metric::Accuracy | Metric::ValidationAccuracy | Metric::TestAccuracy)
    }

    /// Whether `value` is better than `best` by more than `min_delta`; NaN is not.
    pub(super) fn is_better(self, value: f64, best: Option<f64>, min_delta: f64) -> bool {
        match best {
            None => !value.is_nan(),
            Some(best) if self.is_maximized() => value > best + min_delta,
            Some(best) => value < best - min_delta,
        }
    }

    /// Checks that a run has this metric.
    pub(super) fn check(
        self,
        has_validation: bool,
        has_test: bool,
        has_classes: bool,
    ) -> Result<()> {
        let refuse = |expected| {
            Err(Error::Argument { name: "metric", value: format!("{self:?}"), expected })
        };
        match self {
            Metric::ValidationLoss | Metric::ValidationAccuracy if !has_validation => {
                refuse("it needs images held back by `validation`")
            }
            Metric::TestLoss | Metric::TestAccuracy if !has_test => refuse("it needs a test set"),
            _ if self.is_accuracy() && !has_classes => {
                refuse("it needs targets that are classes, and a net with one output")
            }
            _ => Ok(()),
        }
    }
}

/// Stops training when a metric no longer gets better, for [`Trainer::early_stopping`].
///
/// ```
/// use typenet_runtime::train::{EarlyStopping, Metric};
/// let stop = EarlyStopping::on(Metric::ValidationLoss).patience(5).min_delta(1e-3);
/// ```
///
/// [`Trainer::early_stopping`]: super::Trainer::early_stopping
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct EarlyStopping {
    pub(super) metric: Metric,
    pub(super) patience: usize,
    pub(super) min_delta: f64,
}

impl EarlyStopping {
    /// Stops after 3 epochs in a row in which this metric was not better than before.
    pub fn on(metric: Metric) -> EarlyStopping {
        EarlyStopping { metric, patience: 3, min_delta: 0.0 }
    }

    /// Stops after so many epochs in a row without improvement; at least 1, and 3 by default.
    #[must_use]
    pub fn patience(self, epochs: usize) -> EarlyStopping {
        EarlyStopping { patience: epochs, ..self }
    }

    /// By how much a number must be better than the best one to count; 0 by default.
    #[must_use]
    pub fn min_delta(self, min_delta: f64) -> EarlyStopping {
        EarlyStopping { min_delta, ..self }
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.patience == 0 {
            let (value, expected) = ("0".into(), "1 epoch or more is needed");
            return Err(Error::Argument { name: "patience", value, expected });
        }
        if !(self.min_delta.is_finite() && self.min_delta >= 0.0) {
            let (value, expected) = (self.min_delta.to_string(), "a finite number, 0 or more");
            return Err(Error::Argument { name: "min_delta", value, expected });
        }
        Ok(())
    }
}

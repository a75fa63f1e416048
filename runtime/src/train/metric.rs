use super::history::Epoch;
use crate::{Error, Result};

/// A number of each epoch that a trainer can watch: for [`EarlyStopping`], [`Trainer::restore_best`] and
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
    /// The loss on the validation set of [`Trainer::validation`](super::Trainer::validation).
    ValidationLoss,
    /// The accuracy on the validation set.
    ValidationAccuracy,
    /// The loss on the test set that `fit` was given.
    TestLoss,
    /// The accuracy on the test set.
    TestAccuracy,
}

impl Metric {
    /// The metric's value in this epoch; `None` if the epoch has none.
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

/// Stops training when a metric stops improving, for [`Trainer::early_stopping`].
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
    /// Stops after 3 epochs in a row in which this metric did not beat its best value.
    pub fn on(metric: Metric) -> EarlyStopping {
        EarlyStopping { metric, patience: 3, min_delta: 0.0 }
    }

    /// Stops after this many epochs in a row without improvement; at least 1, and 3 by default.
    #[must_use]
    pub fn patience(self, epochs: usize) -> EarlyStopping {
        EarlyStopping { patience: epochs, ..self }
    }

    /// The metric must beat its best value by more than this to count as an improvement; 0 by default.
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

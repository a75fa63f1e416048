use std::fmt;

use super::Evaluation;
use super::evaluate::write_accuracy;

/// The record of one epoch, a pass over the training set. `Display` and `Debug` are one line.
#[derive(Clone, PartialEq)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: usize,
    /// The mean of the batch losses while training, including the regulariser's penalty.
    pub loss: f64,
    /// The share of training images, 0 to 1, that were classified right while training. `None` for
    /// targets that are no classes, and for a net with several heads.
    pub accuracy: Option<f64>,
    /// The record of each head, for a net with several; else empty. Their losses, each already times its
    /// factor, add up to `loss` without the regulariser's penalty.
    pub heads: Vec<HeadEpoch>,
    /// The evaluation on the validation set; `None` without
    /// [`Trainer::validation`](super::Trainer::validation).
    pub validation: Option<Evaluation>,
    /// The evaluation on the test set; `None` if `fit` was given none.
    pub test: Option<Evaluation>,
    /// The learning rate of the default parameter group in the epoch's last step.
    pub learning_rate: f64,
    /// Seconds of training, without evaluation.
    pub seconds: f64,
    /// Training images per second.
    pub images_per_second: f64,
}

/// The record of one head of a net in one epoch.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct HeadEpoch {
    /// The head's name.
    pub name: &'static str,
    /// The mean of the head's batch losses, times its factor.
    pub loss: f64,
    /// The share of training images, 0 to 1, that were classified right; `None` for targets that are no
    /// classes.
    pub accuracy: Option<f64>,
}

impl Epoch {
    /// The record of the head with this name; `None` if there is none.
    pub fn head(&self, name: &str) -> Option<&HeadEpoch> {
        self.heads.iter().find(|head| head.name == name)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {:>3}  loss {:.4}", self.epoch, self.loss)?;
        write_accuracy(f, self.accuracy)?;
        for head in &self.heads {
            write!(f, "  {} {:.4}", head.name, head.loss)?;
            write_accuracy(f, head.accuracy)?;
        }
        for (name, evaluation) in [("validation", &self.validation), ("test", &self.test)] {
            if let Some(evaluation) = evaluation {
                write!(f, "  {name} ")?;
                evaluation.write_short(f)?;
            }
        }
        write!(f, "  {:.0} images/s", self.images_per_second)
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Epoch({self})")
    }
}

/// The record of a run: of all calls of [`fit`](super::Trainer::fit) since its start. `Display` has one
/// line per epoch, `Debug` the last epoch alone.
#[derive(Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct History {
    /// One entry per epoch.
    pub epochs: Vec<Epoch>,
    /// The loss of every batch in order, including the regulariser's penalty.
    pub batch_losses: Vec<f64>,
    /// The learning rate of the default parameter group in every step, in order.
    pub learning_rates: Vec<f32>,
    /// Why the last call ended before it had trained all its epochs; `None` if it trained them all.
    pub stopped: Option<Stopped>,
}

/// Why a call of [`fit`](super::Trainer::fit) ended early. `Display` is a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Stopped {
    /// The metric of [`EarlyStopping`](super::EarlyStopping) stopped improving.
    Early {
        /// The epoch in which it was best, counted from 1.
        best_epoch: usize,
    },
    /// A callback called [`Moment::stop`](super::Moment::stop) with this reason.
    Callback(String),
    /// Ctrl-C was pressed.
    Interrupted,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stopped::Early { best_epoch } => {
                write!(f, "stopped early: no improvement since epoch {best_epoch}")
            }
            Stopped::Callback(reason) => write!(f, "stopped: {reason}"),
            Stopped::Interrupted => write!(f, "interrupted"),
        }
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, epoch) in self.epochs.iter().enumerate() {
            write!(f, "{}{epoch}", if i == 0 { "" } else { "\n" })?;
        }
        if let Some(stopped) = &self.stopped {
            write!(f, "{}{stopped}", if self.epochs.is_empty() { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History")
            .field("epochs", &self.epochs.len())
            .field("batches", &self.batch_losses.len())
            .field("last", &self.epochs.last())
            .finish()
    }
}

use std::fmt;

use super::Evaluation;
use super::evaluate::write_accuracy;

/// What happened in one pass over the training set. `Display` is a line, and so is `Debug`.
#[derive(Clone, PartialEq)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: usize,
    /// The mean of the batches' losses, with the regulariser's share, as they were while training.
    pub loss: f64,
    /// The share of training images that were classified right while training; `None` for targets
    /// that are no classes.
    pub accuracy: Option<f64>,
    /// The same of each head, for a net with several; else none. Their losses, each times its factor,
    /// add up to `loss` without the regulariser's share.
    pub heads: Vec<HeadEpoch>,
    /// On the images held back from the training set, if any were.
    pub validation: Option<Evaluation>,
    /// On the test set, if there is one.
    pub test: Option<Evaluation>,
    /// The learning rate of the epoch's last step, of the default parameter group.
    pub learning_rate: f64,
    /// Seconds of training, without evaluation.
    pub seconds: f64,
    /// Training images a second.
    pub images_per_second: f64,
}

/// What happened to one head of a net in one pass over the training set.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct HeadEpoch {
    /// The head's name.
    pub name: &'static str,
    /// The mean of the batches' losses of this head.
    pub loss: f64,
    /// The share of training images that were classified right; `None` for targets that are no
    /// classes.
    pub accuracy: Option<f64>,
}

impl Epoch {
    /// What happened to the head of this name.
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

/// What happened in a run: in all calls of [`fit`](super::Trainer::fit) since its start. `Display` has a
/// line an epoch, `Debug` the last one.
#[derive(Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct History {
    /// One entry an epoch.
    pub epochs: Vec<Epoch>,
    /// The loss of every batch in order, with the regulariser's share.
    pub batch_losses: Vec<f64>,
    /// The learning rate of every step in order, of the default parameter group.
    pub learning_rates: Vec<f32>,
    /// Why the last call ended before all its epochs were trained; `None` where they were.
    pub stopped: Option<Stopped>,
}

/// Why a call of [`fit`](super::Trainer::fit) ended early. `Display` is a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Stopped {
    /// The metric of [`EarlyStopping`](super::EarlyStopping) no longer got better.
    Early {
        /// The epoch in which it was best, counted from 1.
        best_epoch: usize,
    },
    /// A callback said so, for this reason.
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

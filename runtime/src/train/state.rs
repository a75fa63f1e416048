//! The state of a training run, except for the net, the data and the code.

use typenet_shape::MAX_HEADS;

use super::history::History;
use super::metric::Metric;
use crate::optim::{Core, Mean, Optimizer, PlateauState};
use crate::{Error, Result};

/// The state of a run: with it, and the weights, a run goes on with the same bits.
pub(super) struct RunState<O: Optimizer> {
    /// The identity of the net that it belongs to.
    pub(super) net: u64,
    pub(super) core: Core<O>,
    /// Dropout's seed, and how many passes it has drawn for.
    pub(super) dropout: (u64, u64),
    pub(super) position: Position,
    pub(super) drawn: Drawn,
    pub(super) sums: EpochSums,
    pub(super) history: History,
    pub(super) mean: Option<Mean>,
    pub(super) best: Option<Best>,
    pub(super) early: Early,
    pub(super) plateau: Option<PlateauState>,
    pub(super) held: Option<Held>,
}

/// How far a run has come.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Position {
    /// Whole epochs that are done.
    pub(super) epoch: usize,
    /// Batches that are done of the epoch after those.
    pub(super) batch: usize,
    /// Which call of `fit` this is, counted from 1 since the run's start.
    pub(super) call: usize,
    /// The epochs that were done when it began.
    pub(super) call_start: usize,
}

/// What decides the batches of an epoch: it must not change within one.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Drawn {
    pub(super) images: usize,
    pub(super) batch: usize,
    pub(super) seed: u64,
    pub(super) with_replacement: bool,
    pub(super) validation: f64,
}

impl Drawn {
    /// Checks that an epoch that was begun with `before` can go on with this.
    ///
    /// # Errors
    /// [`Error::Argument`] for the first setting that differs.
    pub(super) fn check_unchanged(&self, before: &Drawn, epoch: usize) -> Result<()> {
        let pairs = [
            ("images", self.images.to_string(), before.images.to_string()),
            ("batch", self.batch.to_string(), before.batch.to_string()),
            ("seed", self.seed.to_string(), before.seed.to_string()),
            (
                "with_replacement",
                self.with_replacement.to_string(),
                before.with_replacement.to_string(),
            ),
            ("validation", self.validation.to_string(), before.validation.to_string()),
        ];
        match pairs.into_iter().find(|(_, now, before)| now != before) {
            None => Ok(()),
            Some((name, now, before)) => Err(Error::Argument {
                name,
                value: format!("{now}, and epoch {epoch} was begun with {before}"),
                expected: "an epoch is finished as it was begun; `restart` starts anew",
            }),
        }
    }
}

/// The sums of one head in an epoch.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Counted {
    pub(super) loss: f64,
    pub(super) right: usize,
}

/// The sums of an epoch that is running.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct EpochSums {
    pub(super) loss: f64,
    pub(super) images: usize,
    pub(super) seconds: f64,
    pub(super) heads: [Counted; MAX_HEADS],
}

/// The weights of the best epoch so far.
pub(super) struct Best {
    pub(super) metric: Metric,
    pub(super) value: f64,
    pub(super) numbers: Vec<f32>,
}

/// What early stopping has seen.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Early {
    pub(super) best: Option<f64>,
    pub(super) best_epoch: usize,
    /// Epochs in a row without improvement.
    pub(super) bad: usize,
}

/// The trained weights, while the net shows others: a mean, or those of the best epoch.
pub(super) struct Held {
    pub(super) trained: Vec<f32>,
    pub(super) shown: Vec<f32>,
}

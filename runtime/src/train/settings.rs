//! The settings of a trainer beside its optimiser and its loss.

use std::path::PathBuf;

use super::callback::Callbacks;
use super::checkpoint::Checkpoint;
use super::metric::{EarlyStopping, Metric};
use crate::optim::{Averaging, Plateau, Regularizer};
use crate::{Error, Result};

/// The default of `Trainer::workspace`.
const PART: usize = 512;

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) batch: usize,
    pub(super) epochs: usize,
    pub(super) seed: u64,
    pub(super) regularizer: Option<Regularizer>,
    pub(super) validation: f64,
    pub(super) with_replacement: bool,
    pub(super) workspace: usize,
    pub(super) progress: bool,
    pub(super) clip_grad_norm: Option<f64>,
    pub(super) clip_grad_value: Option<f32>,
    pub(super) average: Option<Averaging>,
    pub(super) plateau: Option<(Metric, Plateau)>,
    pub(super) early_stopping: Option<EarlyStopping>,
    pub(super) restore_best: Option<Metric>,
    pub(super) checkpoint: Option<Checkpoint>,
    pub(super) log: Option<PathBuf>,
    pub(super) stop_on_ctrl_c: bool,
    pub(super) callbacks: Callbacks,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            batch: 32,
            epochs: 10,
            seed: 0,
            regularizer: None,
            validation: 0.0,
            with_replacement: false,
            workspace: PART,
            progress: true,
            clip_grad_norm: None,
            clip_grad_value: None,
            average: None,
            plateau: None,
            early_stopping: None,
            restore_best: None,
            checkpoint: None,
            log: None,
            stop_on_ctrl_c: false,
            callbacks: Callbacks::default(),
        }
    }
}

impl Settings {
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |name, value: String, expected| Err(Error::Argument { name, value, expected });
        if self.batch == 0 {
            return refuse("batch", "0".into(), "at least one image a step");
        }
        if self.workspace == 0 {
            return refuse("workspace", "0".into(), "at least one image at a time");
        }
        if !(0.0..1.0).contains(&self.validation) {
            return refuse("validation", self.validation.to_string(), "a share 0 ≤ fraction < 1");
        }
        let clips = [
            ("clip_grad_norm", self.clip_grad_norm),
            ("clip_grad_value", self.clip_grad_value.map(f64::from)),
        ];
        for (name, value) in clips {
            if let Some(value) = value.filter(|value| !(value.is_finite() && *value > 0.0)) {
                return refuse(name, value.to_string(), "a finite number above 0 is needed");
            }
        }
        self.average.as_ref().map_or(Ok(()), Averaging::check)?;
        self.plateau.as_ref().map_or(Ok(()), |(_, plateau)| plateau.check())?;
        self.early_stopping.as_ref().map_or(Ok(()), EarlyStopping::check)?;
        self.checkpoint.as_ref().map_or(Ok(()), Checkpoint::check)
    }

    /// The metrics that are watched.
    pub(super) fn metrics(&self) -> impl Iterator<Item = Metric> {
        let plateau = self.plateau.map(|(metric, _)| metric);
        let early = self.early_stopping.map(|early| early.metric);
        [plateau, early, self.restore_best].into_iter().flatten()
    }

    /// The plateau's settings, with the direction of its metric.
    pub(super) fn plateau(&self) -> Option<Plateau> {
        self.plateau.map(|(metric, plateau)| plateau.maximize(metric.is_maximized()))
    }
}

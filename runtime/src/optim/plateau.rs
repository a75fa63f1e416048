use super::argument;
use crate::Result;

/// Lowers the learning rate when a metric stops improving: PyTorch's `ReduceLROnPlateau`, with its defaults.
///
/// For a [`Trainer`](crate::train::Trainer::plateau), which watches a metric of each epoch; by hand:
///
/// ```
/// use typenet_runtime::optim::Plateau;
/// let mut plateau = Plateau::new().patience(1).factor(0.5).state();
/// let losses = [1.0, 0.8, 0.81, 0.9, 0.7];
/// // What to give `State::scale_learning_rate` after each epoch.
/// assert_eq!(losses.map(|loss| plateau.observe(loss)), [1.0, 1.0, 1.0, 0.5, 1.0]);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Plateau {
    factor: f64,
    patience: usize,
    threshold: f64,
    cooldown: usize,
    min_factor: f64,
    maximize: bool,
}

impl Default for Plateau {
    fn default() -> Plateau {
        Plateau::new()
    }
}

impl Plateau {
    /// Lowers the rate to a tenth after more than 10 epochs without improvement.
    pub fn new() -> Plateau {
        Plateau {
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            cooldown: 0,
            min_factor: 0.0,
            maximize: false,
        }
    }

    /// What the rate is multiplied by each time, between 0 and 1; 0.1 by default.
    #[must_use]
    pub fn factor(self, factor: f64) -> Plateau {
        Plateau { factor, ..self }
    }

    /// How many epochs without improvement are allowed; the next one lowers the rate. 10 by default.
    #[must_use]
    pub fn patience(self, epochs: usize) -> Plateau {
        Plateau { patience: epochs, ..self }
    }

    /// A value must beat the best one by more than this share of it to count as an improvement; 0.0001 by
    /// default.
    #[must_use]
    pub fn threshold(self, threshold: f64) -> Plateau {
        Plateau { threshold, ..self }
    }

    /// How many epochs after each change of the rate are not counted; 0 by default.
    #[must_use]
    pub fn cooldown(self, epochs: usize) -> Plateau {
        Plateau { cooldown: epochs, ..self }
    }

    /// The lower limit, 0 to 1, of the factor of all changes together; 0 by default.
    #[must_use]
    pub fn min_factor(self, min_factor: f64) -> Plateau {
        Plateau { min_factor, ..self }
    }

    /// Whether larger numbers are better; `false` by default. A trainer sets it by its metric.
    #[must_use]
    pub fn maximize(self, maximize: bool) -> Plateau {
        Plateau { maximize, ..self }
    }

    /// Checks the arguments.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) with the first that is out of range.
    pub fn check(&self) -> Result<()> {
        if !(self.factor > 0.0 && self.factor < 1.0) {
            return Err(argument("factor", self.factor, "a number between 0 and 1 is needed"));
        }
        if !(self.threshold.is_finite() && self.threshold >= 0.0) {
            let expected = "a finite number, 0 or more, is needed";
            return Err(argument("threshold", self.threshold, expected));
        }
        if !(0.0..=1.0).contains(&self.min_factor) {
            return Err(argument("min_factor", self.min_factor, "0 to 1 is allowed"));
        }
        Ok(())
    }

    /// The state of a run that is watched, for [`observe`](PlateauState::observe).
    pub fn state(&self) -> PlateauState {
        PlateauState { settings: *self, best: None, bad: 0, cooling: 0, total: 1.0 }
    }
}

/// What [`Plateau`] has seen so far.
#[derive(Clone, PartialEq, Debug)]
pub struct PlateauState {
    settings: Plateau,
    best: Option<f64>,
    bad: usize,
    cooling: usize,
    /// What all changes so far multiply the rate by.
    total: f64,
}

impl PlateauState {
    /// Takes the metric of another epoch, and returns the factor to multiply the learning rate by: 1 for no
    /// change. NaN is no improvement.
    pub fn observe(&mut self, value: f64) -> f64 {
        let Plateau { factor, patience, threshold, cooldown, min_factor, maximize } = self.settings;
        let is_better = match self.best {
            None => !value.is_nan(),
            Some(best) if maximize => value > best * (1.0 + threshold),
            Some(best) => value < best * (1.0 - threshold),
        };
        if is_better {
            self.best = Some(value);
            self.bad = 0;
        } else {
            self.bad += 1;
        }
        if self.cooling > 0 {
            self.cooling -= 1;
            self.bad = 0;
        }
        if self.bad <= patience {
            return 1.0;
        }
        (self.cooling, self.bad) = (cooldown, 0);
        let total = (self.total * factor).max(min_factor.min(self.total));
        let change = total / self.total;
        self.total = total;
        change
    }

    /// The best number, the epochs without improvement, those left to cool down, and what all changes
    /// multiply the rate by.
    pub(crate) fn parts(&self) -> (Option<f64>, usize, usize, f64) {
        (self.best, self.bad, self.cooling, self.total)
    }

    pub(crate) fn set_parts(&mut self, parts: (Option<f64>, usize, usize, f64)) {
        (self.best, self.bad, self.cooling, self.total) = parts;
    }

    pub(crate) fn set_settings(&mut self, settings: Plateau) {
        self.settings = settings;
    }
}

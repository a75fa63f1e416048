use std::path::{Path, PathBuf};

/// Where and how often a run is saved, for [`Trainer::checkpoint`](super::Trainer::checkpoint). A path
/// alone saves after every epoch.
///
/// ```
/// use typenet_runtime::train::Checkpoint;
/// let often = Checkpoint::to("run.safetensors").every_steps(500);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    pub(super) path: PathBuf,
    pub(super) every_epochs: usize,
    pub(super) every_steps: Option<usize>,
}

impl Checkpoint {
    /// Saves to this file after every epoch, and at the end of `fit`.
    pub fn to(path: impl Into<PathBuf>) -> Checkpoint {
        Checkpoint { path: path.into(), every_epochs: 1, every_steps: None }
    }

    /// Saves after every `epochs` epochs, at least 1; 1 by default.
    #[must_use]
    pub fn every_epochs(self, epochs: usize) -> Checkpoint {
        Checkpoint { every_epochs: epochs, ..self }
    }

    /// Also saves after every `steps` steps, at least 1.
    #[must_use]
    pub fn every_steps(self, steps: usize) -> Checkpoint {
        Checkpoint { every_steps: Some(steps), ..self }
    }

    pub(super) fn check(&self) -> crate::Result<()> {
        let refuse =
            |name, expected| Err(crate::Error::Argument { name, value: "0".into(), expected });
        match (self.every_epochs, self.every_steps) {
            (0, _) => refuse("every_epochs", "1 epoch or more is needed"),
            (_, Some(0)) => refuse("every_steps", "1 step or more is needed"),
            _ => Ok(()),
        }
    }

    pub(super) fn after_step(&self, steps: u64) -> bool {
        self.every_steps.is_some_and(|every| steps.is_multiple_of(every as u64))
    }

    pub(super) fn after_epoch(&self, epoch: usize) -> bool {
        epoch.is_multiple_of(self.every_epochs)
    }
}

macro_rules! from_paths {
    ($($path:ty),*) => {
        $(
            impl From<$path> for Checkpoint {
                fn from(path: $path) -> Checkpoint {
                    Checkpoint::to(path)
                }
            }
        )*
    };
}
from_paths!(&str, String, &String, PathBuf, &Path, &PathBuf);

//! Training and evaluation.
//!
//! [`Trainer`] minimises a loss by minibatch gradient descent; [`evaluate`] says how good a net is;
//! [`train`] is the simplest form of both the words: images and labels in, a trained net out.

mod evaluate;
mod history;
mod progress;
mod trainer;

pub use evaluate::{ConfusionMatrix, Evaluation, HeadEvaluation, Target, evaluate};
pub use history::{Epoch, HeadEpoch, History};
pub use trainer::{Trainer, train};

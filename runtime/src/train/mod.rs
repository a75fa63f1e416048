//! Training and evaluation.
//!
//! [`Trainer`] minimises a loss by minibatch gradient descent; [`evaluate`] says how good a net is;
//! [`train`] is the simplest form of both the words: images and labels in, a trained net out.
//!
//! Reading order: `trainer` (the settings and what a call of `fit` is), `run` (the loop), `state` (what a
//! run consists of) and `saved` (that as a file); `metric`, `callback`, `checkpoint` and `history` are what
//! a program sees of a run.

mod batch_norms;
mod callback;
mod checkpoint;
mod evaluate;
mod history;
mod interrupt;
mod json;
mod log;
mod metric;
mod progress;
mod run;
mod saved;
mod settings;
mod state;
mod trainer;

pub use batch_norms::update_bn;
pub use callback::{Callback, Moment};
pub use checkpoint::Checkpoint;
pub use evaluate::{ConfusionMatrix, Evaluation, HeadEvaluation, Target, evaluate};
pub use history::{Epoch, HeadEpoch, History, Stopped};
pub use metric::{EarlyStopping, Metric};
pub use trainer::{Trainer, train};

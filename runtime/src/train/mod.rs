//! Training and evaluation.
//!
//! [`Trainer`] minimises a loss by minibatch gradient descent; [`evaluate`] says how good a net is;
//! [`train`] is the shortest way: images and labels in, a trained net out.
//!
//! Reading order: `trainer` (the settings and `fit`), `run` (the training loop), `state` (the state of a run)
//! and `saved` (checkpoint files). A program sees a run through `metric`, `callback`, `checkpoint` and
//! `history`.

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

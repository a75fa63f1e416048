//! Optimisers, learning rate schedules ([`Schedule`]), and the [`Regularizer`] that is part of a loss.
//!
//! | optimiser | source |
//! |---|---|
//! | [`Sgd`] | stochastic gradient descent, with momentum or Nesterov's momentum |
//! | [`Adam`] | Kingma and Ba 2015 |
//! | [`AdamW`] | Loshchilov and Hutter 2019 |
//! | [`RmsProp`] | Hinton 2012 |
//! | [`Lion`] | Chen and others 2023 |
//! | [`Muon`] | Jordan and others 2024 |
//!
//! [`Trainer::new`](crate::train::Trainer::new) takes any of them. For a training loop by hand,
//! [`Optimizer::state`] makes the [`State`] that takes the steps.

mod adam;
mod adamw;
mod average;
mod clip;
mod lion;
mod muon;
mod norm;
mod one_cycle;
mod orthogonal;
mod plateau;
mod regularizer;
mod rmsprop;
mod rule;
mod schedule;
mod settings;
mod sgd;

pub use adam::{Adam, AdamGroup, AdamSettings};
pub use adamw::{AdamW, AdamWGroup, AdamWSettings};
pub(crate) use average::Mean;
pub use average::{Average, Averaging};
pub use clip::{clip_grad_norm, clip_grad_value};
pub use lion::{Lion, LionGroup, LionSettings};
pub use muon::{Muon, MuonGroup, MuonSettings};
pub use one_cycle::OneCycle;
pub use plateau::{Plateau, PlateauState};
pub use regularizer::Regularizer;
pub use rmsprop::{RmsProp, RmsPropGroup, RmsPropSettings};
pub(crate) use rule::Core;
pub use rule::{MAX_BUFFERS, Optimizer, Rule, State, TensorStep};
pub use schedule::Schedule;
pub use sgd::{Sgd, SgdGroup, SgdSettings};

use crate::Error;

/// An argument of the optimiser that is out of range.
fn argument(name: &'static str, value: impl ToString, expected: &'static str) -> Error {
    Error::Argument { name, value: value.to_string(), expected }
}

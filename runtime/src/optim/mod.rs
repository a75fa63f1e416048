//! The optimiser: [`Sgd`] with momentum, its learning rate's [`Schedule`], and the [`Regularizer`]
//! that is part of a loss.

mod regularizer;
mod schedule;
mod sgd;
mod state;

pub use regularizer::Regularizer;
pub use schedule::Schedule;
pub use sgd::{Group, Sgd};
pub use state::SgdState;

use crate::Error;

/// An argument of the optimiser that is out of range.
fn argument(name: &'static str, value: impl ToString, expected: &'static str) -> Error {
    Error::Argument { name, value: value.to_string(), expected }
}

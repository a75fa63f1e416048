//! What layers and losses compute, and their derivatives, as formulas.
//!
//! A [`Formula`] states a function once: the f64 reference evaluates it, the documentation and
//! [`derivation`](crate::derivatives::Derivatives) show it, and tests hold its derivative against
//! differences and the kernels against both.

mod evaluate;
mod expression;
mod formula;
mod layers;
mod losses;
mod number;
mod render;
#[cfg(test)]
#[allow(clippy::expect_used, clippy::panic)]
mod tests;

pub(crate) use evaluate::{Branches, Values};
pub use expression::{Expression, Function, Over, Relation, Symbol};
pub use formula::Formula;
#[cfg(test)]
pub(crate) use layers::activation;
pub(crate) use layers::of_op;
pub use losses::{LossFormula, loss_formulas};
pub(crate) use number::{Dual, Number};
pub use render::{Names, Style};
pub(crate) use render::{gradient, name};

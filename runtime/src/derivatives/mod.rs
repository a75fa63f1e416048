//! Derivatives along a direction, and the equations of a net's derivative.
//!
//! [`Network::backward`](crate::Network::backward) is reverse mode: from one number, the loss, to its
//! gradient, which holds its slope in every direction. Forward mode goes the other way: from one
//! [`Direction`], in the input or the parameters or both, to how fast every output changes along it.
//! The slope of the loss is the same number in either: `∇L · v`.
//!
//! [`Derivatives`] has the calls, for every net, and [`derivation`](Derivatives::derivation), which
//! writes down how the gradient comes about.

mod calls;
mod derivation;
mod direction;

pub use crate::loss::Slope;
pub use calls::Derivatives;
pub use derivation::{Derivation, Equation, LayerDerivation, LossDerivation};
pub use direction::Direction;

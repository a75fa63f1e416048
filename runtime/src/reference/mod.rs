//! A slow, plain implementation of the same nets in f64, which the fast passes are checked against.
//!
//! [`Evaluation`] runs a net's graph for one image, one nested loop a layer, straight from the
//! formulas. [`gradcheck`] compares the gradients of [`Network::backward`](crate::Network::backward)
//! with central differences of the loss in f64.

mod conv2d;
mod derivatives;
mod evaluation;
mod gradcheck;
mod gradcheck_fast;
mod norms;
mod of_net;
mod own_layer;
mod tensors;
mod upsample;

pub use evaluation::Evaluation;
pub(crate) use evaluation::{evaluate_single, first_not_finite};
pub use gradcheck::{GradCheck, TensorCheck, gradcheck, gradcheck_with};
pub use gradcheck_fast::{DirectionCheck, FastGradCheck, gradcheck_fast};
pub use of_net::{evaluate, jvp, vjp};

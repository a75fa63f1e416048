//! The compile error for a trainer without a loss.

use std::marker::PhantomData;

use super::{Accepts, Loss, Reduction, argument};
use crate::Result;

/// What the loss of a trainer that got none, `()`, would have to be. Nothing is.
#[diagnostic::on_unimplemented(
    message = "this trainer has no loss yet",
    label = "there is no loss to train this net with",
    note = "help: give the trainer one before `fit`: `.loss(CrossEntropy::new())` for classes, `.loss(MeanSquaredError::new())` for values"
)]
pub trait IsChosen {}

/// The loss for a net, not chosen yet.
#[derive(Debug)]
pub struct LossFor<N>(PhantomData<N>);

impl<N> Accepts<N> for () where LossFor<N>: IsChosen {}

/// Makes the compiler give that one message: without this it would also complain of the targets. It trains
/// no net, since it accepts none.
impl<T> Loss<T> for () {
    fn reduction(&self) -> Reduction {
        Reduction::Mean
    }

    fn check(&self, _outputs: usize, _target: &T, _place: &str) -> Result<()> {
        Err(argument("loss", "none", "a loss, such as `CrossEntropy::new()`"))
    }

    fn weight(&self, _target: &T) -> f64 {
        1.0
    }

    fn image(&self, _outputs: &[f32], _target: &T, _scale: f64, gradient: &mut [f32]) -> f64 {
        gradient.fill(f32::NAN);
        f64::NAN
    }

    fn reference(&self, _outputs: &[f64], _target: &T) -> f64 {
        f64::NAN
    }
}

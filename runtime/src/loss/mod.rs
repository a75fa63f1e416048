//! The loss functions: a number for how wrong an output is, and its gradient.
//!
//! Each loss is defined for one image; its *reduction* says how a batch's numbers become one:
//! their mean (the default, as in PyTorch) or their sum.
//!
//! | loss | targets | loss of one image, with outputs `z` or `y` | outputs of the net |
//! |---|---|---|---|
//! | [`CrossEntropy`] | class numbers, or [mixed ones](crate::data::MixedLabel) | `−ln softmax(z)[label]` | logits |
//! | [`NllLoss`] | class numbers | `−y[label]` | `log_softmax` |
//! | [`BinaryCrossEntropy`] | 0..=1 for each output | mean of `−t ln σ(z) − (1 − t) ln(1 − σ(z))` | logits |
//! | [`MeanSquaredError`] | values | mean of `(y − t)²` | anything |
//! | [`SumSquaredError`] | values | sum of `(y − t)²` | anything |
//! | [`Huber`] | values | mean of `(y − t)²/2`, linear beyond `delta` | anything |
//!
//! Values are arrays of the output's own type, `[f32; 4]` or `[[[f32; width]; height]; channels]`, or
//! `f32` where the output is one number: see [`Fits`]. Other types do not compile.
//!
//! The loss of a net with several heads is a struct with a loss for each head: see [`Objective`].
//! `(0.5, loss)` gives a head half the weight.
//!
//! A NaN in an output makes the loss NaN, never a number that looks right.

use crate::error::same_count;
use crate::net::network::Network;
use crate::net::workspace::Workspace;
use crate::{Error, Result};

mod binary_cross_entropy;
mod compares;
mod cross_entropy;
mod huber;
mod missing;
mod nll;
mod objective;
mod slope;
mod squared_error;

pub use crate::net::targets::{Fits, Matches};
pub use binary_cross_entropy::BinaryCrossEntropy;
pub use compares::{Compares, TargetValues};
#[doc(hidden)]
pub use compares::{HeadCompares, forward_backward};
pub use cross_entropy::CrossEntropy;
pub use huber::Huber;
pub use nll::NllLoss;
pub use objective::Objective;
#[doc(hidden)]
pub use objective::{HeadLoss, OfHead};
pub(crate) use objective::{
    PerHead, Rows, add_reference, denominators, of_batch, shares, slope_of_rows,
};
pub use slope::Slope;
pub use squared_error::{MeanSquaredError, SumSquaredError};

/// How the losses of a batch's images become one number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Reduction {
    /// Their sum divided by the sum of the images' weights (their number, without class weights).
    /// A batch whose weights are all zero has the loss NaN, as in PyTorch.
    #[default]
    Mean,
    /// Their sum.
    Sum,
}

/// A loss function with targets of type `T`: class numbers (`usize`), or values (`[f32; N]`).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no loss for targets of type `{T}`",
    label = "no loss for such targets",
    note = "help: functions take the net first, then the loss, inputs and targets; `CrossEntropy` is for numbers of classes, `MeanSquaredError` for arrays of `f32`"
)]
pub trait Loss<T>: Clone + Send + Sync {
    /// The reduction over the batch.
    fn reduction(&self) -> Reduction;

    /// Checks one target, and the loss's own arguments, against the number of outputs; `place` says
    /// where the target is from.
    ///
    /// # Errors
    /// [`Error::Label`], [`Error::Size`] or [`Error::Target`] when the target does not belong to such
    /// an output; [`Error::Argument`] when an argument of the loss is out of range.
    fn check(&self, outputs: usize, target: &T, place: &str) -> Result<()>;

    /// The image's share in the denominator of a mean: 1, or its class's weight. Any number will do
    /// for a target that [`check`](Self::check) refuses.
    fn weight(&self, target: &T) -> f64;

    /// Returns the loss of one image, times its weight, and writes the gradient of `scale` times that loss
    /// into `gradient`.
    ///
    /// # Panics
    /// May panic on a target that [`check`](Self::check) refuses.
    fn image(&self, outputs: &[f32], target: &T, scale: f64, gradient: &mut [f32]) -> f64;

    /// The loss of one image, times its weight, in f64: the reference of [`image`](Self::image).
    ///
    /// # Panics
    /// As [`image`](Self::image).
    fn reference(&self, outputs: &[f64], target: &T) -> f64;

    /// What the sum of the images' losses is divided by: the sum of their [weights](Self::weight) for
    /// [`Reduction::Mean`], 1 for [`Reduction::Sum`].
    fn denominator(&self, targets: &[T]) -> f64 {
        match self.reduction() {
            Reduction::Mean => targets.iter().map(|target| self.weight(target)).sum(),
            Reduction::Sum => 1.0,
        }
    }

    /// Returns the loss of the outputs in `ws`, and writes its gradient there for
    /// [`backward`](Network::backward).
    ///
    /// # Errors
    /// [`Error::Size`] when there are not as many targets as outputs; the errors of
    /// [`check`](Self::check) for a target that does not belong to the net's output, such as a label
    /// outside its classes.
    fn forward_backward<N: Network>(&self, targets: &[T], ws: &mut Workspace<N>) -> Result<f64>
    where
        Self: Accepts<N>,
        N::Output: Matches<T>,
    {
        let denominator = self.denominator(targets);
        self.forward_backward_part(targets, ws, denominator)
    }

    /// As [`forward_backward`](Self::forward_backward), for a part of a batch, with the
    /// [`denominator`](Self::denominator) of the whole batch: the losses and gradients of the parts add up
    /// to those of the batch.
    ///
    /// # Errors
    /// As [`forward_backward`](Self::forward_backward).
    fn forward_backward_part<N: Network>(
        &self,
        targets: &[T],
        ws: &mut Workspace<N>,
        denominator: f64,
    ) -> Result<f64>
    where
        Self: Accepts<N>,
        N::Output: Matches<T>,
    {
        let () = N::Output::MATCHES;
        same_count("targets of a batch", ws.batch(), targets.len())?;
        let len = N::LAYOUT.output_len;
        for (i, target) in targets.iter().enumerate() {
            // The place is written out only for a target that is refused: a step allocates nothing.
            if self.check(len, target, "").is_err() {
                self.check(len, target, &format!("target {i} of the batch"))?;
            }
        }
        let (outputs, gradients) = ws.output_rows();
        let rows = outputs.chunks_exact(len).zip(gradients.chunks_exact_mut(len));
        let mut sum = 0.0;
        for ((output, gradient), target) in rows.zip(targets) {
            sum += self.image(output, target, 1.0 / denominator, gradient);
        }
        Ok(sum / denominator)
    }
}

/// Says that a loss can be applied to the outputs of a net, or to one of its heads: cross-entropy only
/// where the last layer is not `softmax`, for example.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no loss for the outputs of `{N}`",
    label = "no loss for this net",
    note = "help: functions take the net first, then the loss, inputs and targets; a `Trainer` gets its loss by `.loss(CrossEntropy::new())`"
)]
pub trait Accepts<N> {}

/// An argument of a loss that is out of range.
fn argument(name: &'static str, value: impl ToString, expected: &'static str) -> Error {
    Error::Argument { name, value: value.to_string(), expected }
}

/// Checks a class number.
fn check_label(outputs: usize, label: usize, place: &str) -> Result<()> {
    if label < outputs {
        return Ok(());
    }
    Err(Error::Label { place: place.to_owned(), label, classes: outputs })
}

/// Checks an argument that gives each output a weight.
fn check_weights(
    name: &'static str,
    count: &'static str,
    weights: &[f32],
    outputs: usize,
) -> Result<()> {
    if weights.len() != outputs {
        let value = format!("{} numbers for {outputs} outputs", weights.len());
        return Err(argument(name, value, count));
    }
    match weights.iter().find(|weight| !(weight.is_finite() && **weight >= 0.0)) {
        Some(weight) => Err(argument(name, weight, "every weight is finite and 0 or more")),
        None => Ok(()),
    }
}

/// Checks a target that has a number for each output.
fn check_values(
    outputs: usize,
    target: &[f32],
    place: &str,
    allowed: fn(f32) -> bool,
    expected: &'static str,
) -> Result<()> {
    if target.len() != outputs {
        return Err(Error::size(format!("{place}: numbers of a target"), outputs, target.len()));
    }
    match target.iter().position(|&value| !allowed(value)) {
        Some(output) => {
            let (place, value) = (place.to_owned(), target[output]);
            Err(Error::Target { place, output, value, expected })
        }
        None => Ok(()),
    }
}

/// Checks that all numbers of a target are finite.
fn check_finite(outputs: usize, target: &[f32], place: &str) -> Result<()> {
    check_values(outputs, target, place, f32::is_finite, "a finite number is needed")
}

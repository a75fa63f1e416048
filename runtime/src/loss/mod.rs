//! The loss functions: a number for how wrong an output is, and its gradient.
//!
//! Each loss is defined for one image; its *reduction* says how a batch's numbers become one:
//! their mean (the default, as in PyTorch) or their sum.

mod cross_entropy;
mod elementwise;

use crate::network::Network;
use crate::workspace::{Workspace, same_count};
use crate::{Error, Result};

pub use cross_entropy::CrossEntropy;
pub use elementwise::{BinaryCrossEntropy, Huber, MeanSquaredError, SumSquaredError};

/// How the losses of a batch's images become one number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Reduction {
    /// Their sum divided by the sum of the images' weights (their number, without class weights).
    #[default]
    Mean,
    /// Their sum.
    Sum,
}

/// A loss function with targets of type `T`: class numbers (`usize`), or values (`[f32; N]`).
pub trait Loss<T>: Clone + Send + Sync {
    /// The reduction over the batch.
    fn reduction(&self) -> Reduction;

    /// Checks one target against the number of outputs; `place` says where it is from.
    ///
    /// # Errors
    /// When this target, or an argument of the loss, does not belong to such an output.
    fn check(&self, outputs: usize, target: &T, place: &str) -> Result<()>;

    /// The image's share in the denominator of a mean: 1, or its class's weight.
    fn weight(&self, target: &T) -> f64;

    /// The loss of one image, times its weight, and the gradient of `scale` times that into
    /// `gradient`.
    fn image(&self, outputs: &[f32], target: &T, scale: f64, gradient: &mut [f32]) -> f64;

    /// The loss of one image, times its weight, in f64: the reference of [`image`](Self::image).
    fn reference(&self, outputs: &[f64], target: &T) -> f64;

    /// What the sum of the images' losses is divided by.
    fn denominator(&self, targets: &[T]) -> f64 {
        match self.reduction() {
            Reduction::Mean => targets.iter().map(|target| self.weight(target)).sum(),
            Reduction::Sum => 1.0,
        }
    }

    /// The loss of the outputs in `ws`, whose gradient is written there for
    /// [`backward`](Network::backward).
    ///
    /// # Errors
    /// When there are not as many targets as outputs, or a target does not belong to the net's
    /// output: a label outside its classes, say.
    fn forward_backward<N: Network>(&self, targets: &[T], ws: &mut Workspace<N>) -> Result<f32>
    where
        Self: Accepts<N>,
    {
        let denominator = self.denominator(targets);
        self.forward_backward_part(targets, ws, denominator).map(|loss| loss as f32)
    }

    /// As [`forward_backward`](Self::forward_backward), for a part of a batch whose whole
    /// [`denominator`](Self::denominator) is given: the parts' losses and gradients add up to the
    /// batch's.
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
    {
        same_count("targets of a batch", ws.batch(), targets.len())?;
        let len = N::LAYOUT.output_len;
        for (i, target) in targets.iter().enumerate() {
            self.check(len, target, &format!("target {i} of the batch"))?;
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

/// Says that a loss can be applied to the outputs of a net: cross-entropy only to a net that does
/// not end in `softmax`, for example.
pub trait Accepts<N: Network> {}

/// An argument of a loss that is out of range.
fn argument(name: &'static str, value: impl ToString, expected: &'static str) -> Error {
    Error::Argument { name, value: value.to_string(), expected }
}

//! The losses that compare each output with a number of its own.

use super::{Accepts, Loss, Reduction, argument};
use crate::network::{Logits, Network};
use crate::plain::Plain;
use crate::{Error, Result};

/// The loss of one output, given the target, with its derivative.
trait Elementwise {
    /// Loss and derivative for output `y` and target `t`, the `k`-th of an image.
    fn element(&self, k: usize, y: f64, t: f64) -> (f64, f64);

    /// Whether an image's loss is the mean over its outputs, not their sum.
    const MEAN_OF_OUTPUTS: bool = true;

    /// An argument that is out of range, if there is one.
    fn check_arguments(&self, _outputs: usize) -> Result<()> {
        Ok(())
    }

    /// What is wrong with a target, if anything.
    fn check_target(&self, target: f32) -> Option<&'static str> {
        (!target.is_finite()).then_some("a finite number")
    }

    fn factor(&self, outputs: usize) -> f64 {
        if Self::MEAN_OF_OUTPUTS { 1.0 / outputs as f64 } else { 1.0 }
    }
}

macro_rules! elementwise_loss {
    ($name:ty, accepts $bound:ident) => {
        impl $name {
            /// Mean or sum over the images of a batch.
            #[must_use]
            pub fn reduction(self, reduction: Reduction) -> Self {
                Self { reduction, ..self }
            }
        }

        impl<N: $bound> Accepts<N> for $name {}

        impl<T: Plain> Loss<T> for $name {
            fn reduction(&self) -> Reduction {
                self.reduction
            }

            fn check(&self, outputs: usize, target: &T, place: &str) -> Result<()> {
                self.check_arguments(outputs)?;
                if T::LEN != outputs {
                    return Err(Error::size(format!("{place}: numbers"), outputs, T::LEN));
                }
                for number in target.as_flat() {
                    if let Some(expected) = self.check_target(*number) {
                        return Err(Error::size(place, expected, number));
                    }
                }
                Ok(())
            }

            fn weight(&self, _target: &T) -> f64 {
                1.0
            }

            fn image(&self, outputs: &[f32], target: &T, scale: f64, gradient: &mut [f32]) -> f64 {
                let factor = self.factor(outputs.len());
                let mut loss = 0.0;
                for (k, (&y, &t)) in outputs.iter().zip(target.as_flat()).enumerate() {
                    let (value, derivative) = self.element(k, f64::from(y), f64::from(t));
                    loss += value;
                    gradient[k] = (scale * factor * derivative) as f32;
                }
                factor * loss
            }

            fn reference(&self, outputs: &[f64], target: &T) -> f64 {
                let pairs = outputs.iter().zip(target.as_flat()).enumerate();
                let sum: f64 = pairs.map(|(k, (&y, &t))| self.element(k, y, f64::from(t)).0).sum();
                self.factor(outputs.len()) * sum
            }
        }
    };
}

/// Mean squared error: `Σ (y − t)² / K` over the `K` outputs of an image, then the mean over the
/// batch; gradient `2 (y − t) / K`. PyTorch's `MSELoss`.
///
/// With [`Reduction::Sum`] the images' means are added.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct MeanSquaredError {
    reduction: Reduction,
}

impl MeanSquaredError {
    /// Mean over the batch.
    pub fn new() -> MeanSquaredError {
        MeanSquaredError::default()
    }
}

impl Elementwise for MeanSquaredError {
    fn element(&self, _k: usize, y: f64, t: f64) -> (f64, f64) {
        ((y - t) * (y - t), 2.0 * (y - t))
    }
}

elementwise_loss!(MeanSquaredError, accepts Network);

/// Sum of squared differences, the textbook's loss for regression: `Σ (y − t)²` over the outputs of
/// an image (no factor ½, so the gradient is `2 (y − t)`), then the mean over the batch, or with
/// [`Reduction::Sum`] the sum.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SumSquaredError {
    reduction: Reduction,
}

impl SumSquaredError {
    /// Mean over the batch.
    pub fn new() -> SumSquaredError {
        SumSquaredError::default()
    }
}

impl Elementwise for SumSquaredError {
    const MEAN_OF_OUTPUTS: bool = false;

    fn element(&self, _k: usize, y: f64, t: f64) -> (f64, f64) {
        ((y - t) * (y - t), 2.0 * (y - t))
    }
}

elementwise_loss!(SumSquaredError, accepts Network);

/// Binary cross-entropy of the sigmoid of each output with a target from 0 to 1:
/// `−w t ln σ(y) − (1 − t) ln(1 − σ(y))`, mean over the outputs and the batch, computed without
/// overflow for any `y`. `w` is 1 unless [`pos_weight`](Self::pos_weight) says otherwise. PyTorch's
/// `BCEWithLogitsLoss`.
///
/// The net gives logits: it does not end in `sigmoid`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct BinaryCrossEntropy {
    reduction: Reduction,
    pos_weight: Option<Vec<f32>>,
}

impl BinaryCrossEntropy {
    /// Mean over the batch, positive and negative targets alike.
    pub fn new() -> BinaryCrossEntropy {
        BinaryCrossEntropy::default()
    }

    /// How many times a positive target counts: one number for each output, 0 or more.
    #[must_use]
    pub fn pos_weight(self, weights: &[f32]) -> Self {
        BinaryCrossEntropy { pos_weight: Some(weights.to_vec()), ..self }
    }
}

impl Elementwise for BinaryCrossEntropy {
    fn element(&self, k: usize, y: f64, t: f64) -> (f64, f64) {
        let weight = match &self.pos_weight {
            Some(weights) => weights.get(k).map_or(f64::NAN, |&weight| f64::from(weight)),
            None => 1.0,
        };
        // ln(1 + e⁻ʸ) without overflow.
        let softplus = (-y.abs()).exp().ln_1p() + (-y).max(0.0);
        let sigmoid = if y >= 0.0 { 1.0 / (1.0 + (-y).exp()) } else { y.exp() / (1.0 + y.exp()) };
        let slope = 1.0 + (weight - 1.0) * t;
        // The maximum above drops a NaN; the sum keeps it.
        ((1.0 - t) * y + slope * softplus, (1.0 - t) - slope * (1.0 - sigmoid))
    }

    fn check_arguments(&self, outputs: usize) -> Result<()> {
        let Some(weights) = &self.pos_weight else { return Ok(()) };
        if weights.len() != outputs {
            let value = format!("{} weights", weights.len());
            return Err(argument("pos_weight", value, "one weight for each output"));
        }
        match weights.iter().find(|weight| !(weight.is_finite() && **weight >= 0.0)) {
            Some(weight) => Err(argument("pos_weight", weight, "finite weights, 0 or more")),
            None => Ok(()),
        }
    }

    fn check_target(&self, target: f32) -> Option<&'static str> {
        (!(0.0..=1.0).contains(&target)).then_some("a number from 0 to 1")
    }
}

elementwise_loss!(BinaryCrossEntropy, accepts Logits);

/// Huber's loss: `(y − t)² / 2` where `|y − t| ≤ δ`, `δ (|y − t| − δ/2)` beyond, mean over the
/// outputs and the batch. Less drawn to outliers than squares. PyTorch's `HuberLoss`; Huber,
/// *Robust estimation of a location parameter*, 1964.
#[derive(Clone, PartialEq, Debug)]
pub struct Huber {
    reduction: Reduction,
    delta: f64,
}

impl Huber {
    /// Mean over the batch; `delta`, above 0, is where squares end.
    pub fn new(delta: f64) -> Huber {
        Huber { reduction: Reduction::Mean, delta }
    }
}

impl Elementwise for Huber {
    fn element(&self, _k: usize, y: f64, t: f64) -> (f64, f64) {
        let (d, delta) = (y - t, self.delta);
        if d.abs() > delta {
            (delta * (d.abs() - delta / 2.0), delta * d.signum())
        } else {
            (d * d / 2.0, d)
        }
    }

    fn check_arguments(&self, _outputs: usize) -> Result<()> {
        if self.delta > 0.0 && self.delta.is_finite() {
            Ok(())
        } else {
            Err(argument("delta", self.delta, "a finite number above 0"))
        }
    }
}

elementwise_loss!(Huber, accepts Network);

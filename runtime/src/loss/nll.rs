use super::{Accepts, Loss, Reduction, check_label, check_weights};
use crate::Result;
use crate::net::outputs::{EndsInLogProbabilities, SingleOutput};

/// Negative log-likelihood of class numbers: `L = −y[label]`, PyTorch's `NLLLoss`.
///
/// The net's outputs `y` are logarithms of probabilities: a net that does not end in `log_softmax` is
/// refused at compile time. `log_softmax` with this loss is [`CrossEntropy`](super::CrossEntropy) on
/// logits, which is the shorter way. The gradient is −1 at the label and 0 elsewhere, divided by the number
/// of images unless the reduction is the sum.
///
/// With [class weights](Self::class_weights) `w` the loss is `−w_label · y[label]`, and the mean over a
/// batch divides by `Σ w_label` over its images. Where that is 0, the loss is NaN, as in PyTorch.
///
/// ```
/// use typenet_runtime::loss::{Loss, NllLoss};
/// let mut gradient = [0.0; 2];
/// let loss = NllLoss::new().image(&[-0.5, -1.0], &1, 1.0, &mut gradient);
/// assert_eq!((loss, gradient), (1.0, [0.0, -1.0]));
/// ```
#[derive(Clone, PartialEq, Debug, Default)]
pub struct NllLoss {
    class_weights: Option<Box<[f32]>>,
    reduction: Reduction,
}

impl NllLoss {
    /// No weights, mean over the batch.
    pub fn new() -> NllLoss {
        NllLoss::default()
    }

    /// One weight per class, 0 or more: larger for classes that are rare or matter more.
    #[must_use]
    pub fn class_weights(mut self, class_weights: &[f32]) -> NllLoss {
        self.class_weights = Some(class_weights.into());
        self
    }

    /// How the images' losses become one number; their weighted mean by default.
    #[must_use]
    pub fn reduction(mut self, reduction: Reduction) -> NllLoss {
        self.reduction = reduction;
        self
    }
}

impl Loss<usize> for NllLoss {
    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn check(&self, outputs: usize, target: &usize, place: &str) -> Result<()> {
        if let Some(weights) = &self.class_weights {
            check_weights("class_weights", "one weight a class is needed", weights, outputs)?;
        }
        check_label(outputs, *target, place)
    }

    fn weight(&self, target: &usize) -> f64 {
        match &self.class_weights {
            // A label outside the classes is refused by `check`, not here.
            Some(weights) => f64::from(weights.get(*target).copied().unwrap_or(0.0)),
            None => 1.0,
        }
    }

    fn image(&self, outputs: &[f32], target: &usize, scale: f64, gradient: &mut [f32]) -> f64 {
        assert_eq!(outputs.len(), gradient.len(), "one gradient for each output");
        let weight = self.weight(target);
        gradient.fill(0.0);
        gradient[*target] = (-weight * scale) as f32;
        -weight * f64::from(outputs[*target])
    }

    fn reference(&self, outputs: &[f64], target: &usize) -> f64 {
        -self.weight(target) * outputs[*target]
    }
}

impl<N: SingleOutput + EndsInLogProbabilities> Accepts<N> for NllLoss {}

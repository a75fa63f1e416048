use super::{Accepts, Loss, Reduction, argument, check_label, check_weights};
use crate::data::MixedLabel;
use crate::net::outputs::{EndsInLogits, SingleOutput};
use crate::{Error, Result};

/// Cross-entropy of class numbers, with the softmax inside:
/// `L = −ln softmax(z)[label] = ln Σ_c e^(z_c) − z_label`, PyTorch's `CrossEntropyLoss`.
///
/// The net's outputs `z` are logits: a net that ends in `softmax` is refused at compile time. The
/// largest logit is subtracted first, so that no exponential overflows. The gradient is
/// `softmax(z) − onehot(label)`, divided by the number of images unless the reduction is the sum.
///
/// With [class weights](Self::class_weights) `w` and [label smoothing](Self::label_smoothing) `ε`
/// over `K` classes:
///
/// ```text
/// L = (1 − ε) · w_label · (−ln p_label)  +  ε/K · Σ_c w_c · (−ln p_c),    p = softmax(z)
/// ```
///
/// The mean over a batch divides by `Σ w_label` over its images. Where that is 0, the loss is NaN, as in
/// PyTorch.
///
/// Targets are class numbers, or [`MixedLabel`]s of [`mixup`](crate::data::Examples::mixup).
///
/// ```
/// use typenet_runtime::loss::{CrossEntropy, Loss};
/// let mut gradient = [0.0; 2];
/// let loss = CrossEntropy::new().image(&[0.0, 0.0], &1, 1.0, &mut gradient);
/// assert!((loss - 2f64.ln()).abs() < 1e-12);
/// assert_eq!(gradient, [0.5, -0.5]);
/// ```
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CrossEntropy {
    label_smoothing: f32,
    class_weights: Option<Box<[f32]>>,
    reduction: Reduction,
}

impl CrossEntropy {
    /// No smoothing, no weights, mean over the batch.
    pub fn new() -> CrossEntropy {
        CrossEntropy::default()
    }

    /// The share of the target that is spread evenly over all classes, the right one included:
    /// 0 (the default) to 1. Szegedy et al. 2016, section 7.
    #[must_use]
    pub fn label_smoothing(mut self, label_smoothing: f32) -> CrossEntropy {
        self.label_smoothing = label_smoothing;
        self
    }

    /// One weight per class, 0 or more: larger for classes that are rare or matter more.
    #[must_use]
    pub fn class_weights(mut self, class_weights: &[f32]) -> CrossEntropy {
        self.class_weights = Some(class_weights.into());
        self
    }

    /// How the images' losses become one number; their weighted mean by default.
    #[must_use]
    pub fn reduction(mut self, reduction: Reduction) -> CrossEntropy {
        self.reduction = reduction;
        self
    }

    fn class_weight(&self, class: usize) -> f64 {
        match &self.class_weights {
            // A label outside the classes is refused by `check`, not here.
            Some(weights) => f64::from(weights.get(class).copied().unwrap_or(0.0)),
            None => 1.0,
        }
    }

    fn check_arguments(&self, outputs: usize) -> Result<()> {
        if !(0.0..=1.0).contains(&self.label_smoothing) {
            return Err(argument("label_smoothing", self.label_smoothing, "0 to 1 is allowed"));
        }
        if let Some(weights) = &self.class_weights {
            check_weights("class_weights", "one weight a class is needed", weights, outputs)?;
        }
        Ok(())
    }

    /// The factor of the term of a label that has this share.
    fn own(&self, label: usize, share: f64) -> f64 {
        (1.0 - f64::from(self.label_smoothing)) * self.class_weight(label) * share
    }

    /// The factor of each class's weight in the smoothing term.
    fn spread(&self, classes: usize) -> f64 {
        f64::from(self.label_smoothing) / classes as f64
    }

    /// The loss of labels whose shares add up to 1, and its gradient.
    fn image_of(
        &self,
        outputs: &[f32],
        labels: &[(usize, f64)],
        scale: f64,
        gradient: &mut [f32],
    ) -> f64 {
        assert_eq!(outputs.len(), gradient.len(), "one gradient for each output");
        let top = f64::from(outputs.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        // The exponentials wait in the gradient's place until their sum is known.
        let mut sum = 0.0;
        for (gradient, &z) in gradient.iter_mut().zip(outputs) {
            let exponential = (f64::from(z) - top).exp();
            sum += exponential;
            *gradient = exponential as f32;
        }
        let log_sum = sum.ln();
        let spread = self.spread(outputs.len());
        let of = |class: usize| f64::from(outputs[class]) - top - log_sum;
        let (mut loss, mut total) = (0.0, 0.0);
        for &(label, share) in labels {
            let own = self.own(label, share);
            loss -= own * of(label);
            total += own;
        }
        if spread > 0.0 {
            for class in 0..outputs.len() {
                let weight = spread * self.class_weight(class);
                loss -= weight * of(class);
                total += weight;
            }
        }
        let factor = scale * total / sum;
        for gradient in gradient.iter_mut() {
            *gradient = (f64::from(*gradient) * factor) as f32;
        }
        if spread > 0.0 {
            for (class, gradient) in gradient.iter_mut().enumerate() {
                *gradient =
                    (f64::from(*gradient) - scale * spread * self.class_weight(class)) as f32;
            }
        }
        // In f64, because the terms are almost equal once the net is right.
        for &(label, _) in labels {
            let owns = labels.iter().filter(|(other, _)| *other == label);
            let own: f64 = owns.map(|&(label, share)| self.own(label, share)).sum();
            let rest = if spread > 0.0 { spread * self.class_weight(label) } else { 0.0 };
            gradient[label] = (scale * (total * of(label).exp() - own - rest)) as f32;
        }
        loss
    }

    fn reference_of(&self, outputs: &[f64], labels: &[(usize, f64)]) -> f64 {
        let top = outputs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = outputs.iter().map(|z| (z - top).exp()).sum();
        let cost = |class: usize| top + sum.ln() - outputs[class];
        let spread = self.spread(outputs.len());
        let mut loss: f64 =
            labels.iter().map(|&(label, share)| self.own(label, share) * cost(label)).sum();
        if spread > 0.0 {
            for class in 0..outputs.len() {
                loss += spread * self.class_weight(class) * cost(class);
            }
        }
        loss
    }
}

impl Loss<usize> for CrossEntropy {
    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn check(&self, outputs: usize, target: &usize, place: &str) -> Result<()> {
        self.check_arguments(outputs)?;
        check_label(outputs, *target, place)
    }

    fn weight(&self, target: &usize) -> f64 {
        self.class_weight(*target)
    }

    fn image(&self, outputs: &[f32], target: &usize, scale: f64, gradient: &mut [f32]) -> f64 {
        self.image_of(outputs, &[(*target, 1.0)], scale, gradient)
    }

    fn reference(&self, outputs: &[f64], target: &usize) -> f64 {
        self.reference_of(outputs, &[(*target, 1.0)])
    }
}

/// The loss of mixed images is `share · L(label) + (1 − share) · L(other)`, and their weight likewise.
impl Loss<MixedLabel> for CrossEntropy {
    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn check(&self, outputs: usize, target: &MixedLabel, place: &str) -> Result<()> {
        self.check_arguments(outputs)?;
        check_label(outputs, target.label, place)?;
        check_label(outputs, target.other, place)?;
        if !(0.0..=1.0).contains(&target.share) {
            let (place, value) = (place.to_owned(), target.share);
            let expected = "the share of a label is 0 to 1";
            return Err(Error::Target { place, output: target.label, value, expected });
        }
        Ok(())
    }

    fn weight(&self, target: &MixedLabel) -> f64 {
        shares(target).iter().map(|&(label, share)| share * self.class_weight(label)).sum()
    }

    fn image(&self, outputs: &[f32], target: &MixedLabel, scale: f64, gradient: &mut [f32]) -> f64 {
        self.image_of(outputs, &shares(target), scale, gradient)
    }

    fn reference(&self, outputs: &[f64], target: &MixedLabel) -> f64 {
        self.reference_of(outputs, &shares(target))
    }
}

fn shares(target: &MixedLabel) -> [(usize, f64); 2] {
    let share = f64::from(target.share);
    [(target.label, share), (target.other, 1.0 - share)]
}

impl<N: SingleOutput + EndsInLogits> Accepts<N> for CrossEntropy {}

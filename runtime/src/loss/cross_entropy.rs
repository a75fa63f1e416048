use super::{Accepts, Loss, Reduction, argument, check_label, check_weights};
use crate::Result;
use crate::net::outputs::{EndsInLogits, SingleOutput};

/// Cross-entropy of class numbers, with the softmax inside:
/// `L = −ln softmax(z)[label] = ln Σ_c e^(z_c) − z_label`, PyTorch's `CrossEntropyLoss`.
///
/// The net's outputs `z` are logits: a net that ends in `softmax` is refused at compile time. The
/// largest logit is subtracted first, so that no logit is too large. The gradient is
/// `softmax(z) − onehot(label)`, divided by the number of images unless the reduction is the sum.
///
/// With [class weights](Self::class_weights) `w` and [label smoothing](Self::label_smoothing) `ε`
/// over `K` classes:
///
/// ```text
/// L = (1 − ε) · w_label · (−ln p_label)  +  ε/K · Σ_c w_c · (−ln p_c),    p = softmax(z)
/// ```
///
/// and the mean over a batch divides by `Σ w_label` over its images. Where that is 0 the loss is
/// NaN, as in PyTorch.
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

    /// One weight a class, each 0 or more, for classes that are rare or matter more.
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

    /// The weights of the label's term and of each class's share in the smoothing term.
    fn shares(&self, label: usize, classes: usize) -> (f64, f64) {
        let smoothing = f64::from(self.label_smoothing);
        ((1.0 - smoothing) * self.class_weight(label), smoothing / classes as f64)
    }
}

impl Loss<usize> for CrossEntropy {
    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn check(&self, outputs: usize, target: &usize, place: &str) -> Result<()> {
        if !(0.0..=1.0).contains(&self.label_smoothing) {
            return Err(argument("label_smoothing", self.label_smoothing, "0 to 1 is allowed"));
        }
        if let Some(weights) = &self.class_weights {
            check_weights("class_weights", "one weight a class is needed", weights, outputs)?;
        }
        check_label(outputs, *target, place)
    }

    fn weight(&self, target: &usize) -> f64 {
        self.class_weight(*target)
    }

    fn image(&self, outputs: &[f32], target: &usize, scale: f64, gradient: &mut [f32]) -> f64 {
        assert_eq!(outputs.len(), gradient.len(), "one gradient for each output");
        let label = *target;
        let top = f64::from(outputs.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        // The exponentials wait in the gradient's place until their sum is known.
        let mut sum = 0.0;
        for (gradient, &z) in gradient.iter_mut().zip(outputs) {
            let exponential = (f64::from(z) - top).exp();
            sum += exponential;
            *gradient = exponential as f32;
        }
        let log_sum = sum.ln();
        let (own, share) = self.shares(label, outputs.len());
        let of_label = f64::from(outputs[label]) - top - log_sum;
        let mut loss = -own * of_label;
        let mut total = own;
        if share > 0.0 {
            for (class, &z) in outputs.iter().enumerate() {
                let weight = share * self.class_weight(class);
                loss -= weight * (f64::from(z) - top - log_sum);
                total += weight;
            }
        }
        let factor = scale * total / sum;
        for gradient in gradient.iter_mut() {
            *gradient = (f64::from(*gradient) * factor) as f32;
        }
        if share > 0.0 {
            for (class, gradient) in gradient.iter_mut().enumerate() {
                *gradient =
                    (f64::from(*gradient) - scale * share * self.class_weight(class)) as f32;
            }
        }
        // In f64, because the two are almost equal once the net is right.
        let rest = if share > 0.0 { share * self.class_weight(label) } else { 0.0 };
        gradient[label] = (scale * (total * of_label.exp() - own - rest)) as f32;
        loss
    }

    fn reference(&self, outputs: &[f64], target: &usize) -> f64 {
        let top = outputs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = outputs.iter().map(|z| (z - top).exp()).sum();
        let cost = |class: usize| top + sum.ln() - outputs[class];
        let (own, share) = self.shares(*target, outputs.len());
        let mut loss = own * cost(*target);
        if share > 0.0 {
            for class in 0..outputs.len() {
                loss += share * self.class_weight(class) * cost(class);
            }
        }
        loss
    }
}

impl<N: SingleOutput + EndsInLogits> Accepts<N> for CrossEntropy {}

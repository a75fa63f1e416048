use super::{Accepts, Loss, Reduction, argument};
use crate::network::Logits;
use crate::{Error, Result};

/// Cross-entropy of the softmax of logits with a class number:
/// `−ln p[label]`, `p = softmax(z)`, gradient `p − onehot(label)`.
///
/// With label smoothing `ε` the target is `1 − ε + ε/K` for the label and `ε/K` for each other of `K`
/// classes. With class weights `w` each class's term counts `w[class]` times. The mean over a batch
/// divides by the sum of its labels' weights. All as PyTorch's `CrossEntropyLoss`; label smoothing is
/// from Szegedy et al., *Rethinking the Inception architecture*, 2016.
///
/// The net gives logits: it does not end in `softmax`.
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
    reduction: Reduction,
    label_smoothing: f64,
    class_weights: Option<Vec<f32>>,
}

impl CrossEntropy {
    /// Mean over the batch, no smoothing, all classes alike.
    pub fn new() -> CrossEntropy {
        CrossEntropy::default()
    }

    /// Takes `epsilon`, 0 to 1, of the label and spreads it over all classes.
    #[must_use]
    pub fn label_smoothing(self, epsilon: f64) -> Self {
        CrossEntropy { label_smoothing: epsilon, ..self }
    }

    /// One weight for each class, 0 or more: larger for classes that are rare.
    #[must_use]
    pub fn class_weights(self, weights: &[f32]) -> Self {
        CrossEntropy { class_weights: Some(weights.to_vec()), ..self }
    }

    /// Mean or sum over the batch.
    #[must_use]
    pub fn reduction(self, reduction: Reduction) -> Self {
        CrossEntropy { reduction, ..self }
    }

    fn class_weight(&self, class: usize) -> f64 {
        match &self.class_weights {
            Some(weights) => weights.get(class).map_or(f64::NAN, |&weight| f64::from(weight)),
            None => 1.0,
        }
    }

    /// The share of the target, times the class's weight, that class `class` has.
    fn share(&self, class: usize, label: usize, classes: usize) -> f64 {
        let smooth = self.label_smoothing / classes as f64;
        let sharp = if class == label { 1.0 - self.label_smoothing } else { 0.0 };
        (sharp + smooth) * self.class_weight(class)
    }

    /// `Σ share[k] · (ln Σ eᶻ − z[k])`, and through `each` the gradient by each logit.
    fn run(&self, logits: impl Fn(usize) -> f64, classes: usize, label: usize, mut each: impl FnMut(usize, f64)) -> f64 {
        let top = (0..classes).map(&logits).fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = (0..classes).map(|k| (logits(k) - top).exp()).sum();
        let shares: f64 = if self.label_smoothing == 0.0 {
            self.class_weight(label)
        } else {
            (0..classes).map(|k| self.share(k, label, classes)).sum()
        };
        let log_sum = sum.ln() + top;
        let mut loss = 0.0;
        for k in 0..classes {
            let share = self.share(k, label, classes);
            if share != 0.0 {
                loss += share * (log_sum - logits(k));
            }
            each(k, shares * (logits(k) - top).exp() / sum - share);
        }
        // A NaN among logits of no share must not go unseen.
        if sum.is_nan() { f64::NAN } else { loss }
    }
}

impl<N: Logits> Accepts<N> for CrossEntropy {}

impl Loss<usize> for CrossEntropy {
    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn check(&self, outputs: usize, target: &usize, place: &str) -> Result<()> {
        if !(0.0..=1.0).contains(&self.label_smoothing) {
            let value = self.label_smoothing;
            return Err(argument("label_smoothing", value, "a share from 0 to 1"));
        }
        if let Some(weights) = &self.class_weights {
            if weights.len() != outputs {
                let value = format!("{} weights", weights.len());
                return Err(argument("class_weights", value, "one weight for each class"));
            }
            if let Some(weight) = weights.iter().find(|w| !(w.is_finite() && **w >= 0.0)) {
                return Err(argument("class_weights", weight, "finite weights, 0 or more"));
            }
        }
        if *target >= outputs {
            return Err(Error::Label { place: place.into(), label: *target, classes: outputs });
        }
        Ok(())
    }

    fn weight(&self, target: &usize) -> f64 {
        self.class_weight(*target)
    }

    fn image(&self, outputs: &[f32], target: &usize, scale: f64, gradient: &mut [f32]) -> f64 {
        let logits = |k: usize| f64::from(outputs[k]);
        self.run(logits, outputs.len(), *target, |k, g| gradient[k] = (scale * g) as f32)
    }

    fn reference(&self, outputs: &[f64], target: &usize) -> f64 {
        // Straight from the definition: −Σ share · ln softmax.
        let top = outputs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = outputs.iter().map(|z| (z - top).exp()).sum();
        let terms = outputs.iter().enumerate().map(|(k, z)| {
            -self.share(k, *target, outputs.len()) * ((z - top) - sum.ln())
        });
        terms.sum()
    }
}

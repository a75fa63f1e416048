use super::{Accepts, Loss, Reduction, TargetValues, check_values, check_weights};
use crate::Result;
use crate::net::outputs::{EndsInLogits, SingleOutput};

/// Binary cross-entropy with the sigmoid inside, for outputs that are independent yes-or-no
/// questions; PyTorch's `BCEWithLogitsLoss`. For one image the mean over its `n` outputs of
///
/// ```text
/// −t ln σ(z) − (1 − t) ln(1 − σ(z))  =  max(z, 0) − z t + ln(1 + e^−|z|),    0 ≤ t ≤ 1
/// ```
///
/// computed in the second form, which overflows for no logit. The net's outputs `z` are logits:
/// a net that ends in `sigmoid` is refused at compile time. The gradient at an output is
/// `(σ(z) − t) / n`, divided by the number of images unless the reduction is the sum.
///
/// ```
/// use typenet_runtime::loss::{BinaryCrossEntropy, Loss};
/// let mut gradient = [0.0; 2];
/// let loss = BinaryCrossEntropy::new().image(&[0.0, 0.0], &[1.0, 0.5], 1.0, &mut gradient);
/// assert!((loss - 2f64.ln()).abs() < 1e-12);
/// assert_eq!(gradient, [-0.25, 0.0]);
/// ```
#[derive(Clone, PartialEq, Debug, Default)]
pub struct BinaryCrossEntropy {
    pos_weight: Option<Box<[f32]>>,
    reduction: Reduction,
}

impl BinaryCrossEntropy {
    /// No weights, the mean over the batch.
    pub fn new() -> BinaryCrossEntropy {
        BinaryCrossEntropy::default()
    }

    /// One factor per output, 0 or more, of its term `−t ln σ(z)`; above 1 it makes a missed yes cost more
    /// than a wrong one. PyTorch's `pos_weight`.
    #[must_use]
    pub fn pos_weight(mut self, pos_weight: &[f32]) -> BinaryCrossEntropy {
        self.pos_weight = Some(pos_weight.into());
        self
    }

    /// How the images' losses become one number; their mean by default.
    #[must_use]
    pub fn reduction(mut self, reduction: Reduction) -> BinaryCrossEntropy {
        self.reduction = reduction;
        self
    }

    fn positive(&self, output: usize) -> f64 {
        self.pos_weight.as_ref().map_or(1.0, |weights| f64::from(weights[output]))
    }
}

impl<T: TargetValues> Loss<T> for BinaryCrossEntropy {
    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn check(&self, outputs: usize, target: &T, place: &str) -> Result<()> {
        if let Some(weights) = &self.pos_weight {
            check_weights("pos_weight", "one weight an output is needed", weights, outputs)?;
        }
        let allowed = |value: f32| (0.0..=1.0).contains(&value);
        check_values(outputs, target.values(), place, allowed, "0 to 1 is allowed")
    }

    fn weight(&self, _target: &T) -> f64 {
        1.0
    }

    fn image(&self, outputs: &[f32], target: &T, scale: f64, gradient: &mut [f32]) -> f64 {
        let target = target.values();
        assert_eq!(outputs.len(), gradient.len(), "one gradient for each output");
        assert_eq!(outputs.len(), target.len(), "one target for each output");
        let scale = scale / outputs.len() as f64;
        let mut sum = 0.0;
        for (i, gradient) in gradient.iter_mut().enumerate() {
            let (z, t) = (f64::from(outputs[i]), f64::from(target[i]));
            let (yes, no) = (self.positive(i) * t, 1.0 - t);
            // −ln σ(z) = max(−z, 0) + ln(1 + e^−|z|) and −ln(1 − σ(z)) = z − ln σ(z).
            let small = (-z.abs()).exp();
            let log = small.ln_1p();
            sum += if z >= 0.0 { yes * log + no * (z + log) } else { yes * (log - z) + no * log };
            let (sigmoid, rest) = if z >= 0.0 {
                (1.0 / (1.0 + small), small / (1.0 + small))
            } else {
                (small / (1.0 + small), 1.0 / (1.0 + small))
            };
            *gradient = ((no * sigmoid - yes * rest) * scale) as f32;
        }
        sum / outputs.len() as f64
    }

    fn reference(&self, outputs: &[f64], target: &T) -> f64 {
        let mut sum = 0.0;
        for (i, (&z, &t)) in outputs.iter().zip(target.values()).enumerate() {
            let t = f64::from(t);
            let small = (-z.abs()).exp().ln_1p();
            sum += self.positive(i) * t * ((-z).max(0.0) + small);
            sum += (1.0 - t) * (z.max(0.0) + small);
        }
        sum / outputs.len() as f64
    }
}

impl<N: SingleOutput + EndsInLogits> Accepts<N> for BinaryCrossEntropy {}

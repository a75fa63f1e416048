use super::{Accepts, Loss, Reduction, TargetValues, argument, check_finite};
use crate::Result;
use crate::net::outputs::SingleOutput;

/// Huber's loss: squared near the target, linear beyond `delta`, so that outliers pull less
/// (Huber 1964); PyTorch's `HuberLoss`. For one image the mean over its `n` outputs of
///
/// ```text
/// ½ (y − t)²                where |y − t| ≤ delta
/// delta (|y − t| − ½ delta)      elsewhere
/// ```
///
/// The gradient at an output is `y − t`, clamped to `±delta` and divided by `n`, and by the number of images
/// unless the reduction is the sum.
///
/// ```
/// use typenet_runtime::loss::{Huber, Loss};
/// let mut gradient = [0.0; 2];
/// let loss = Huber::new(1.0).image(&[1.0, 5.0], &[0.5, 2.0], 1.0, &mut gradient);
/// assert_eq!((loss, gradient), ((0.125 + 2.5) / 2.0, [0.25, 0.5]));
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Huber {
    delta: f32,
    reduction: Reduction,
}

impl Huber {
    /// Linear beyond `delta`, which is above 0 (PyTorch's default is 1); the mean over the batch.
    pub fn new(delta: f32) -> Huber {
        Huber { delta, reduction: Reduction::Mean }
    }

    /// How the images' losses become one number; their mean by default.
    #[must_use]
    pub fn reduction(mut self, reduction: Reduction) -> Huber {
        self.reduction = reduction;
        self
    }
}

impl<T: TargetValues> Loss<T> for Huber {
    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn check(&self, outputs: usize, target: &T, place: &str) -> Result<()> {
        if !(self.delta.is_finite() && self.delta > 0.0) {
            return Err(argument("delta", self.delta, "a finite number above 0 is needed"));
        }
        check_finite(outputs, target.values(), place)
    }

    fn weight(&self, _target: &T) -> f64 {
        1.0
    }

    fn image(&self, outputs: &[f32], target: &T, scale: f64, gradient: &mut [f32]) -> f64 {
        let target = target.values();
        assert_eq!(outputs.len(), gradient.len(), "one gradient for each output");
        assert_eq!(outputs.len(), target.len(), "one target for each output");
        let (delta, count) = (f64::from(self.delta), outputs.len() as f64);
        let mut sum = 0.0;
        for ((gradient, &y), &t) in gradient.iter_mut().zip(outputs).zip(target) {
            let difference = f64::from(y) - f64::from(t);
            let (value, slope) = if difference.abs() <= delta {
                (0.5 * difference * difference, difference)
            } else {
                // A NaN comes here and stays NaN: its sign is NaN.
                (delta * (difference.abs() - 0.5 * delta), delta * difference.signum())
            };
            sum += value;
            *gradient = (slope * scale / count) as f32;
        }
        sum / count
    }

    fn reference(&self, outputs: &[f64], target: &T) -> f64 {
        let delta = f64::from(self.delta);
        let values = outputs.iter().zip(target.values()).map(|(y, &t)| {
            let distance = (y - f64::from(t)).abs();
            // The part within delta, and what lies beyond.
            let near = if distance > delta { delta } else { distance };
            0.5 * near * near + delta * (distance - near)
        });
        values.sum::<f64>() / outputs.len() as f64
    }
}

impl<N: SingleOutput> Accepts<N> for Huber {}

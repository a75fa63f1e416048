use super::{Accepts, Loss, Reduction, TargetValues, check_finite};
use crate::Result;
use crate::net::outputs::SingleOutput;

/// The mean squared error: for one image the mean of `(y − t)²` over its `n` outputs, PyTorch's
/// `MSELoss`.
///
/// The gradient at an output is `2 (y − t) / n`, divided by the number of images unless the
/// reduction is the sum. (PyTorch's `reduction="sum"` does not divide by `n` either: that is
/// [`SumSquaredError`] with [`Reduction::Sum`].)
///
/// ```
/// use typenet_runtime::loss::{Loss, MeanSquaredError};
/// let mut gradient = [0.0; 2];
/// let loss = MeanSquaredError::new().image(&[1.0, 5.0], &[1.0, 2.0], 1.0, &mut gradient);
/// assert_eq!((loss, gradient), (4.5, [0.0, 3.0]));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MeanSquaredError {
    reduction: Reduction,
}

impl MeanSquaredError {
    /// The mean over the batch.
    pub fn new() -> MeanSquaredError {
        MeanSquaredError::default()
    }

    /// How the images' losses become one number; their mean by default.
    #[must_use]
    pub fn reduction(mut self, reduction: Reduction) -> MeanSquaredError {
        self.reduction = reduction;
        self
    }
}

/// The sum of squared errors: for one image the sum of `(y − t)²` over its outputs, as in the
/// textbooks.
///
/// There is no factor ½: the gradient at an output is `2 (y − t)`, divided by the number of images
/// unless the reduction is the sum.
///
/// ```
/// use typenet_runtime::loss::{Loss, SumSquaredError};
/// let mut gradient = [0.0; 2];
/// let loss = SumSquaredError::new().image(&[1.0, 5.0], &[1.0, 2.0], 1.0, &mut gradient);
/// assert_eq!((loss, gradient), (9.0, [0.0, 6.0]));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SumSquaredError {
    reduction: Reduction,
}

impl SumSquaredError {
    /// The mean over the batch of the images' sums.
    pub fn new() -> SumSquaredError {
        SumSquaredError::default()
    }

    /// How the images' losses become one number; their mean by default.
    #[must_use]
    pub fn reduction(mut self, reduction: Reduction) -> SumSquaredError {
        self.reduction = reduction;
        self
    }
}

impl<T: TargetValues> Loss<T> for MeanSquaredError {
    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn check(&self, outputs: usize, target: &T, place: &str) -> Result<()> {
        check_finite(outputs, target.values(), place)
    }

    fn weight(&self, _target: &T) -> f64 {
        1.0
    }

    fn image(&self, outputs: &[f32], target: &T, scale: f64, gradient: &mut [f32]) -> f64 {
        let count = outputs.len() as f64;
        squares(outputs, target.values(), scale / count, gradient) / count
    }

    fn reference(&self, outputs: &[f64], target: &T) -> f64 {
        reference_squares(outputs, target.values()) / outputs.len() as f64
    }
}

impl<T: TargetValues> Loss<T> for SumSquaredError {
    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn check(&self, outputs: usize, target: &T, place: &str) -> Result<()> {
        check_finite(outputs, target.values(), place)
    }

    fn weight(&self, _target: &T) -> f64 {
        1.0
    }

    fn image(&self, outputs: &[f32], target: &T, scale: f64, gradient: &mut [f32]) -> f64 {
        squares(outputs, target.values(), scale, gradient)
    }

    fn reference(&self, outputs: &[f64], target: &T) -> f64 {
        reference_squares(outputs, target.values())
    }
}

impl<N: SingleOutput> Accepts<N> for MeanSquaredError {}
impl<N: SingleOutput> Accepts<N> for SumSquaredError {}

/// `Σ (y − t)²`, and `2 (y − t)` times `scale` into `gradient`.
fn squares(outputs: &[f32], target: &[f32], scale: f64, gradient: &mut [f32]) -> f64 {
    assert_eq!(outputs.len(), gradient.len(), "one gradient for each output");
    assert_eq!(outputs.len(), target.len(), "one target for each output");
    let mut sum = 0.0;
    for ((gradient, &y), &t) in gradient.iter_mut().zip(outputs).zip(target) {
        let difference = f64::from(y) - f64::from(t);
        sum += difference * difference;
        *gradient = (2.0 * difference * scale) as f32;
    }
    sum
}

fn reference_squares(outputs: &[f64], target: &[f32]) -> f64 {
    outputs.iter().zip(target).map(|(y, &t)| (y - f64::from(t)).powi(2)).sum()
}

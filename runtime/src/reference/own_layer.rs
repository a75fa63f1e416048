use typenet_shape::{Layer, Parameters, Shape};

use crate::symbolic::{Dual, Number};

/// Numbers that a layer of the user's own can be run with.
pub(super) trait Scalar: Number {
    /// The value of a layer, of so many numbers.
    fn own_layer(
        layer: &dyn Layer,
        input: Shape,
        parameters: Parameters<'_, Self>,
        x: &[Self],
        len: usize,
    ) -> Vec<Self>;
}

impl Scalar for f64 {
    fn own_layer(
        layer: &dyn Layer,
        input: Shape,
        parameters: Parameters<'_, f64>,
        x: &[f64],
        len: usize,
    ) -> Vec<f64> {
        let mut y = vec![0.0; len];
        layer.reference(input, parameters, x, &mut y);
        y
    }
}

impl Scalar for Dual {
    /// By the central difference: the layer has no formula that could be read.
    fn own_layer(
        layer: &dyn Layer,
        input: Shape,
        parameters: Parameters<'_, Dual>,
        x: &[Dual],
        len: usize,
    ) -> Vec<Dual> {
        let at = |step: f64| {
            let moved = |numbers: &[Dual]| -> Vec<f64> {
                numbers.iter().map(|number| number.value + step * number.tangent).collect()
            };
            let (weight, bias) = (moved(parameters.weight), moved(parameters.bias));
            let parameters = Parameters { weight: &weight[..], bias: &bias[..] };
            f64::own_layer(layer, input, parameters, &moved(x), len)
        };
        const STEP: f64 = 1e-5;
        let (here, above, below) = (at(0.0), at(STEP), at(-STEP));
        let tangents = above.iter().zip(below).map(|(above, below)| (above - below) / (2.0 * STEP));
        here.into_iter().zip(tangents).map(|(value, tangent)| Dual { value, tangent }).collect()
    }
}

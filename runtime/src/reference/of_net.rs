use typenet_engine::Flat;

use super::derivatives;
use super::evaluation::{Evaluation, evaluate_net};
use crate::Network;

/// Runs a net's graph on one image with these parameters (in the order of the parameter struct),
/// all in f64.
///
/// # Panics
/// When `parameters` or `input` are not as long as the net's.
pub fn evaluate<N: Network>(parameters: &[f64], input: &[f64]) -> Evaluation {
    check::<N>(parameters, input);
    evaluate_net(&N::SPEC, parameters, input)
}

/// Forward mode in f64, for one image as the net predicts. Returns the output, and its derivative along `moves`
/// in the parameters and `direction` in the input. Each number is computed with its tangent beside it; the
/// tangents of running statistics count as 0.
///
/// # Panics
/// When one of the slices is not as long as the net's parameters or input.
pub fn jvp<N: Network>(
    [parameters, moves]: [&[f64]; 2],
    [input, direction]: [&[f64]; 2],
) -> [Vec<f64>; 2] {
    check::<N>(parameters, input);
    check::<N>(moves, direction);
    derivatives::jvp(&N::SPEC, [parameters, moves], [input, direction])
}

/// Reverse mode in f64, for one image as the net predicts. Returns the gradients of `⟨u, output⟩` with respect to
/// the input and the parameters, in this order, by the formulas that [`symbolic`](crate::symbolic) states.
///
/// # Panics
/// When one of the slices is not as long as the net's parameters, input or output.
pub fn vjp<N: Network>(parameters: &[f64], input: &[f64], u: &[f64]) -> [Vec<f64>; 2] {
    check::<N>(parameters, input);
    assert!(u.len() == N::Output::LEN, "as many numbers as the net's output has");
    derivatives::vjp(&N::SPEC, parameters, input, u)
}

fn check<N: Network>(parameters: &[f64], input: &[f64]) {
    assert!(parameters.len() == N::LAYOUT.parameters, "as many numbers as the net has parameters");
    assert!(input.len() == N::Input::LEN, "as many numbers as the net's input has");
}

use typenet_engine::Flat;

use super::evaluation::{Evaluation, evaluate_net};
use crate::Network;

/// Runs a net's graph on one image with these parameters (in the order of the parameter struct),
/// all in f64.
///
/// # Panics
/// When `parameters` or `input` are not as long as the net's.
pub fn evaluate<N: Network>(parameters: &[f64], input: &[f64]) -> Evaluation {
    assert!(parameters.len() == N::LAYOUT.parameters, "as many numbers as the net has parameters");
    assert!(input.len() == N::Input::LEN, "as many numbers as the net's input has");
    evaluate_net(&N::SPEC, parameters, input)
}

//! Activations.
use typenet_shape::Activation;
use super::{Isa, Lanes};
/// `y = f(x)`
pub fn forward(_isa: Isa, _f: Activation, _x: &[Lanes], _y: &mut [Lanes]) { todo!() }
/// `dy = dy * f'(x)`, from `y = f(x)`
pub fn backward_in_place(_isa: Isa, _f: Activation, _y: &[Lanes], _dy: &mut [Lanes]) { todo!() }

//! Convolution.
use typenet_shape::{Activation, Conv2d};
use super::{Isa, Lanes};
/// `y = f(w * x + b)`; overwrites `y`.
pub fn forward(_isa: Isa, _g: &Conv2d, _x: &[Lanes], _weight: &[f32], _bias: Option<&[f32]>, _f: Activation, _y: &mut [Lanes]) { todo!() }
/// Adds the gradients of weight and bias, summed over the lanes.
pub fn backward_weight(_isa: Isa, _g: &Conv2d, _x: &[Lanes], _dy: &[Lanes], _dw: &mut [f32], _db: Option<&mut [f32]>) { todo!() }
/// Overwrites `dx`.
pub fn backward_data(_isa: Isa, _g: &Conv2d, _dy: &[Lanes], _weight: &[f32], _dx: &mut [Lanes]) { todo!() }

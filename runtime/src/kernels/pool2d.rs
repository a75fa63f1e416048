//! Pooling.
use typenet_shape::Pool2d;
use super::{Isa, Lanes};
/// Maximum over windows.
pub fn max_forward(_isa: Isa, _g: &Pool2d, _x: &[Lanes], _y: &mut [Lanes]) { todo!() }
/// Gradient to the first maximum of each window; overwrites `dx`.
pub fn max_backward(_isa: Isa, _g: &Pool2d, _x: &[Lanes], _y: &[Lanes], _dy: &[Lanes], _dx: &mut [Lanes]) { todo!() }
/// Average over windows.
pub fn avg_forward(_isa: Isa, _g: &Pool2d, _x: &[Lanes], _y: &mut [Lanes]) { todo!() }
/// Overwrites `dx`.
pub fn avg_backward(_isa: Isa, _g: &Pool2d, _dy: &[Lanes], _dx: &mut [Lanes]) { todo!() }
/// Mean of each channel: `x.len() / y.len()` positions each.
pub fn global_avg_forward(_isa: Isa, _x: &[Lanes], _y: &mut [Lanes]) { todo!() }
/// Overwrites `dx`.
pub fn global_avg_backward(_isa: Isa, _dy: &[Lanes], _dx: &mut [Lanes]) { todo!() }

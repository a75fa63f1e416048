//! Softmax.
use super::{Isa, Lanes};
/// Softmax over `channels` (the first dimension), for each position.
pub fn forward(_isa: Isa, _channels: usize, _x: &[Lanes], _y: &mut [Lanes]) { todo!() }
/// `dx = y (dy - sum(y dy))`; overwrites `dx`.
pub fn backward(_isa: Isa, _channels: usize, _y: &[Lanes], _dy: &[Lanes], _dx: &mut [Lanes]) { todo!() }

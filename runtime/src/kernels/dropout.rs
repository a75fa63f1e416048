//! Dropout.
use super::{Isa, Lanes};
/// Which random numbers a pass draws: the same key draws the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    /// The workspace's seed.
    pub seed: u64,
    /// The number of the forward pass.
    pub pass: u64,
    /// The layer.
    pub node: u64,
    /// The group of images.
    pub group: u64,
}
/// `y = x / (1 - p)` where kept, else 0.
pub fn forward(_isa: Isa, _p: f32, _key: Key, _x: &[Lanes], _y: &mut [Lanes]) { todo!() }
/// `dx = dy / (1 - p)` where kept, else 0.
pub fn backward(_isa: Isa, _p: f32, _key: Key, _dy: &[Lanes], _dx: &mut [Lanes]) { todo!() }

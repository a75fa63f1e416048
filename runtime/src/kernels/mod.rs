//! The arithmetic, by operation. Each kernel works on the values of [`LANES`] images at once,
//! which stand interleaved: a value of shape `[c, h, w]` is `c·h·w` [`Lanes`] in row-major order,
//! and number `l` of each belongs to image `l`. So every operation is a full vector whatever the
//! channel count. Kernels know shapes and numbers, and nothing of nets or layer names.
//!
//! Every function here checks the lengths of its slices; `unsafe` is only below that check.

mod lanes;

pub use lanes::{LANES, Lanes, pack, unpack};

pub mod activation;
pub mod conv2d;
pub mod dropout;
pub mod linear;
pub mod pool2d;
pub mod softmax;

/// An instruction set that the kernels are compiled for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Isa {
    /// Plain Rust, on every machine.
    Portable,
}
/// The instruction set in use.
pub fn isa() -> Isa { Isa::Portable }

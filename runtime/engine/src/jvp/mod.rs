//! Forward mode: the value of a net and its derivative along a direction, in one pass.
//!
//! Each step computes its value and the tangent of its value from those of what it reads, so nothing is kept
//! for a backward pass. Linear layers run their own kernel once more: the tangent of `W x` is `W ẋ + Ẇ x`.
//! Norms over a batch or an image, softmax and activations reuse the kernels of the backward pass, since
//! their Jacobians are symmetric, but for factors of whole channels.
//!
//! Images go through in groups of 16, interleaved, whatever their number.

mod join;
mod memory;
mod norms;
mod plan;
mod run;

pub(crate) use memory::Masks;
pub use memory::{Jvp, JvpMemory};

/// A direction: how the inputs and the parameters move.
#[derive(Clone, Copy, Debug, Default)]
pub struct Direction<'a> {
    /// As many numbers as the inputs have; they rest where this is left out.
    pub inputs: Option<&'a [f32]>,
    /// As many numbers as there are parameters and running statistics, of which the latter are not
    /// read; they rest where this is left out.
    pub parameters: Option<&'a [f32]>,
}

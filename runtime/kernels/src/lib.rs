//! The arithmetic of typenet, by operation, on slices. Kernels know shapes and numbers, and nothing of
//! nets, plans or layer names. Depend on the crate `typenet`, which re-exports all of it.
//!
//! # Layouts of values
//! - *Interleaved*: [`LANES`] (16) images side by side. A value of shape `[c, h, w]` is `c·h·w`
//!   [`Lanes`] in row-major order; lane `l` of each belongs to image `l`. Every operation works on full
//!   vectors whatever the number of channels.
//! - *Blocked*: one image, 16 *channels* side by side; see [`blocked`].
//!
//! Weights are flat `f32` in PyTorch's order: `[out][in / groups][height][width]` for a
//! convolution, `[out][in]` for a linear layer. A kernel overwrites the gradient of a value and adds
//! to the gradient of a weight or bias.
//!
//! # Files
//! - `simd/`: the few vector operations, for each instruction set; `math`, `gated` and `fused`: functions
//!   made of them.
//! - `correlate`: the tile loop under a convolution and its data gradient; `conv_weight_gradient`: the
//!   one under its weight gradient; `linear_weight_gradient`: a linear layer's.
//! - `depthwise`: the same for one kernel a channel.
//! - `winograd/`: the same for kernels of 3×3 and 5×5, with fewer products; `pointwise`: for kernels of
//!   1×1; `gemm`: the matrix product under both; `matrix`: the same for plain matrices.
//! - `epilogue`: what a kernel does with its sums: bias, addition, activation, statistics.
//! - `moments`: means and variances, under the norms; `statistics`: a batch norm's, also gathered while
//!   a convolution runs.
//! - `blocked/`: the kernels for one image.
//! - `team/`: threads that share out the tasks of one call; `memory`: what callers allocate for large values.
//! - one file for each operation, with the safe functions that the engine calls.
//!
//! Every function checks the lengths of its slices; `unsafe` code runs only after that check. No kernel
//! allocates, and none starts threads: a caller hands a [`Team`](team::Team) to those that share out their
//! work.
#![deny(unsafe_code)]

mod conv_weight_gradient;
mod correlate;
mod depthwise;
mod epilogue;
mod fused;
mod gated;
mod gemm;
mod interleave;
mod isa;
mod lanes;
mod linear_weight_gradient;
mod math;
mod moments;
mod simd;
mod statistics;

pub use epilogue::Epilogue;
pub use interleave::{pack, pack_part, unpack, unpack_part};
pub use isa::{Isa, isa};
pub use lanes::{LANES, Lanes};
pub use statistics::Statistics;

pub mod activation;
pub mod batch_norm;
pub mod blocked;
pub mod conv2d;
pub mod conv_transpose2d;
pub mod dropout;
pub mod elementwise;
pub mod group_norm;
pub mod linear;
pub mod matrix;
pub mod memory;
pub mod pointwise;
pub mod pool2d;
pub mod softmax;
pub mod team;
pub mod upsample;
pub mod winograd;

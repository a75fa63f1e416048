//! The arithmetic, by operation. Each kernel works on the values of [`LANES`] images at once,
//! which stand interleaved: a value of shape `[c, h, w]` is `c·h·w` [`Lanes`] in row-major order,
//! and number `l` of each belongs to image `l`. So every operation is a full vector whatever the
//! channel count. Kernels know shapes and numbers, and nothing of nets or layer names.
//!
//! Weights are flat `f32` in PyTorch's order: `[out][in / groups][height][width]` for a
//! convolution, `[out][in]` for a linear layer. A gradient of a value is overwritten, a gradient
//! of a weight or bias is added to.
//!
//! # Files
//! - `simd/`: the few vector operations, for each instruction set; `math` and `gated`: functions made
//!   of them.
//! - `correlate`: the tile loop under a convolution and its data gradient; `weight_gradient`: the
//!   one under its weight gradient; `linear_weight`: a linear layer's.
//! - `depthwise`: the same where each channel has a kernel of its own.
//! - `winograd/`: the same for kernels of 3×3 and 5×5, with fewer products; `pointwise`: for kernels of
//!   1×1; `multiply`: the product of matrices under both.
//! - `moments`: means and variances, under the normalisations; `statistics`: a batch norm's, also while
//!   a convolution runs.
//! - `single/`: one image instead of 16, with its channels side by side.
//! - one file for each operation, with the safe functions that the passes call.
//!
//! Every function here checks the lengths of its slices; `unsafe` is only below that check. No
//! kernel allocates, and none starts threads: callers share out groups of images.

mod correlate;
mod depthwise;
mod gated;
mod isa;
mod lanes;
mod linear_weight;
mod lobby;
mod math;
mod moments;
mod multiply;
mod simd;
mod statistics;
mod weight_gradient;

pub use isa::{Isa, isa};
pub use lanes::{LANES, Lanes, pack, pack_part, unpack, unpack_part};

pub mod activation;
pub mod batch_norm;
pub mod conv2d;
pub mod conv_transpose2d;
pub mod dropout;
pub mod group_norm;
pub mod join;
pub mod linear;
pub mod pointwise;
pub mod pool2d;
mod scale;
pub mod single;
pub mod softmax;
pub mod team;
pub mod upsample;

pub use scale::scale;
pub use statistics::Statistics;
pub mod winograd;

//! Convolutions whose output channels read one input channel each, with kernels of 3×3 or 5×5 and
//! stride 1 or 2. Such a layer has few products for each number that it reads. So neighbouring outputs of a
//! row are computed together, and a number read once serves all taps of a kernel's row.
//!
//! A vector holds 16 images or, with a weight for each lane, 16 channels of one image.
//!
//! # Files
//! - `geometry`: which convolutions these kernels run; `read`: a row's numbers in registers.
//! - `correlate`: the forward pass, and the data gradient with stride 1; `spread`: that with stride 2.
//! - `weight`: the weight's gradient.

mod correlate;
mod geometry;
mod read;
mod spread;
mod weight;

pub(super) use correlate::{Correlate, Taps, backward_data, forward};
pub(super) use geometry::{of_block, runs, runs_backward_data};
pub(super) use spread::Spread;
pub(super) use weight::{BlockedWeightGradient, WeightGradient};

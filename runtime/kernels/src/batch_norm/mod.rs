//! Batch normalisation (Ioffe and Szegedy, 2015), as PyTorch's `BatchNorm1d` and `BatchNorm2d`:
//! `y = f((x − mean) / sqrt(var + eps) · weight + bias)`, channel by channel, with the mean and the
//! variance of all pixels of all images of the batch.
//!
//! Each pass over a group of images is a function of its own, since all groups meet between them:
//! - forward: [`gather`] each group's statistics, [`merge`] them, [`apply`] them to each group;
//! - backward: [`gather_backward`], [`merge_backward`], [`apply_backward`]. Where nothing was added to
//!   the result, both find the activation's gradient by recomputing the result, which is quicker than reading
//!   it; else [`gather_backward_masked`] leaves it in `dy`.
//!
//! A convolution can apply a norm to what it reads ([`Input`]): then the norm's own value is never stored.
//!
//! A gather leaves two numbers for each channel, side by side. A merge reads those of all groups, one after
//! the other; all groups but the last have [`LANES`](crate::LANES) images. Missing images may hold anything;
//! they do not count.

mod backward;
mod forward;
mod gather_backward;
mod input;
mod layer;

pub use backward::{
    apply_backward, apply_backward_in_place, gather_backward, gather_backward_masked,
    merge_backward, scale_backward,
};
pub(crate) use forward::Joined;
pub use forward::{apply, gather, merge};
pub use input::Input;
pub(crate) use input::{SideBySide, copy_some};
pub use layer::{BatchNorm, Running, Spread};

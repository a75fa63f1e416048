//! Kernels with 16 *channels* of an image side by side in place of 16 images: for one image, or for
//! several, whose values stand one behind the other.
//!
//! A value of shape `[c, h, w]` is `⌈c / 16⌉` blocks of `h·w` `Lanes`: number `l` of block `b` is
//! channel `16 b + l`. A value of shape `[f]` is its numbers in order, in `⌈f / 16⌉` `Lanes`.
//! Numbers past the last channel mean nothing, and nothing reads them. So what works on every
//! number by itself (activations, pooling, sums) is the same kernel as for 16 images, on as many
//! channels as there are blocks; here is what differs. Weights are packed once, 16 output channels
//! side by side.

mod conv2d;
mod conv_transpose2d;
mod depthwise;
mod grouped;
mod layout;
mod linear;
mod narrow;
mod norm;
mod softmax;

pub use conv_transpose2d::{
    conv_transpose2d, conv_transpose2d_packed_len, pack_conv_transpose2d, runs_conv_transpose2d,
};
pub use conv2d::{Pixels, conv2d, conv2d_packed_len, pack_conv2d, runs_conv2d};
pub use depthwise::depthwise_conv2d;
pub use grouped::{
    filled, filled_conv_transpose2d, filled_conv2d, grouped_conv_transpose2d, grouped_conv2d,
};
pub use layout::{blocks, flat, flat_mut, from_planar, join_channels, rearrange, to_planar};
pub use linear::{Rows, linear, linear_packed_len, pack_linear, pack_linear_block};
pub use norm::{GroupNorm, LayerNorm, affine, group_norm, layer_norm};
pub use softmax::softmax;

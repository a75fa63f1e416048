//! Kernels with 16 *channels* of an image side by side in place of 16 images: for one image, or for several,
//! whose values stand one after the other.
//!
//! A value of shape `[c, h, w]` is `⌈c / 16⌉` blocks of `h·w` `Lanes`: number `l` of block `b` is
//! channel `16 b + l`. A value of shape `[f]` is its numbers in order, in `⌈f / 16⌉` `Lanes`.
//! Numbers past the last channel mean nothing, and nothing reads them. So kernels that work on every number
//! by itself (activations, pooling, sums) are those for 16 images, called with as many channels as there are
//! blocks. This module has the kernels that differ. Weights are packed once, 16 output channels side by side.

mod batch_norm;
mod batch_norm_gradient;
mod channel_sums;
mod conv2d;
mod conv_transpose2d;
mod cut;
mod data_gradient;
mod depthwise;
mod depthwise_training;
mod grouped;
mod layout;
mod linear;
mod linear_training;
mod narrow;
mod norm;
mod norm_gradient;
mod pack;
mod phases;
mod softmax;
mod strided;
mod taps_in_lanes;
mod tile;
mod weight_gradient;

pub use batch_norm::{batch_norm_apply, batch_norm_gather, batch_norm_room, batch_norm_statistics};
pub use batch_norm_gradient::{
    NormGradient, batch_norm_apply_backward, batch_norm_gather_backward, batch_norm_means_backward,
    batch_norm_scale_backward,
};
pub use channel_sums::{backward_bias, bias_gradient_room};
pub use conv_transpose2d::{
    conv_transpose2d, conv_transpose2d_packed_len, pack_conv_transpose2d, runs_conv_transpose2d,
};
pub use conv2d::{Pixels, conv_transpose2d_backward_data, conv2d, conv2d_balance, runs_conv2d};
pub use data_gradient::{conv2d_backward_data, conv2d_data_room, runs_conv2d_backward_data};
pub use depthwise::depthwise_conv2d;
pub use depthwise_training::{
    depthwise_backward_data, depthwise_backward_weight, depthwise_data_packed_len,
    depthwise_weight_room, pack_depthwise_data,
};
pub use grouped::{
    filled, filled_conv_transpose2d, filled_conv2d, grouped_conv_transpose2d, grouped_conv2d,
};
pub use layout::{
    blocks, flat, flat_mut, from_planar, join_channels, part_of_channels, rearrange, to_planar,
};
pub use linear::{Rows, linear, linear_packed_len, pack_linear};
pub use linear_training::{
    linear_backward_bias, linear_backward_data, linear_backward_weight, linear_forward,
};
pub use norm::{GroupNorm, LayerNorm, affine, group_norm, layer_norm};
pub use norm_gradient::{GroupNormGradient, group_norm_backward, group_norm_backward_room};
pub(crate) use pack::pack_bias;
pub use pack::{conv2d_packed_len, pack_block, pack_conv2d, pack_conv2d_shared};
pub use softmax::{softmax, softmax_backward};
pub use strided::{gathered_conv2d, strided_conv2d};
pub use weight_gradient::{conv2d_backward_weight, conv2d_weight_gradient_room};

//! The kernels against plain loops in f64 and against PyTorch's results. One program, so that it is linked
//! once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod blocked;
mod blocked_gradients;
mod blocked_norm;
mod blocked_training;
mod blocked_values;
mod conv2d;
mod conv_transpose2d;
mod crew;
mod group_norm;
mod jvp;
mod linear;
mod matrix;
mod norm;
mod normalized;
mod other;
mod pointwise;
mod pytorch;
mod support;
mod upsample;
mod winograd;

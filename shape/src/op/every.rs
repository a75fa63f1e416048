//! One of each kind, for tests that walk all layers.

use super::{Approximate, Op};
use crate::{Interpolation, Padding, Shape};

impl Op {
    /// A built-in layer of each kind.
    #[doc(hidden)]
    pub const EVERY: [Op; 31] = [
        Op::Input { shape: Shape::new(&[1]) },
        Op::Conv2d {
            out_channels: 1,
            kernel: [1, 1],
            stride: [1, 1],
            padding: Padding::Zeros([0, 0]),
            dilation: [1, 1],
            groups: 1,
            bias: true,
        },
        Op::DepthwiseConv2d {
            kernel: [1, 1],
            multiplier: 1,
            stride: [1, 1],
            padding: Padding::Zeros([0, 0]),
            dilation: [1, 1],
            bias: true,
        },
        Op::ConvTranspose2d {
            out_channels: 1,
            kernel: [1, 1],
            stride: [1, 1],
            padding: [0, 0],
            output_padding: [0, 0],
            groups: 1,
            bias: true,
            dilation: [1, 1],
        },
        Op::Linear { out_features: 1, bias: true },
        Op::BatchNorm { affine: true, momentum: 0.1, eps: 1e-5 },
        Op::LayerNorm { affine: true, eps: 1e-5 },
        Op::GroupNorm { num_groups: 1, affine: true, eps: 1e-5 },
        Op::MaxPool2d { kernel: [1, 1], stride: [1, 1], padding: [0, 0], ceil_mode: false },
        Op::AvgPool2d {
            kernel: [1, 1],
            stride: [1, 1],
            padding: [0, 0],
            count_include_pad: true,
            ceil_mode: false,
        },
        Op::GlobalAvgPool,
        Op::Upsample { scale_factor: [1, 1], mode: Interpolation::Nearest, align_corners: false },
        Op::Flatten,
        Op::Reshape { shape: Shape::new(&[1]) },
        Op::Relu,
        Op::LeakyRelu { negative_slope: 0.01 },
        Op::Relu6,
        Op::Sigmoid,
        Op::Tanh,
        Op::Gelu { approximate: Approximate::None },
        Op::Silu,
        Op::Hardswish,
        Op::Dropout { p: 0.5 },
        Op::Scale { factor: 1.0 },
        Op::Softmax,
        Op::LogSoftmax,
        Op::Add,
        Op::Mul,
        Op::Concat,
        Op::NetInput { net: "net", takes: Shape::new(&[1]) },
        Op::NetOutput { net: "net" },
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The place of a kind among all, without a last arm for others: a new one has to be added.
    fn place(op: &Op) -> Option<usize> {
        Some(match op {
            Op::Input { .. } => 0,
            Op::Conv2d { .. } => 1,
            Op::DepthwiseConv2d { .. } => 2,
            Op::ConvTranspose2d { .. } => 3,
            Op::Linear { .. } => 4,
            Op::BatchNorm { .. } => 5,
            Op::LayerNorm { .. } => 6,
            Op::GroupNorm { .. } => 7,
            Op::MaxPool2d { .. } => 8,
            Op::AvgPool2d { .. } => 9,
            Op::GlobalAvgPool => 10,
            Op::Upsample { .. } => 11,
            Op::Flatten => 12,
            Op::Reshape { .. } => 13,
            Op::Relu => 14,
            Op::LeakyRelu { .. } => 15,
            Op::Relu6 => 16,
            Op::Sigmoid => 17,
            Op::Tanh => 18,
            Op::Gelu { .. } => 19,
            Op::Silu => 20,
            Op::Hardswish => 21,
            Op::Dropout { .. } => 22,
            Op::Scale { .. } => 23,
            Op::Softmax => 24,
            Op::LogSoftmax => 25,
            Op::Add => 26,
            Op::Mul => 27,
            Op::Concat => 28,
            Op::NetInput { .. } => 29,
            Op::NetOutput { .. } => 30,
            // Not built in.
            Op::Own(_) => return None,
        })
    }

    #[test]
    fn every_kind_is_there() {
        for (index, op) in Op::EVERY.iter().enumerate() {
            assert_eq!(place(op), Some(index), "{op:?}");
        }
    }
}

//! What layers do: [`Op`], with its shape rules in `rules`, its parameters in `parameters`, and what is
//! known after a mistake in `outline`.

mod every;
mod outline;
mod parameters;
mod rules;
#[cfg(test)]
mod tests;

use crate::{Conv2d, ConvTranspose2d, Interpolation, Own, Padding, Pool2d, Shape, Upsample2d};

pub use outline::Outline;

/// The most values that one layer can read.
pub const MAX_INPUTS: usize = 8;

/// An elementwise function, fused into the layer before it where possible.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Activation {
    /// `x`
    Identity,
    /// `max(x, 0)`
    Relu,
    /// `x` where positive, `negative_slope · x` elsewhere.
    LeakyRelu {
        /// 0 or more.
        negative_slope: f32,
    },
    /// `min(max(x, 0), 6)`
    Relu6,
    /// `1 / (1 + e⁻ˣ)`
    Sigmoid,
    /// `tanh x`
    Tanh,
    /// `x · Φ(x)`, where `Φ` is the distribution function of the standard normal distribution.
    Gelu {
        /// How `Φ` is computed.
        approximate: Approximate,
    },
    /// `x / (1 + e⁻ˣ)`
    Silu,
    /// `x · min(max(x + 3, 0), 6) / 6`
    Hardswish,
}

/// How gelu computes the normal distribution function `Φ`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Approximate {
    /// Exactly: `(1 + erf(x / √2)) / 2`.
    None,
    /// `(1 + tanh(√(2/π) (x + 0.044715 x³))) / 2`
    Tanh,
}

impl Activation {
    /// Whether kernels compute it in registers, and its gradient again from what they activated.
    pub const fn is_simple(self) -> bool {
        match self {
            Activation::Identity
            | Activation::Relu
            | Activation::LeakyRelu { .. }
            | Activation::Relu6 => true,
            Activation::Sigmoid
            | Activation::Tanh
            | Activation::Gelu { .. }
            | Activation::Silu
            | Activation::Hardswish => false,
        }
    }

    /// Whether the derivative is a function of the output alone, so that the input need not be kept
    /// for the backward pass.
    pub const fn from_output(self) -> bool {
        match self {
            Activation::Identity
            | Activation::Relu
            | Activation::LeakyRelu { .. }
            | Activation::Relu6
            | Activation::Sigmoid
            | Activation::Tanh => true,
            Activation::Gelu { .. } | Activation::Silu | Activation::Hardswish => false,
        }
    }
}

/// What a layer does: its kind with the arguments that the declaration gives it.
/// Pairs are `[height, width]`.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub enum Op {
    /// The net's input.
    Input {
        /// Its shape.
        shape: Shape,
    },
    /// 2-d convolution, see [`Conv2d`].
    Conv2d {
        /// Output channels.
        out_channels: usize,
        /// Kernel size.
        kernel: [usize; 2],
        /// Step between windows.
        stride: [usize; 2],
        /// Zeros around the input.
        padding: Padding,
        /// Distance between taps.
        dilation: [usize; 2],
        /// Channel groups.
        groups: usize,
        /// Whether there is a bias.
        bias: bool,
    },
    /// 2-d convolution of each channel by itself: `groups` is the number of input channels.
    DepthwiseConv2d {
        /// Kernel size.
        kernel: [usize; 2],
        /// Output channels for each input channel.
        multiplier: usize,
        /// Step between windows.
        stride: [usize; 2],
        /// Zeros around the input.
        padding: Padding,
        /// Distance between taps.
        dilation: [usize; 2],
        /// Whether there is a bias.
        bias: bool,
    },
    /// Transposed 2-d convolution, see [`ConvTranspose2d`].
    ConvTranspose2d {
        /// Output channels.
        out_channels: usize,
        /// Kernel size.
        kernel: [usize; 2],
        /// Step between windows.
        stride: [usize; 2],
        /// How much is cropped on each side of the output.
        padding: [usize; 2],
        /// How much longer the output is below and on the right.
        output_padding: [usize; 2],
        /// Channel groups.
        groups: usize,
        /// Whether there is a bias.
        bias: bool,
        /// Distance between taps.
        dilation: [usize; 2],
    },
    /// `y = W x + b`.
    Linear {
        /// Output features.
        out_features: usize,
        /// Whether there is a bias.
        bias: bool,
    },
    /// `(x − mean) / √(variance + eps)` for each channel. In training, mean and variance are those of the
    /// batch, over all its pixels; in inference, the running ones.
    BatchNorm {
        /// Whether each channel is then multiplied by a weight and added to a bias.
        affine: bool,
        /// The share of a new batch in the running statistics.
        momentum: f32,
        /// Added to the variance.
        eps: f32,
    },
    /// `(x − mean) / √(variance + eps)` over all numbers of an image's value.
    LayerNorm {
        /// Whether each number is then multiplied by a weight and added to a bias.
        affine: bool,
        /// Added to the variance.
        eps: f32,
    },
    /// `(x − mean) / √(variance + eps)` over the pixels of each group of neighbouring channels.
    GroupNorm {
        /// How many groups the channels form.
        num_groups: usize,
        /// Whether each channel is then multiplied by a weight and added to a bias.
        affine: bool,
        /// Added to the variance.
        eps: f32,
    },
    /// Maximum over windows, see [`Pool2d`].
    MaxPool2d {
        /// Window size.
        kernel: [usize; 2],
        /// Step between windows.
        stride: [usize; 2],
        /// Padding on each side.
        padding: [usize; 2],
        /// Whether sizes are rounded up.
        ceil_mode: bool,
    },
    /// Average over windows, see [`Pool2d`].
    AvgPool2d {
        /// Window size.
        kernel: [usize; 2],
        /// Step between windows.
        stride: [usize; 2],
        /// Padding on each side.
        padding: [usize; 2],
        /// Whether sizes are rounded up.
        ceil_mode: bool,
        /// Whether the padding counts in the average.
        count_include_pad: bool,
    },
    /// Average over height and width: `[c, h, w]` to `[c]`.
    GlobalAvgPool,
    /// An upsampled image, see [`Upsample2d`].
    Upsample {
        /// How many times as high and as wide the output is.
        scale_factor: [usize; 2],
        /// How the numbers between those of the input are found.
        mode: Interpolation,
        /// Whether the corner pixels of output and input coincide.
        align_corners: bool,
    },
    /// `[c, h, w]` to `[c·h·w]`.
    Flatten,
    /// The same numbers in another shape.
    Reshape {
        /// That shape.
        shape: Shape,
    },
    /// `max(x, 0)`
    Relu,
    /// `x` where positive, `negative_slope · x` elsewhere.
    LeakyRelu {
        /// 0 or more.
        negative_slope: f32,
    },
    /// `min(max(x, 0), 6)`
    Relu6,
    /// `1 / (1 + e⁻ˣ)`
    Sigmoid,
    /// `tanh x`
    Tanh,
    /// `x · Φ(x)`, where `Φ` is the distribution function of the standard normal distribution.
    Gelu {
        /// How `Φ` is computed.
        approximate: Approximate,
    },
    /// `x / (1 + e⁻ˣ)`
    Silu,
    /// `x · min(max(x + 3, 0), 6) / 6`
    Hardswish,
    /// In training: zero with probability `p`, else `x / (1 − p)`. In inference: `x`.
    Dropout {
        /// The probability that a number is dropped.
        p: f32,
    },
    /// `factor · x`
    Scale {
        /// Any finite number.
        factor: f32,
    },
    /// `eˣ / Σ eˣ` over the channels (or features).
    Softmax,
    /// `x − ln Σ eˣ` over the channels (or features).
    LogSoftmax,
    /// The sum of several values of one shape.
    Add,
    /// The product of several values; factors `[c]` and `[c, 1, 1]` are broadcast over the pixels of each
    /// channel.
    Mul,
    /// Several values concatenated along the channels.
    Concat,
    /// The input of another net that is a layer of this one: passes on the same numbers.
    NetInput {
        /// The path by which the declaration calls that net.
        net: &'static str,
        /// The shape of its input.
        takes: Shape,
    },
    /// The output of that net: passes on the same numbers.
    NetOutput {
        /// The path by which the declaration calls that net.
        net: &'static str,
    },
    /// A layer of the user's own.
    Own(Own),
}

impl Op {
    /// The layer's keyword; for another net or a layer of the user's own, its path.
    pub const fn kind(&self) -> &'static str {
        match self {
            Op::Input { .. } => "input",
            Op::Conv2d { .. } => "conv2d",
            Op::DepthwiseConv2d { .. } => "depthwise_conv2d",
            Op::ConvTranspose2d { .. } => "conv_transpose2d",
            Op::Linear { .. } => "linear",
            Op::BatchNorm { .. } => "batch_norm",
            Op::LayerNorm { .. } => "layer_norm",
            Op::GroupNorm { .. } => "group_norm",
            Op::MaxPool2d { .. } => "max_pool2d",
            Op::AvgPool2d { .. } => "avg_pool2d",
            Op::GlobalAvgPool => "global_avg_pool",
            Op::Upsample { .. } => "upsample",
            Op::Flatten => "flatten",
            Op::Reshape { .. } => "reshape",
            Op::Relu => "relu",
            Op::LeakyRelu { .. } => "leaky_relu",
            Op::Relu6 => "relu6",
            Op::Sigmoid => "sigmoid",
            Op::Tanh => "tanh",
            Op::Gelu { .. } => "gelu",
            Op::Silu => "silu",
            Op::Hardswish => "hardswish",
            Op::Dropout { .. } => "dropout",
            Op::Scale { .. } => "scale",
            Op::Softmax => "softmax",
            Op::LogSoftmax => "log_softmax",
            Op::Add => "add",
            Op::Mul => "mul",
            Op::Concat => "concat",
            Op::NetInput { net, .. } | Op::NetOutput { net } => net,
            Op::Own(own) => own.kind,
        }
    }

    /// The activation function that this layer is, if it is one.
    pub const fn activation(&self) -> Option<Activation> {
        match self {
            Op::Relu => Some(Activation::Relu),
            Op::LeakyRelu { negative_slope } => {
                Some(Activation::LeakyRelu { negative_slope: *negative_slope })
            }
            Op::Relu6 => Some(Activation::Relu6),
            Op::Sigmoid => Some(Activation::Sigmoid),
            Op::Tanh => Some(Activation::Tanh),
            Op::Gelu { approximate } => Some(Activation::Gelu { approximate: *approximate }),
            Op::Silu => Some(Activation::Silu),
            Op::Hardswish => Some(Activation::Hardswish),
            _ => None,
        }
    }

    /// The number of channel groups and `eps`, if the layer normalises each image by itself: a layer norm, of
    /// one group, or a group norm.
    pub const fn image_norm(&self) -> Option<(usize, f32)> {
        match *self {
            Op::LayerNorm { eps, .. } => Some((1, eps)),
            Op::GroupNorm { num_groups, eps, .. } => Some((num_groups, eps)),
            _ => None,
        }
    }

    /// Whether the layer has parameters, or statistics that are kept with them.
    pub const fn has_parameters(&self) -> bool {
        matches!(
            self,
            Op::Conv2d { .. }
                | Op::DepthwiseConv2d { .. }
                | Op::ConvTranspose2d { .. }
                | Op::Linear { .. }
                | Op::BatchNorm { .. }
                | Op::LayerNorm { affine: true, .. }
                | Op::GroupNorm { affine: true, .. }
                | Op::Own(Own { weight: Some(_), .. } | Own { bias: Some(_), .. })
        )
    }

    /// Whether an activation behind the layer can be computed before its values are stored.
    pub const fn takes_activation(&self) -> bool {
        self.takes_factors()
            || matches!(
                self,
                Op::BatchNorm { .. } | Op::LayerNorm { .. } | Op::GroupNorm { .. } | Op::Add
            )
    }

    /// Whether another value can be added to the layer's before it is stored.
    pub const fn takes_sum(&self) -> bool {
        self.takes_factors() || matches!(self, Op::BatchNorm { .. })
    }

    /// Whether a factor and a summand for each output channel can be folded into the layer's weight and bias,
    /// as a batch norm behind it is in inference.
    pub const fn takes_factors(&self) -> bool {
        matches!(
            self,
            Op::Conv2d { .. }
                | Op::DepthwiseConv2d { .. }
                | Op::ConvTranspose2d { .. }
                | Op::Linear { .. }
        )
    }

    /// Whether the gradient of its weight is computed when the backward pass ends, for all images at once. This
    /// holds for linear layers, so that not every group of images needs a sum of its own.
    pub const fn sums_at_end(&self) -> bool {
        matches!(self, Op::Linear { .. })
    }

    /// Whether the layer's value is its input's, number for number, in training and inference.
    pub const fn keeps_numbers(&self) -> bool {
        matches!(
            self,
            Op::Flatten | Op::Reshape { .. } | Op::NetInput { .. } | Op::NetOutput { .. }
        )
    }

    /// The convolution's geometry on this input, or `None` for other layers.
    pub const fn conv2d(&self, input: Shape) -> Option<Conv2d> {
        let (conv, padding) = match *self {
            Op::Conv2d { out_channels, kernel, stride, padding, dilation, groups, bias } => {
                let conv = Conv2d::new(input, out_channels, kernel);
                (Conv2d { stride, dilation, groups, bias, ..conv }, padding)
            }
            Op::DepthwiseConv2d { kernel, multiplier, stride, padding, dilation, bias } => {
                let groups = if input.rank() == 0 { 0 } else { input.dim(0) };
                let conv = Conv2d::new(input, groups.saturating_mul(multiplier), kernel);
                (Conv2d { stride, dilation, groups, bias, ..conv }, padding)
            }
            _ => return None,
        };
        Some(conv.padded(padding))
    }

    /// The transposed convolution's geometry on this input, or `None` for other layers.
    pub const fn conv_transpose2d(&self, input: Shape) -> Option<ConvTranspose2d> {
        match *self {
            Op::ConvTranspose2d {
                out_channels,
                kernel,
                stride,
                padding,
                output_padding,
                groups,
                bias,
                dilation,
            } => Some(ConvTranspose2d {
                input,
                out_channels,
                kernel,
                stride,
                padding,
                output_padding,
                dilation,
                groups,
                bias,
            }),
            _ => None,
        }
    }

    /// The upsampling layer's geometry on this input, or `None` for other layers.
    pub const fn upsample2d(&self, input: Shape) -> Option<Upsample2d> {
        match *self {
            Op::Upsample { scale_factor, mode, align_corners } => {
                Some(Upsample2d { input, scale: scale_factor, mode, align_corners })
            }
            _ => None,
        }
    }

    /// The pooling layer's geometry on this input, or `None` for other layers.
    pub const fn pool2d(&self, input: Shape) -> Option<Pool2d> {
        match *self {
            Op::MaxPool2d { kernel, stride, padding, ceil_mode } => {
                let pool = Pool2d::new(input, kernel);
                Some(Pool2d { stride, padding, ceil_mode, ..pool })
            }
            Op::AvgPool2d { kernel, stride, padding, ceil_mode, count_include_pad } => {
                Some(Pool2d { input, kernel, stride, padding, ceil_mode, count_include_pad })
            }
            _ => None,
        }
    }
}

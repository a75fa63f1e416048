use crate::{Argument, Conv2d, Pool2d, Shape, ShapeError};

/// A function applied to every number, fused into the layer before it where it can be.
/// Each one's derivative is a function of its output.
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
    /// `1 / (1 + e⁻ˣ)`
    Sigmoid,
    /// `tanh x`
    Tanh,
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
        /// Zeros on each side.
        padding: [usize; 2],
        /// Distance between taps.
        dilation: [usize; 2],
        /// Channel groups.
        groups: usize,
        /// Whether there is a bias.
        bias: bool,
    },
    /// `y = W x + b`.
    Linear {
        /// Output features.
        out_features: usize,
        /// Whether there is a bias.
        bias: bool,
    },
    /// Maximum over windows, see [`Pool2d`].
    MaxPool2d {
        /// Window size.
        kernel: [usize; 2],
        /// Step between windows.
        stride: [usize; 2],
        /// Border on each side.
        padding: [usize; 2],
    },
    /// Average over windows, see [`Pool2d`].
    AvgPool2d {
        /// Window size.
        kernel: [usize; 2],
        /// Step between windows.
        stride: [usize; 2],
        /// Border on each side.
        padding: [usize; 2],
        /// Whether the border counts in the average.
        count_include_pad: bool,
    },
    /// Average over height and width: `[c, h, w]` to `[c]`.
    GlobalAvgPool,
    /// `[c, h, w]` to `[c·h·w]`.
    Flatten,
    /// `max(x, 0)`
    Relu,
    /// `x` where positive, `negative_slope · x` elsewhere.
    LeakyRelu {
        /// 0 or more.
        negative_slope: f32,
    },
    /// `1 / (1 + e⁻ˣ)`
    Sigmoid,
    /// `tanh x`
    Tanh,
    /// In training: zero with probability `p`, else `x / (1 − p)`. Else: `x`.
    Dropout {
        /// The share dropped.
        p: f32,
    },
    /// `eˣ / Σ eˣ` over the channels (or features).
    Softmax,
}

impl Op {
    /// The layer's keyword.
    pub const fn kind(&self) -> &'static str {
        match self {
            Op::Input { .. } => "input",
            Op::Conv2d { .. } => "conv2d",
            Op::Linear { .. } => "linear",
            Op::MaxPool2d { .. } => "max_pool2d",
            Op::AvgPool2d { .. } => "avg_pool2d",
            Op::GlobalAvgPool => "global_avg_pool",
            Op::Flatten => "flatten",
            Op::Relu => "relu",
            Op::LeakyRelu { .. } => "leaky_relu",
            Op::Sigmoid => "sigmoid",
            Op::Tanh => "tanh",
            Op::Dropout { .. } => "dropout",
            Op::Softmax => "softmax",
        }
    }

    /// The elementwise function that this layer is, if it is one.
    pub const fn activation(&self) -> Option<Activation> {
        match self {
            Op::Relu => Some(Activation::Relu),
            Op::LeakyRelu { negative_slope } => {
                Some(Activation::LeakyRelu { negative_slope: *negative_slope })
            }
            Op::Sigmoid => Some(Activation::Sigmoid),
            Op::Tanh => Some(Activation::Tanh),
            _ => None,
        }
    }

    /// Whether the layer has parameters.
    pub const fn has_parameters(&self) -> bool {
        matches!(self, Op::Conv2d { .. } | Op::Linear { .. })
    }

    /// The convolution's numbers on this input, or `None` for other layers.
    pub const fn conv2d(&self, input: Shape) -> Option<Conv2d> {
        match *self {
            Op::Conv2d { out_channels, kernel, stride, padding, dilation, groups, bias } => {
                Some(Conv2d { input, out_channels, kernel, stride, padding, dilation, groups, bias })
            }
            _ => None,
        }
    }

    /// The pooling window's numbers on this input, or `None` for other layers.
    pub const fn pool2d(&self, input: Shape) -> Option<Pool2d> {
        match *self {
            Op::MaxPool2d { kernel, stride, padding } => {
                Some(Pool2d { input, kernel, stride, padding, count_include_pad: true })
            }
            Op::AvgPool2d { kernel, stride, padding, count_include_pad } => {
                Some(Pool2d { input, kernel, stride, padding, count_include_pad })
            }
            _ => None,
        }
    }

    /// The layer's output shape for an input of this shape: the rule of the layer.
    ///
    /// # Errors
    /// The first rule that its numbers or its input break.
    pub const fn output(&self, input: Shape) -> Result<Shape, ShapeError> {
        match *self {
            Op::Input { shape } => shape.checked(),
            Op::Conv2d { .. } => match self.conv2d(input) {
                Some(conv) => match conv.output() {
                    Ok(output) => match conv.weight().checked() {
                        Ok(_) => Ok(output),
                        Err(error) => Err(error),
                    },
                    Err(error) => Err(error),
                },
                None => Ok(input),
            },
            Op::MaxPool2d { .. } | Op::AvgPool2d { .. } => match self.pool2d(input) {
                Some(pool) => pool.output(),
                None => Ok(input),
            },
            Op::Linear { out_features, .. } => {
                if input.rank() != 1 {
                    return Err(ShapeError::NeedsFeatures { found: input });
                }
                if out_features == 0 {
                    return Err(ShapeError::ZeroArgument { argument: Argument::OutFeatures });
                }
                match Shape::new(&[out_features, input.dim(0)]).checked() {
                    Ok(_) => Ok(Shape::new(&[out_features])),
                    Err(error) => Err(error),
                }
            }
            Op::GlobalAvgPool => {
                if input.rank() != 3 {
                    return Err(ShapeError::NeedsImage { found: input });
                }
                Ok(Shape::new(&[input.dim(0)]))
            }
            Op::Flatten => Ok(Shape::new(&[input.elements()])),
            Op::LeakyRelu { negative_slope } => {
                if negative_slope >= 0.0 && negative_slope.is_finite() {
                    Ok(input)
                } else {
                    Err(ShapeError::Slope)
                }
            }
            Op::Dropout { p } => {
                if p >= 0.0 && p < 1.0 {
                    Ok(input)
                } else {
                    Err(ShapeError::Probability)
                }
            }
            Op::Relu | Op::Sigmoid | Op::Tanh | Op::Softmax => Ok(input),
        }
    }

    /// The shape of the weight for an input of this shape, if the layer has one.
    pub const fn weight(&self, input: Shape) -> Option<Shape> {
        match self {
            Op::Conv2d { .. } => match self.conv2d(input) {
                Some(conv) => Some(conv.weight()),
                None => None,
            },
            Op::Linear { out_features, .. } => Some(Shape::new(&[*out_features, input.dim(0)])),
            _ => None,
        }
    }

    /// The shape of the bias, if the layer has one.
    pub const fn bias(&self) -> Option<Shape> {
        match self {
            Op::Conv2d { out_channels: n, bias: true, .. }
            | Op::Linear { out_features: n, bias: true } => Some(Shape::new(&[*n])),
            _ => None,
        }
    }

    /// Multiply-adds for one image, 0 for layers without a weight.
    pub const fn multiply_adds(&self, input: Shape, output: Shape) -> u64 {
        match self.weight(input) {
            Some(weight) => {
                let positions = if output.rank() == 3 { output.dim(1) * output.dim(2) } else { 1 };
                weight.elements() as u64 * positions as u64
            }
            None => 0,
        }
    }
}

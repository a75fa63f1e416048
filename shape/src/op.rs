use crate::geometry::{check_pair, check_pool_padding};
use crate::{Argument, Conv2d, Pool2d, Shape, ShapeError, join};

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

/// As much of a shape as is known when a layer before it does not fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outline {
    /// How many dimensions.
    pub rank: Option<usize>,
    /// The first dimension.
    pub channels: Option<usize>,
}

impl Outline {
    /// Nothing is known.
    pub const UNKNOWN: Outline = Outline { rank: None, channels: None };

    /// The outline of a known shape.
    pub const fn of(shape: Shape) -> Outline {
        let channels = if shape.rank() == 0 { None } else { Some(shape.dim(0)) };
        Outline { rank: Some(shape.rank()), channels }
    }

    /// The shape, where the outline tells all of it.
    pub const fn shape(self) -> Option<Shape> {
        match (self.rank, self.channels) {
            (Some(1), Some(features)) => Some(Shape::new(&[features])),
            _ => None,
        }
    }
}

const fn checked_weight(weight: Shape, argument: Argument) -> Result<(), ShapeError> {
    match weight.checked() {
        Err(ShapeError::Overflow { shape }) => Err(ShapeError::WeightOverflow { shape, argument }),
        Err(error) => Err(error),
        Ok(_) => Ok(()),
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
    /// The sum of several values of one shape.
    Add,
    /// The product of several values; `[c]` and `[c, 1, 1]` count for every pixel of a channel.
    Mul,
    /// Several values one behind the other along the channels.
    Concat,
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
            Op::Add => "add",
            Op::Mul => "mul",
            Op::Concat => "concat",
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

    /// Whether an activation behind the layer can be computed before its values are stored.
    pub const fn takes_activation(&self) -> bool {
        matches!(self, Op::Conv2d { .. } | Op::Linear { .. } | Op::Add)
    }

    /// The convolution's numbers on this input, or `None` for other layers.
    pub const fn conv2d(&self, input: Shape) -> Option<Conv2d> {
        match *self {
            Op::Conv2d { out_channels, kernel, stride, padding, dilation, groups, bias } => {
                Some(Conv2d {
                    input,
                    out_channels,
                    kernel,
                    stride,
                    padding,
                    dilation,
                    groups,
                    bias,
                })
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

    /// The output shape for inputs of these shapes, at least one: the rule of the layer.
    ///
    /// # Errors
    /// The first rule that its numbers or its inputs break.
    pub const fn output_of(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        match self {
            Op::Add => join::add(inputs),
            Op::Mul => join::mul(inputs),
            Op::Concat => join::concat(inputs),
            _ => self.output(inputs[0]),
        }
    }

    /// The layer's output shape for one input of this shape.
    ///
    /// # Errors
    /// The first rule that its numbers or its input break.
    pub const fn output(&self, input: Shape) -> Result<Shape, ShapeError> {
        match *self {
            Op::Input { shape } => {
                if shape.rank() != 1 && shape.rank() != 3 {
                    return Err(ShapeError::Rank { rank: shape.rank() });
                }
                shape.checked()
            }
            Op::Conv2d { .. } => match self.conv2d(input) {
                Some(conv) => match conv.output() {
                    Ok(output) => match checked_weight(conv.weight(), Argument::OutChannels) {
                        Ok(()) => Ok(output),
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
                let weight = Shape::new(&[out_features, input.dim(0)]);
                match checked_weight(weight, Argument::OutFeatures) {
                    Ok(()) => Ok(Shape::new(&[out_features])),
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
            Op::LeakyRelu { .. } => match self.check(Argument::NegativeSlope) {
                Ok(()) => Ok(input),
                Err(error) => Err(error),
            },
            Op::Dropout { .. } => match self.check(Argument::P) {
                Ok(()) => Ok(input),
                Err(error) => Err(error),
            },
            Op::Relu | Op::Sigmoid | Op::Tanh | Op::Softmax | Op::Add | Op::Mul | Op::Concat => {
                Ok(input)
            }
        }
    }

    /// The rule of one argument by itself, whatever the input is.
    ///
    /// # Errors
    /// When the argument's value is out of its range.
    pub const fn check(&self, argument: Argument) -> Result<(), ShapeError> {
        match (*self, argument) {
            (Op::Conv2d { out_channels: 0, .. }, Argument::OutChannels)
            | (Op::Conv2d { groups: 0, .. }, Argument::Groups)
            | (Op::Linear { out_features: 0, .. }, Argument::OutFeatures) => {
                Err(ShapeError::ZeroArgument { argument })
            }
            (
                Op::Conv2d { kernel: pair, .. }
                | Op::MaxPool2d { kernel: pair, .. }
                | Op::AvgPool2d { kernel: pair, .. },
                Argument::Kernel,
            )
            | (
                Op::Conv2d { stride: pair, .. }
                | Op::MaxPool2d { stride: pair, .. }
                | Op::AvgPool2d { stride: pair, .. },
                Argument::Stride,
            )
            | (Op::Conv2d { dilation: pair, .. }, Argument::Dilation) => {
                check_pair(argument, pair, 1)
            }
            (Op::Conv2d { padding, .. }, Argument::Padding) => check_pair(argument, padding, 0),
            (
                Op::MaxPool2d { padding, kernel, .. } | Op::AvgPool2d { padding, kernel, .. },
                Argument::Padding,
            ) => match check_pair(argument, padding, 0) {
                Ok(()) => check_pool_padding(padding, kernel),
                Err(error) => Err(error),
            },
            (Op::LeakyRelu { negative_slope }, Argument::NegativeSlope)
                if !(negative_slope >= 0.0 && negative_slope.is_finite()) =>
            {
                Err(ShapeError::Slope)
            }
            (Op::Dropout { p }, Argument::P) if !(p >= 0.0 && p < 1.0) => {
                Err(ShapeError::Probability)
            }
            _ => Ok(()),
        }
    }

    /// What is known of the output where little is known of the input: after a layer that does not
    /// fit, say.
    pub const fn outline(&self, input: Outline) -> Outline {
        match *self {
            Op::Input { shape } => Outline::of(shape),
            Op::Conv2d { out_channels, .. } => {
                Outline { rank: Some(3), channels: Some(out_channels) }
            }
            Op::Linear { out_features, .. } => {
                Outline { rank: Some(1), channels: Some(out_features) }
            }
            Op::GlobalAvgPool => Outline { rank: Some(1), channels: input.channels },
            Op::MaxPool2d { .. } | Op::AvgPool2d { .. } => {
                Outline { rank: Some(3), channels: input.channels }
            }
            Op::Flatten => match input.rank {
                Some(1) => input,
                _ => Outline { rank: Some(1), channels: None },
            },
            Op::Relu
            | Op::LeakyRelu { .. }
            | Op::Sigmoid
            | Op::Tanh
            | Op::Dropout { .. }
            | Op::Softmax
            | Op::Add
            | Op::Mul => input,
            Op::Concat => Outline { rank: input.rank, channels: None },
        }
    }

    /// The shape of the weight, if the layer has one and what is known of the input tells it.
    pub const fn weight_of_outline(&self, input: Outline) -> Option<Shape> {
        match (self, input.rank, input.channels) {
            (Op::Conv2d { groups: 0, .. }, ..) => None,
            (Op::Conv2d { .. }, Some(3), Some(channels)) => {
                self.weight(Shape::new(&[channels, 1, 1]))
            }
            (Op::Linear { .. }, Some(1), Some(features)) => self.weight(Shape::new(&[features])),
            _ => None,
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

#[cfg(test)]
mod tests {
    use super::*;

    const CONV: Op = Op::Conv2d {
        out_channels: 6,
        kernel: [5, 3],
        stride: [1, 1],
        padding: [0, 0],
        dilation: [1, 1],
        groups: 1,
        bias: true,
    };

    #[test]
    fn arguments_are_checked_without_an_input() {
        let pool = |kernel, stride, padding| Op::MaxPool2d { kernel, stride, padding };
        assert_eq!(CONV.check(Argument::Kernel), Ok(()));
        assert_eq!(
            pool([2, 2], [0, 1], [0, 0]).check(Argument::Stride),
            Err(ShapeError::ZeroArgument { argument: Argument::Stride })
        );
        assert_eq!(
            pool([2, 2], [2, 2], [0, 2]).check(Argument::Padding),
            Err(ShapeError::PoolPadding { padding: [0, 2], kernel: [2, 2] })
        );
        assert_eq!(pool([0, 2], [2, 2], [0, 2]).check(Argument::Padding), Ok(()));
        for p in [1.0, -0.1, f32::NAN] {
            assert_eq!(Op::Dropout { p }.check(Argument::P), Err(ShapeError::Probability));
        }
        let slope = Op::LeakyRelu { negative_slope: f32::INFINITY };
        assert_eq!(slope.check(Argument::NegativeSlope), Err(ShapeError::Slope));
    }

    /// Whatever `check` refuses, `output` refuses with the same words.
    #[test]
    fn output_refuses_what_check_refuses() {
        let image = Shape::new(&[4, 9, 9]);
        let numbers = [0, 1, 3, 1 << 25];
        for kernel in numbers {
            for stride in numbers {
                for padding in numbers {
                    for groups in [0, 1] {
                        let op = Op::Conv2d {
                            out_channels: 2,
                            kernel: [kernel, 1],
                            stride: [1, stride],
                            padding: [padding, 0],
                            dilation: [1, 1],
                            groups,
                            bias: false,
                        };
                        let refused = Argument::ALL.iter().any(|&a| op.check(a).is_err());
                        if refused {
                            let error = op.output(image).err();
                            let named = Argument::ALL.iter().any(|&a| op.check(a).err() == error);
                            assert!(named, "{op:?}: {error:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn outlines_agree_with_shapes() {
        let image = Shape::new(&[4, 9, 9]);
        let ops = [
            CONV,
            Op::MaxPool2d { kernel: [2, 2], stride: [2, 2], padding: [0, 0] },
            Op::GlobalAvgPool,
            Op::Relu,
        ];
        for op in ops {
            let outline = op.outline(Outline::of(image));
            assert_eq!(op.output(image).map(Outline::of), Ok(outline), "{op:?}");
            assert_eq!(op.weight_of_outline(Outline::of(image)), op.weight(image), "{op:?}");
        }
        let linear = Op::Linear { out_features: 10, bias: true };
        assert_eq!(linear.outline(Outline::UNKNOWN).shape(), Some(Shape::new(&[10])));
        assert_eq!(Op::Flatten.outline(Outline::of(image)).shape(), None);
        assert_eq!(CONV.outline(Outline::UNKNOWN).shape(), None);
    }

    #[test]
    fn a_weight_that_is_too_large_is_called_a_weight() {
        let linear = Op::Linear { out_features: 100_000, bias: true };
        let error = linear.output(Shape::new(&[100_000]));
        let shape = Shape::new(&[100_000, 100_000]);
        let argument = Argument::OutFeatures;
        assert_eq!(error, Err(ShapeError::WeightOverflow { shape, argument }));
    }
}

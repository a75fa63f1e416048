//! The shape rules of layers.

use super::Op;
use crate::conv_transpose::check_output_padding;
use crate::geometry::{check_pair, check_pool_padding};
use crate::upsample::check_corners;
use crate::{Argument, Padding, Shape, ShapeError, join};

const fn checked_weight(weight: Shape, argument: Argument) -> Result<(), ShapeError> {
    match weight.checked() {
        Err(ShapeError::Overflow { shape }) => Err(ShapeError::WeightOverflow { shape, argument }),
        Err(error) => Err(error),
        Ok(_) => Ok(()),
    }
}

impl Op {
    /// The layer's output shape for inputs of these shapes, at least one.
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
            Op::Conv2d { .. } | Op::DepthwiseConv2d { .. } | Op::ConvTranspose2d { .. } => {
                self.convolution(input)
            }
            Op::Upsample { .. } => match self.upsample2d(input) {
                Some(upsample) => upsample.output(),
                None => Ok(input),
            },
            Op::Scale { .. } => self.in_range(&[Argument::Factor], input),
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
            Op::BatchNorm { .. } => self.in_range(&[Argument::Momentum, Argument::Eps], input),
            Op::LayerNorm { .. } => self.in_range(&[Argument::Eps], input),
            Op::GroupNorm { num_groups, .. } => {
                match self.in_range(&[Argument::NumGroups, Argument::Eps], input) {
                    Ok(_) if !input.dim(0).is_multiple_of(num_groups) => {
                        Err(ShapeError::NumGroups { num_groups, channels: input.dim(0) })
                    }
                    result => result,
                }
            }
            Op::Flatten => match input.elements() {
                elements if elements > i32::MAX as usize => {
                    Err(ShapeError::Overflow { shape: input })
                }
                elements => Ok(Shape::new(&[elements])),
            },
            Op::Reshape { shape } => match self.check(Argument::Shape) {
                Ok(()) if shape.elements() == input.elements() => Ok(shape),
                Ok(()) => Err(ShapeError::Reshape { from: input, to: shape }),
                Err(error) => Err(error),
            },
            Op::LeakyRelu { .. } => self.in_range(&[Argument::NegativeSlope], input),
            Op::Dropout { .. } => self.in_range(&[Argument::P], input),
            Op::Relu
            | Op::Relu6
            | Op::Sigmoid
            | Op::Tanh
            | Op::Gelu { .. }
            | Op::Silu
            | Op::Hardswish
            | Op::Softmax
            | Op::LogSoftmax
            | Op::Add
            | Op::Mul
            | Op::Concat
            | Op::NetOutput { .. } => Ok(input),
            Op::NetInput { net, takes } => {
                if takes.equals(&input) {
                    Ok(input)
                } else {
                    Err(ShapeError::NetInput { net, takes, found: input })
                }
            }
            Op::Own(own) => own.checked_output(),
        }
    }

    const fn convolution(&self, input: Shape) -> Result<Shape, ShapeError> {
        let mut i = 0;
        let own = [Argument::Multiplier, Argument::Padding];
        while i < own.len() {
            if let Err(error) = self.check(own[i]) {
                return Err(error);
            }
            i += 1;
        }
        let result = match (self.conv2d(input), self.conv_transpose2d(input)) {
            (Some(conv), _) => conv.output(),
            (_, Some(conv)) => conv.output(),
            _ => Ok(input),
        };
        // Without an output there may be no weight either: zero groups, say.
        match result {
            Ok(output) => match self.weight(input) {
                Some(weight) => match checked_weight(weight, Argument::OutChannels) {
                    Ok(()) => Ok(output),
                    Err(error) => Err(error),
                },
                None => Ok(output),
            },
            Err(error) => Err(error),
        }
    }

    /// The input's shape, if these arguments are in their ranges.
    const fn in_range(&self, arguments: &[Argument], input: Shape) -> Result<Shape, ShapeError> {
        let mut i = 0;
        while i < arguments.len() {
            if let Err(error) = self.check(arguments[i]) {
                return Err(error);
            }
            i += 1;
        }
        Ok(input)
    }

    /// Checks one argument by itself, whatever the input is.
    ///
    /// # Errors
    /// When the argument's value is out of its range.
    pub const fn check(&self, argument: Argument) -> Result<(), ShapeError> {
        match (*self, argument) {
            (Op::Conv2d { out_channels: 0, .. }, Argument::OutChannels)
            | (Op::DepthwiseConv2d { multiplier: 0, .. }, Argument::Multiplier)
            | (Op::ConvTranspose2d { out_channels: 0, .. }, Argument::OutChannels)
            | (Op::GroupNorm { num_groups: 0, .. }, Argument::NumGroups)
            | (
                Op::Conv2d { groups: 0, .. } | Op::ConvTranspose2d { groups: 0, .. },
                Argument::Groups,
            )
            | (Op::Linear { out_features: 0, .. }, Argument::OutFeatures) => {
                Err(ShapeError::ZeroArgument { argument })
            }
            (
                Op::Conv2d { groups, out_channels, .. }
                | Op::ConvTranspose2d { groups, out_channels, .. },
                Argument::Groups,
            ) if !out_channels.is_multiple_of(groups) => {
                Err(ShapeError::Groups { groups, in_channels: None, out_channels })
            }
            (
                Op::Conv2d { kernel: pair, .. }
                | Op::DepthwiseConv2d { kernel: pair, .. }
                | Op::ConvTranspose2d { kernel: pair, .. }
                | Op::MaxPool2d { kernel: pair, .. }
                | Op::AvgPool2d { kernel: pair, .. },
                Argument::Kernel,
            )
            | (
                Op::Conv2d { stride: pair, .. }
                | Op::DepthwiseConv2d { stride: pair, .. }
                | Op::ConvTranspose2d { stride: pair, .. }
                | Op::MaxPool2d { stride: pair, .. }
                | Op::AvgPool2d { stride: pair, .. },
                Argument::Stride,
            )
            | (
                Op::Conv2d { dilation: pair, .. }
                | Op::DepthwiseConv2d { dilation: pair, .. }
                | Op::ConvTranspose2d { dilation: pair, .. },
                Argument::Dilation,
            )
            | (Op::Upsample { scale_factor: pair, .. }, Argument::ScaleFactor) => {
                check_pair(argument, pair, 1)
            }
            (Op::ConvTranspose2d { padding, .. }, Argument::Padding) => {
                check_pair(argument, padding, 0)
            }
            (
                Op::ConvTranspose2d { output_padding, stride, dilation, .. },
                Argument::OutputPadding,
            ) => check_output_padding(output_padding, stride, dilation),
            (Op::Upsample { mode, align_corners, .. }, Argument::AlignCorners) => {
                check_corners(mode, align_corners)
            }
            (Op::Scale { factor }, Argument::Factor) if !factor.is_finite() => {
                Err(ShapeError::Factor)
            }
            (
                Op::Conv2d { padding, stride, .. } | Op::DepthwiseConv2d { padding, stride, .. },
                Argument::Padding,
            ) => match padding {
                Padding::Zeros(pair) => check_pair(argument, pair, 0),
                Padding::Same if stride[0] > 1 || stride[1] > 1 => {
                    Err(ShapeError::SameStride { stride })
                }
                Padding::Same => Ok(()),
            },
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
            (Op::BatchNorm { momentum, .. }, Argument::Momentum)
                if !(momentum >= 0.0 && momentum <= 1.0) =>
            {
                Err(ShapeError::Momentum)
            }
            (
                Op::BatchNorm { eps, .. } | Op::LayerNorm { eps, .. } | Op::GroupNorm { eps, .. },
                Argument::Eps,
            ) if !(eps > 0.0 && eps.is_finite()) => Err(ShapeError::Eps),
            (Op::Reshape { shape }, Argument::Shape) => {
                if shape.rank() != 1 && shape.rank() != 3 {
                    return Err(ShapeError::ReshapeRank { from: None, to: shape });
                }
                match shape.checked() {
                    Ok(_) => Ok(()),
                    Err(error) => Err(error),
                }
            }
            _ => Ok(()),
        }
    }
}

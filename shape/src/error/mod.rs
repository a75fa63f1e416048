//! What is wrong with a layer's numbers or its input. `message` says it, `help` suggests a way out.

mod help;
mod message;

use crate::Shape;

/// A layer's argument, so that a message can point at it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Argument {
    /// `out_channels` of a convolution.
    OutChannels,
    /// `out_features` of a linear layer.
    OutFeatures,
    /// `kernel`.
    Kernel,
    /// `stride`.
    Stride,
    /// `padding`.
    Padding,
    /// `dilation`.
    Dilation,
    /// `groups`.
    Groups,
    /// `num_groups` of a group norm.
    NumGroups,
    /// `multiplier` of a depthwise convolution.
    Multiplier,
    /// `shape` of reshape.
    Shape,
    /// `momentum` of a batch norm.
    Momentum,
    /// `eps` of a norm.
    Eps,
    /// `output_padding` of a transposed convolution.
    OutputPadding,
    /// `scale_factor` of upsample.
    ScaleFactor,
    /// `align_corners` of upsample.
    AlignCorners,
    /// `factor` of scale.
    Factor,
    /// `p` of dropout.
    P,
    /// `negative_slope` of leaky_relu.
    NegativeSlope,
}

impl Argument {
    /// Every argument, in the order in which mistakes are reported.
    pub const ALL: [Argument; 18] = [
        Argument::OutChannels,
        Argument::OutFeatures,
        Argument::Kernel,
        Argument::Stride,
        Argument::Padding,
        Argument::OutputPadding,
        Argument::Dilation,
        Argument::Groups,
        Argument::NumGroups,
        Argument::Multiplier,
        Argument::Shape,
        Argument::ScaleFactor,
        Argument::AlignCorners,
        Argument::Factor,
        Argument::Momentum,
        Argument::Eps,
        Argument::P,
        Argument::NegativeSlope,
    ];

    /// The argument's name as it is written in a declaration.
    pub const fn name(self) -> &'static str {
        match self {
            Argument::OutChannels => "out_channels",
            Argument::OutFeatures => "out_features",
            Argument::Kernel => "kernel",
            Argument::Stride => "stride",
            Argument::Padding => "padding",
            Argument::Dilation => "dilation",
            Argument::Groups => "groups",
            Argument::NumGroups => "num_groups",
            Argument::Multiplier => "multiplier",
            Argument::Shape => "shape",
            Argument::OutputPadding => "output_padding",
            Argument::ScaleFactor => "scale_factor",
            Argument::AlignCorners => "align_corners",
            Argument::Factor => "factor",
            Argument::Momentum => "momentum",
            Argument::Eps => "eps",
            Argument::P => "p",
            Argument::NegativeSlope => "negative_slope",
        }
    }
}

/// The rule that a layer's arguments or its input break.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub enum ShapeError {
    /// A dimension is zero.
    ZeroDimension {
        /// The shape with the zero.
        shape: Shape,
    },
    /// More elements than fit in 31 bits.
    Overflow {
        /// The shape that is too large.
        shape: Shape,
    },
    /// A weight of more elements than fit in 31 bits.
    WeightOverflow {
        /// The weight's shape.
        shape: Shape,
        /// The argument that makes it so large.
        argument: Argument,
    },
    /// A net's input or output that is neither `[features]` nor `[channels, height, width]`.
    Rank {
        /// How many dimensions it has.
        rank: usize,
    },
    /// The layer reads `[channels, height, width]` and gets something else.
    NeedsImage {
        /// What it gets.
        found: Shape,
    },
    /// The layer reads `[features]` and gets something else.
    NeedsFeatures {
        /// What it gets.
        found: Shape,
    },
    /// An argument that counts something is zero.
    ZeroArgument {
        /// Which one.
        argument: Argument,
    },
    /// An argument is larger than any image.
    TooLarge {
        /// Which one.
        argument: Argument,
        /// Its value.
        value: usize,
    },
    /// The window does not fit into its padded input.
    KernelTooLarge {
        /// Window size.
        kernel: [usize; 2],
        /// Distance between taps.
        dilation: [usize; 2],
        /// Padding on each side.
        padding: [usize; 2],
        /// Height and width of the input.
        input: [usize; 2],
    },
    /// A pooling padding wider than half the window.
    PoolPadding {
        /// Padding on each side.
        padding: [usize; 2],
        /// Window size.
        kernel: [usize; 2],
    },
    /// `groups` does not divide the channels.
    Groups {
        /// The groups.
        groups: usize,
        /// Input channels, if they are known.
        in_channels: Option<usize>,
        /// Output channels.
        out_channels: usize,
    },
    /// `num_groups` does not divide the channels.
    NumGroups {
        /// The groups.
        num_groups: usize,
        /// The channels.
        channels: usize,
    },
    /// `padding = same` with a stride of more than 1.
    SameStride {
        /// Step between windows.
        stride: [usize; 2],
    },
    /// The output padding of a transposed convolution is less than neither the stride nor the dilation.
    OutputPadding {
        /// How much longer the output is.
        output_padding: [usize; 2],
        /// Step between windows.
        stride: [usize; 2],
        /// Distance between taps.
        dilation: [usize; 2],
    },
    /// The padding of a transposed convolution crops all of its output.
    NothingLeft {
        /// How much is cropped on each side.
        padding: [usize; 2],
        /// Height and width before that.
        whole: [usize; 2],
    },
    /// `align_corners` with `mode = nearest`, which does not interpolate.
    AlignCorners,
    /// A factor that is not finite.
    Factor,
    /// The shape given to `reshape` does not hold as many numbers as the value.
    Reshape {
        /// The value's shape.
        from: Shape,
        /// The shape given.
        to: Shape,
    },
    /// The shape given to `reshape` is neither `[features]` nor `[channels, height, width]`.
    ReshapeRank {
        /// The value's shape, if it is known.
        from: Option<Shape>,
        /// The shape given.
        to: Shape,
    },
    /// Values that are added or multiplied differ in shape.
    Unlike {
        /// The first one's shape.
        first: Shape,
        /// The shape that differs.
        other: Shape,
    },
    /// Values that are concatenated along the channels differ in rank, height or width.
    UnlikeSizes {
        /// The first one's shape.
        first: Shape,
        /// The shape that differs.
        other: Shape,
    },
    /// A momentum outside `0 ≤ momentum ≤ 1`.
    Momentum,
    /// An `eps` that is not above zero, or not finite.
    Eps,
    /// A dropout probability outside `0 ≤ p < 1`.
    Probability,
    /// A negative slope that is below zero, or not finite.
    Slope,
    /// Another net that is a layer here takes an input of another shape.
    NetInput {
        /// The path by which the declaration calls the net.
        net: &'static str,
        /// The shape it takes; without dimensions where the net has a mistake of its own.
        takes: Shape,
        /// What it gets.
        found: Shape,
    },
    /// The error of a layer of the user's own: see [`ShapeError::new`].
    Own {
        /// What is wrong.
        message: &'static str,
        /// A way out, or an empty text.
        help: &'static str,
    },
}

impl ShapeError {
    /// An error of a layer of your own: what is wrong with its input, in a few words, such as
    /// `needs an even height`. The compiler shows it with the layer's name and the shapes up to that layer.
    ///
    /// ```
    /// # use typenet_shape::{Shape, ShapeError};
    /// const fn output(input: Shape) -> Result<Shape, ShapeError> {
    ///     match *input.dims() {
    ///         [channels, height, width] if height % 2 == 0 => {
    ///             Ok(Shape::new(&[channels, height / 2, width]))
    ///         }
    ///         _ => Err(ShapeError::new("needs an image of an even height")),
    ///     }
    /// }
    /// assert!(output(Shape::new(&[3, 5, 8])).is_err());
    /// ```
    pub const fn new(message: &'static str) -> ShapeError {
        ShapeError::Own { message, help: "" }
    }

    /// The same error with a help line that shows a way out: `pad it, or crop a row`. Errors that do not come
    /// from [`ShapeError::new`] stay as they are.
    #[must_use]
    pub const fn with_help(self, help: &'static str) -> ShapeError {
        match self {
            ShapeError::Own { message, .. } => ShapeError::Own { message, help },
            other => other,
        }
    }

    /// Completes an error of an argument by itself with what is known of the input: its shape, and its
    /// channels, which may be known where its height and width are not.
    #[must_use]
    pub const fn of_input(self, shape: Option<Shape>, channels: Option<usize>) -> ShapeError {
        match self {
            ShapeError::Groups { groups, in_channels: None, out_channels } => {
                ShapeError::Groups { groups, in_channels: channels, out_channels }
            }
            ShapeError::ReshapeRank { from: None, to } => {
                ShapeError::ReshapeRank { from: shape, to }
            }
            other => other,
        }
    }

    /// The argument to point at, or `None` for the layer itself.
    pub const fn argument(&self) -> Option<Argument> {
        match self {
            ShapeError::ZeroArgument { argument }
            | ShapeError::TooLarge { argument, .. }
            | ShapeError::WeightOverflow { argument, .. } => Some(*argument),
            ShapeError::KernelTooLarge { .. } => Some(Argument::Kernel),
            ShapeError::PoolPadding { .. } => Some(Argument::Padding),
            ShapeError::Groups { .. } => Some(Argument::Groups),
            ShapeError::NumGroups { .. } => Some(Argument::NumGroups),
            ShapeError::SameStride { .. } | ShapeError::NothingLeft { .. } => {
                Some(Argument::Padding)
            }
            ShapeError::OutputPadding { .. } => Some(Argument::OutputPadding),
            ShapeError::AlignCorners => Some(Argument::AlignCorners),
            ShapeError::Factor => Some(Argument::Factor),
            ShapeError::Reshape { .. } | ShapeError::ReshapeRank { .. } => Some(Argument::Shape),
            ShapeError::Momentum => Some(Argument::Momentum),
            ShapeError::Eps => Some(Argument::Eps),
            ShapeError::Probability => Some(Argument::P),
            ShapeError::Slope => Some(Argument::NegativeSlope),
            _ => None,
        }
    }

    /// Whether the mistake lies in how the layer and its input fit together, so that the shapes
    /// before it explain it.
    pub const fn concerns_input(&self) -> bool {
        matches!(
            self,
            ShapeError::Overflow { .. }
                | ShapeError::WeightOverflow { .. }
                | ShapeError::NeedsImage { .. }
                | ShapeError::NeedsFeatures { .. }
                | ShapeError::KernelTooLarge { .. }
                | ShapeError::Groups { .. }
                | ShapeError::NumGroups { .. }
                | ShapeError::NothingLeft { .. }
                | ShapeError::Reshape { .. }
                | ShapeError::Unlike { .. }
                | ShapeError::UnlikeSizes { .. }
                | ShapeError::NetInput { .. }
                | ShapeError::Own { .. }
        )
    }
}

impl core::fmt::Display for ShapeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.message().as_str())
    }
}

impl core::error::Error for ShapeError {}

impl Shape {
    /// This shape, unless a dimension is zero or the number of elements does not fit in 31 bits.
    ///
    /// # Errors
    /// [`ShapeError::ZeroDimension`] or [`ShapeError::Overflow`].
    pub const fn checked(self) -> Result<Shape, ShapeError> {
        let mut product: usize = 1;
        let mut i = 0;
        while i < self.rank() {
            if self.dim(i) == 0 {
                return Err(ShapeError::ZeroDimension { shape: self });
            }
            product = match product.checked_mul(self.dim(i)) {
                Some(product) if product <= i32::MAX as usize => product,
                _ => return Err(ShapeError::Overflow { shape: self }),
            };
            i += 1;
        }
        Ok(self)
    }
}

use super::ShapeError;
use crate::Text;

impl ShapeError {
    /// What is wrong, in one line without the layer's name.
    pub const fn message(&self) -> Text {
        let text = Text::new();
        match self {
            ShapeError::ZeroDimension { shape } => {
                text.str("a dimension of ").shape(shape).str(" is zero")
            }
            ShapeError::Overflow { shape } => text
                .str("a value of shape ")
                .shape(shape)
                .str(" is too large: it may hold at most 2147483647 numbers"),
            ShapeError::WeightOverflow { shape, .. } => text
                .str("its weight of shape ")
                .shape(shape)
                .str(" is too large: it may hold at most 2147483647 numbers"),
            ShapeError::Rank { rank } => text
                .str("has ")
                .number(*rank)
                .str(if *rank == 1 { " dimension" } else { " dimensions" })
                .str(", but is [channels, height, width] or [features]"),
            ShapeError::NeedsImage { found } => {
                text.str("needs an input of [channels, height, width], but gets ").shape(found)
            }
            ShapeError::NeedsFeatures { found } => {
                text.str("needs an input of [features], but gets ").shape(found)
            }
            ShapeError::ZeroArgument { argument } => {
                text.str("`").str(argument.name()).str("` must be at least 1, but is 0")
            }
            ShapeError::TooLarge { argument, value } => text
                .str("`")
                .str(argument.name())
                .str(" = ")
                .number(*value)
                .str("` is larger than any image"),
            ShapeError::KernelTooLarge { kernel, dilation, padding, input } => {
                let mut text = text.str("kernel ").pair(*kernel);
                if dilation[0] != 1 || dilation[1] != 1 {
                    text = text.str(" with dilation ").argument(*dilation);
                }
                text = text.str(" does not fit its input of ").pair(*input);
                if padding[0] != 0 || padding[1] != 0 {
                    text = text.str(" with padding ").argument(*padding);
                }
                text
            }
            ShapeError::PoolPadding { padding, kernel } => text
                .str("padding ")
                .argument(*padding)
                .str(" is more than half of kernel ")
                .pair(*kernel)
                .str(", so that some windows would see only border"),
            ShapeError::Groups { groups, in_channels, out_channels } => {
                let text = text
                    .str("`groups = ")
                    .number(*groups)
                    .str("` splits the channels into ")
                    .number(*groups)
                    .str(" equal parts, but ");
                let text = match (*in_channels, out_channels.is_multiple_of(*groups)) {
                    (Some(channels), true) => {
                        text.str("the ").number(channels).str(" input channels are not")
                    }
                    (Some(channels), false) if !channels.is_multiple_of(*groups) => text
                        .str("neither the ")
                        .number(channels)
                        .str(" input channels nor the ")
                        .number(*out_channels)
                        .str(" output channels are"),
                    _ => text.str("the ").number(*out_channels).str(" output channels are not"),
                };
                text.str(" divisible by ").number(*groups)
            }
            ShapeError::NumGroups { num_groups, channels } => text
                .str("`num_groups = ")
                .number(*num_groups)
                .str("` splits the channels into ")
                .number(*num_groups)
                .str(" equal groups, but ")
                .number(*channels)
                .str(" channels are not divisible by ")
                .number(*num_groups),
            ShapeError::SameStride { stride } => text
                .str("`padding = same` keeps height and width, which stride ")
                .argument(*stride)
                .str(" does not"),
            ShapeError::OutputPadding { output_padding, stride, dilation } => text
                .str("output_padding ")
                .argument(*output_padding)
                .str(" is not less than stride ")
                .argument(*stride)
                .str(" or dilation ")
                .argument(*dilation),
            ShapeError::NothingLeft { padding, whole } => text
                .str("padding ")
                .argument(*padding)
                .str(" on each side leaves nothing of an output of ")
                .pair(*whole),
            ShapeError::AlignCorners => {
                text.str("`align_corners` is for `mode = bilinear`, and the mode is `nearest`")
            }
            ShapeError::Factor => text.str("`factor` must be a finite number"),
            ShapeError::Reshape { from, to } => text
                .str("a value of shape ")
                .shape(from)
                .str(" has ")
                .number(from.elements())
                .str(" numbers, and ")
                .shape(to)
                .str(" holds ")
                .number(to.elements()),
            ShapeError::ReshapeRank { from, to } => {
                let text = text
                    .str("`shape` has ")
                    .number(to.rank())
                    .str(if to.rank() == 1 { " dimension" } else { " dimensions" })
                    .str(", but is [channels, height, width] or [features]");
                match from {
                    Some(from) if from.elements() != to.elements() => text
                        .str("; a value of shape ")
                        .shape(from)
                        .str(" has ")
                        .number(from.elements())
                        .str(" numbers, and ")
                        .shape(to)
                        .str(" holds ")
                        .number(to.elements()),
                    _ => text,
                }
            }
            ShapeError::Unlike { first, other } => text
                .str("values of shape ")
                .shape(first)
                .str(" and ")
                .shape(other)
                .str(" do not go together: they must be of one shape"),
            ShapeError::UnlikeSizes { first, other } => text
                .str("values of shape ")
                .shape(first)
                .str(" and ")
                .shape(other)
                .str(" cannot be joined: all but their channels must be alike"),
            ShapeError::Momentum => {
                text.str("`momentum` is the share of the new batch: 0 ≤ momentum ≤ 1")
            }
            ShapeError::Eps => text.str("`eps` must be a finite number above 0"),
            ShapeError::Probability => text.str("`p` is the share that is dropped: 0 ≤ p < 1"),
            ShapeError::Slope => text.str("`negative_slope` must be a finite number, 0 or more"),
            ShapeError::NetInput { net, takes, found } => text
                .str("the net `")
                .str(net)
                .str("` takes an input of ")
                .shape(takes)
                .str(", but gets ")
                .shape(found),
            ShapeError::Own { message, .. } => text.str(message),
        }
    }
}

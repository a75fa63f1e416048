//! What is known of a value where a layer before it does not fit.

use super::Op;
use crate::{Shape, TensorKind};

/// What is known of a value's shape when a layer before it does not fit.
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

    /// The whole shape, where the outline determines it.
    pub const fn shape(self) -> Option<Shape> {
        match (self.rank, self.channels) {
            (Some(1), Some(features)) => Some(Shape::new(&[features])),
            _ => None,
        }
    }
}

impl Op {
    /// What is known of the output where little may be known of the input, such as after a layer that does not
    /// fit.
    pub const fn outline(&self, input: Outline) -> Outline {
        match *self {
            Op::Input { shape } => Outline::of(shape),
            Op::Conv2d { out_channels, .. } | Op::ConvTranspose2d { out_channels, .. } => {
                Outline { rank: Some(3), channels: Some(out_channels) }
            }
            Op::DepthwiseConv2d { multiplier, .. } => Outline {
                rank: Some(3),
                channels: match input.channels {
                    Some(channels) => channels.checked_mul(multiplier),
                    None => None,
                },
            },
            Op::Linear { out_features, .. } => {
                Outline { rank: Some(1), channels: Some(out_features) }
            }
            Op::GlobalAvgPool => Outline { rank: Some(1), channels: input.channels },
            Op::MaxPool2d { .. } | Op::AvgPool2d { .. } | Op::Upsample { .. } => {
                Outline { rank: Some(3), channels: input.channels }
            }
            Op::Flatten => match input.rank {
                Some(1) => input,
                _ => Outline { rank: Some(1), channels: None },
            },
            Op::Reshape { shape } => Outline::of(shape),
            Op::BatchNorm { .. }
            | Op::LayerNorm { .. }
            | Op::GroupNorm { .. }
            | Op::Relu
            | Op::LeakyRelu { .. }
            | Op::Relu6
            | Op::Sigmoid
            | Op::Tanh
            | Op::Gelu { .. }
            | Op::Silu
            | Op::Hardswish
            | Op::Dropout { .. }
            | Op::Scale { .. }
            | Op::Softmax
            | Op::LogSoftmax
            | Op::Add
            | Op::Mul
            | Op::NetOutput { .. } => input,
            Op::NetInput { takes, .. } => Outline::of(takes),
            Op::Own(_) => Outline::UNKNOWN,
            Op::Concat => Outline { rank: input.rank, channels: None },
        }
    }

    /// The shape of one of the layer's tensors. `None` if the layer does not have it, or if too little is known
    /// of the input.
    pub const fn tensor_of_outline(&self, kind: TensorKind, input: Outline) -> Option<Shape> {
        let rank = match self {
            Op::Conv2d { groups: 0, .. } | Op::ConvTranspose2d { groups: 0, .. } => return None,
            Op::Conv2d { .. } | Op::DepthwiseConv2d { .. } | Op::ConvTranspose2d { .. } => Some(3),
            Op::Linear { .. } => Some(1),
            _ => input.rank,
        };
        // What depends on no more than the output's channels stays known after any mistake.
        let channels = match (self, kind, input.channels) {
            (
                Op::Conv2d { .. } | Op::ConvTranspose2d { .. } | Op::Linear { .. },
                TensorKind::Bias,
                _,
            ) => 1,
            (_, _, Some(channels)) => channels,
            _ => return None,
        };
        if input.rank.is_some() && !same(input.rank, rank) && matches!(kind, TensorKind::Weight) {
            return None;
        }
        match (self, rank) {
            (Op::LayerNorm { .. }, Some(3)) => None,
            (_, Some(3)) => self.tensor(kind, Shape::new(&[channels, 1, 1])),
            (_, Some(1)) => self.tensor(kind, Shape::new(&[channels])),
            _ => None,
        }
    }
}

const fn same(a: Option<usize>, b: Option<usize>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

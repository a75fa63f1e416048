//! The parameters of layers and what they cost.

use super::Op;
use crate::{Own, Shape, TensorKind};

const BOTH: &[TensorKind] = &[TensorKind::Weight, TensorKind::Bias];

impl Op {
    /// The layer's tensors, in the order in which they are stored.
    pub const fn tensors(&self) -> &'static [TensorKind] {
        match self {
            Op::Conv2d { bias, .. }
            | Op::DepthwiseConv2d { bias, .. }
            | Op::ConvTranspose2d { bias, .. }
            | Op::Linear { bias, .. } => {
                if *bias {
                    BOTH
                } else {
                    &[TensorKind::Weight]
                }
            }
            Op::BatchNorm { affine: true, .. } => &TensorKind::ALL,
            Op::BatchNorm { affine: false, .. } => {
                &[TensorKind::RunningMean, TensorKind::RunningVar]
            }
            Op::LayerNorm { affine: true, .. } | Op::GroupNorm { affine: true, .. } => BOTH,
            Op::Own(Own { weight: Some(_), bias: Some(_), .. }) => BOTH,
            Op::Own(Own { weight: Some(_), .. }) => &[TensorKind::Weight],
            Op::Own(Own { bias: Some(_), .. }) => &[TensorKind::Bias],
            _ => &[],
        }
    }

    /// The shape of the weight for an input of this shape, if the layer has one.
    pub const fn weight(&self, input: Shape) -> Option<Shape> {
        match self {
            Op::Conv2d { .. } | Op::DepthwiseConv2d { .. } => match self.conv2d(input) {
                Some(conv) => Some(conv.weight()),
                None => None,
            },
            Op::ConvTranspose2d { .. } => match self.conv_transpose2d(input) {
                Some(conv) => Some(conv.weight()),
                None => None,
            },
            Op::BatchNorm { affine: true, .. } | Op::GroupNorm { affine: true, .. } => {
                Some(Shape::new(&[input.dim(0)]))
            }
            Op::LayerNorm { affine: true, .. } => Some(input),
            Op::Linear { out_features, .. } => Some(Shape::new(&[*out_features, input.dim(0)])),
            Op::Own(own) => own.weight,
            _ => None,
        }
    }

    /// The shape of the bias for an input of this shape, if the layer has one.
    pub const fn bias(&self, input: Shape) -> Option<Shape> {
        match *self {
            Op::Conv2d { out_channels: n, bias: true, .. }
            | Op::ConvTranspose2d { out_channels: n, bias: true, .. }
            | Op::Linear { out_features: n, bias: true } => Some(Shape::new(&[n])),
            Op::DepthwiseConv2d { multiplier, bias: true, .. } => {
                Some(Shape::new(&[multiplier.saturating_mul(input.dim(0))]))
            }
            Op::Own(own) => own.bias,
            Op::BatchNorm { .. } | Op::LayerNorm { .. } | Op::GroupNorm { .. } => {
                self.weight(input)
            }
            _ => None,
        }
    }

    /// The shape of the running mean and of the running variance, if the layer keeps them.
    pub const fn running(&self, input: Shape) -> Option<Shape> {
        match self {
            Op::BatchNorm { .. } => Some(Shape::new(&[input.dim(0)])),
            _ => None,
        }
    }

    /// The shape of one of the layer's tensors for an input of this shape, if it has that one.
    pub const fn tensor(&self, kind: TensorKind, input: Shape) -> Option<Shape> {
        match kind {
            TensorKind::Weight => self.weight(input),
            TensorKind::Bias => self.bias(input),
            TensorKind::RunningMean | TensorKind::RunningVar => self.running(input),
        }
    }

    /// How many numbers the layer's parameters have for an input of this shape, without running statistics;
    /// `usize::MAX` where there are more.
    pub const fn parameters(&self, input: Shape) -> usize {
        let (mut count, mut k) = (0, 0);
        while k < self.tensors().len() {
            let kind = self.tensors()[k];
            if let (true, Some(shape)) = (kind.is_parameter(), self.tensor(kind, input)) {
                count = shape.elements().saturating_add(count);
            }
            k += 1;
        }
        count
    }

    /// Multiply-adds for one image, 0 for layers that sum up no products; `u64::MAX` where there are more.
    pub const fn multiply_adds(&self, input: Shape, output: Shape) -> u64 {
        match self.weight(input) {
            Some(weight) if self.takes_factors() => {
                // Each weight is used once for each place of the output; of a transposed convolution,
                // of the input.
                let of = if matches!(self, Op::ConvTranspose2d { .. }) { input } else { output };
                let positions =
                    if of.rank() == 3 { Shape::new(&[of.dim(1), of.dim(2)]).elements() } else { 1 };
                (weight.elements() as u64).saturating_mul(positions as u64)
            }
            _ => 0,
        }
    }
}

//! The calls of a backward pass.

use typenet_shape::{Op, TensorKind};

use super::norms::Statistics;
use super::plan::Call;
use super::run::Run;
use crate::layout::Layout;

/// Where the gradients of the parameters go.
pub(super) struct Gradients<'a> {
    pub(super) all: &'a mut [f32],
    /// Whether they are added to what stands there.
    pub(super) accumulate: bool,
}

/// The gradients of a layer's weight and bias, as far as it has them.
pub(super) fn own<'a>(
    layout: &Layout,
    node: usize,
    gradients: &'a mut [f32],
) -> [Option<&'a mut [f32]>; 2] {
    let places = [TensorKind::Weight, TensorKind::Bias].map(|kind| layout.place(node, kind));
    match gradients.get_disjoint_mut(places) {
        Ok(both) => both.map(|gradient| (!gradient.is_empty()).then_some(gradient)),
        Err(_) => [None, None],
    }
}

impl Run<'_> {
    /// Runs a call of a backward pass.
    pub(super) fn backward(
        &mut self,
        call: &Call,
        statistics: &mut Statistics<'_>,
        gradients: &mut Gradients<'_>,
    ) {
        let Some(step) = call.step else { return self.turn_backward(call) };
        let fused = step.training.activation;
        match step.op {
            Op::Conv2d { .. } | Op::DepthwiseConv2d { .. } => {
                self.conv2d_backward(call, step, gradients);
            }
            Op::Linear { .. } => self.linear_backward(call, step, gradients),
            Op::BatchNorm { .. } => self.batch_norm_backward(call, step, statistics, gradients),
            Op::MaxPool2d { .. } | Op::AvgPool2d { .. } => self.pool2d_backward(call, step),
            Op::GlobalAvgPool => self.global_avg_pool_backward(call, step),
            Op::Dropout { .. } => self.dropout_backward(call, step),
            Op::Scale { factor } => self.scale_gradient(call, factor),
            Op::Add => self.add_backward(call, fused),
            Op::ConvTranspose2d { .. } => self.conv_transpose2d_backward(call, step, gradients),
            Op::LayerNorm { .. } | Op::GroupNorm { .. } => {
                self.image_norm_backward(call, step, gradients);
            }
            Op::Upsample { .. } => self.upsample_backward(call, step),
            Op::Softmax | Op::LogSoftmax => self.softmax_backward(call, step),
            Op::Mul => self.mul_backward(call),
            Op::Concat => self.concat_backward(call),
            Op::Own(own) => self.own_backward(call, step, &own, gradients),
            op => {
                if let Some(f) = op.activation() {
                    self.activation_backward(call, f);
                }
            }
        }
    }
}

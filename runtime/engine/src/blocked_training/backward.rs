//! The calls of a backward pass.

use typenet_shape::Op;

use super::call::Call;
use super::gradients::Gradients;
use super::run::Run;

impl Run<'_> {
    /// Runs a call of a backward pass, which is no batch norm that took the statistics of the batch.
    pub(super) fn backward(&mut self, call: &Call, gradients: &mut Gradients<'_>) {
        let Some(step) = call.step else { return self.turn_backward(call) };
        let fused = step.training.activation;
        match step.op {
            Op::Conv2d { .. } | Op::DepthwiseConv2d { .. } => {
                self.conv2d_backward(call, step, gradients);
            }
            Op::Linear { .. } => self.linear_backward(call, step, gradients),
            Op::BatchNorm { .. } => self.frozen_batch_norm_backward(call, step),
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

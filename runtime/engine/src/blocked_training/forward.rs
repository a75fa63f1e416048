//! The calls of a forward pass.

use typenet_shape::Op;

use super::call::Call;
use super::run::Run;

impl Run<'_> {
    /// Runs a call of a forward pass, which is no batch norm that takes the statistics of the batch.
    pub(super) fn forward(&mut self, call: &Call) {
        let Some(step) = call.step else { return self.turn(call) };
        let fused = step.training.activation;
        match step.op {
            Op::Conv2d { .. } | Op::DepthwiseConv2d { .. } => self.conv2d(call, step),
            Op::Linear { .. } => self.linear(call, step),
            Op::BatchNorm { .. } => self.frozen_batch_norm(call, step),
            Op::MaxPool2d { .. } | Op::AvgPool2d { .. } => self.pool2d(call, step),
            Op::GlobalAvgPool => self.global_avg_pool(call, step),
            Op::Dropout { .. } => self.dropout(call, step),
            Op::Scale { factor } => self.scale(call, factor),
            Op::Add => self.add(call, fused),
            Op::ConvTranspose2d { .. } => self.conv_transpose2d(call, step),
            Op::LayerNorm { .. } | Op::GroupNorm { .. } => self.image_norm(call, step),
            Op::Upsample { .. } => self.upsample(call, step),
            Op::Softmax | Op::LogSoftmax => self.softmax(call, step),
            Op::Mul => self.mul(call),
            Op::Concat => self.concat(call),
            Op::Own(own) => self.own(call, step, &own),
            op => match op.activation() {
                Some(f) => self.activation(call, f),
                None => debug_assert!(false, "no kernel for {}", op.kind()),
            },
        }
    }
}

//! The passes of layers that enlarge images.

use typenet_shape::Step;

use super::{Backward, Forward};
use crate::arena::{apart, wrong};
use crate::parameters::LayerParameters;
use typenet_kernels::{conv_transpose2d, upsample};

impl Forward<'_> {
    /// Transposed convolution with bias and activation.
    pub fn conv_transpose2d(&mut self, step: &Step, parameters: &impl LayerParameters) {
        let step = self.at(step);
        if !self.runs(step) {
            return;
        }
        if let Some(blocked) = self.side_by_side() {
            return blocked.conv_transpose2d(self.isa, step, self.arena);
        }
        let (weight, bias) = self.weights(step, parameters);
        self.conv_transpose2d_with(step, weight, bias);
    }

    fn conv_transpose2d_with(&mut self, step: &Step, weight: &[f32], bias: Option<&[f32]>) {
        let Some(geometry) = step.op.conv_transpose2d(step.input) else { return wrong(step) };
        let (isa, f) = (self.isa, self.activation_of(step));
        let (x, other, y) = self.operands(step);
        conv_transpose2d::forward(isa, &geometry, x, weight, bias, other, f, y);
    }

    /// More pixels between those that there are.
    pub fn upsample(&mut self, step: &Step) {
        let step = self.at(step);
        let Some(geometry) = step.op.upsample2d(step.input) else { return wrong(step) };
        self.of_one(
            step,
            |blocked, isa, arena| blocked.upsample(isa, step, arena),
            |isa, _, x, y| upsample::forward(isa, &geometry, x, y),
        );
    }
}

impl Backward<'_> {
    /// Gradients of a transposed convolution; the weight's and bias's are added to `gradients`.
    pub fn conv_transpose2d(
        &mut self,
        step: &Step,
        parameters: &impl LayerParameters,
        gradients: &mut impl LayerParameters,
    ) {
        let step = self.at(step);
        if !self.runs(step) {
            return;
        }
        let (dw, db) = gradients.both_mut();
        self.conv_transpose2d_with(step, parameters.weight(), dw, db);
    }

    fn conv_transpose2d_with(
        &mut self,
        step: &Step,
        weight: &[f32],
        dw: &mut [f32],
        db: Option<&mut [f32]>,
    ) {
        let Some(geometry) = step.op.conv_transpose2d(step.input) else { return wrong(step) };
        let Some(gradient) = self.output_gradient(step) else { return };
        self.pass_on(step, gradient);
        let isa = self.isa;
        if self.needs(step.node).own {
            let [x, dy] = apart(self.arena, [step.training.input, gradient]);
            conv_transpose2d::backward_weight(isa, &geometry, x, dy, dw, db);
        }
        if let Some(input_gradient) = self.input_gradient(step) {
            let [dy, dx] = apart(self.arena, [gradient, input_gradient]);
            if step.accumulates {
                conv_transpose2d::add_backward_data(isa, &geometry, dy, weight, dx);
            } else {
                conv_transpose2d::backward_data(isa, &geometry, dy, weight, dx);
            }
        }
    }

    /// The gradient goes to the pixels that a number was made of.
    pub fn upsample(&mut self, step: &Step) {
        let step = self.at(step);
        let Some(geometry) = step.op.upsample2d(step.input) else { return wrong(step) };
        self.of_one(step, |isa, dy, dx| upsample::backward(isa, &geometry, dy, dx));
    }
}

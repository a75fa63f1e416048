//! Convolutions of a group of images: which kernel runs each pass, and with what memory.

use typenet_shape::{Buffer, Conv2dKernel, Conv2dPass, Step};

use super::{Backward, Forward, Mode, Room, Segment};
use crate::arena::{apart, operands, wrong};
use crate::parameters::LayerParameters;
use typenet_kernels::batch_norm::Input;
use typenet_kernels::{Epilogue, Statistics, conv2d, pointwise, winograd};

impl Forward<'_> {
    /// Convolution with bias and activation.
    pub fn conv2d(&mut self, step: &Step, parameters: &impl LayerParameters) {
        let step = self.at(step);
        if !self.runs(step) {
            return;
        }
        if let Some(blocked) = self.side_by_side() {
            return blocked.conv2d(self.isa, step, self.arena, self.crew.scratch());
        }
        let (weight, bias) = self.weights(step, parameters);
        self.conv2d_with(step, weight, bias);
    }

    fn conv2d_with(&mut self, step: &Step, weight: &[f32], bias: Option<&[f32]>) {
        let Some(geometry) = step.op.conv2d(step.input) else { return wrong(step) };
        let (isa, f) = (self.isa, self.activation_of(step));
        if let (Mode::Inference, Some(pooled)) = (self.mode, &step.pooled) {
            let [x, y] = apart(self.arena, [step.inference.input, pooled.output]);
            let band = &mut self.crew.scratch()[..pooled.band_len()];
            let (g, pool) = (&geometry, (&pooled.geometry, pooled.is_max));
            return conv2d::forward_and_pool(isa, g, x, weight, bias, f, pool, band, y);
        }
        // Not by the method, which borrows the crew too.
        let (x, other, y) = operands(self.arena, self.mode.buffers(step));
        let (g, crew) = (&geometry, &mut self.crew);
        let norm = self.segment.as_ref().and_then(|segment| segment.norm_of_input(step));
        let input = Input { x, norm };
        let statistics = self.segment.as_mut().and_then(|segment| segment.statistics_of(step));
        let (kernel, place) = kernel_of(step, Conv2dPass::Forward);
        let epilogue =
            Epilogue { bias, add: other, activation: f, statistics, ..Epilogue::default() };
        match kernel {
            Conv2dKernel::Direct => conv2d::forward_by(isa, crew, g, input, weight, epilogue, y),
            Conv2dKernel::Gemm => pointwise::forward_by(isa, crew, g, input, weight, epilogue, y),
            _ => {
                let weight = &self.transformed[place.offset..place.end()];
                winograd::forward_by(isa, crew, kernel, g, x, weight, epilogue, y);
            }
        }
    }
}

impl Backward<'_> {
    /// Gradients of a convolution; the weight's and bias's are added to `gradients`.
    pub fn conv2d(
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
        self.conv2d_with(step, parameters.weight(), dw, db);
    }

    fn conv2d_with(&mut self, step: &Step, weight: &[f32], dw: &mut [f32], db: Option<&mut [f32]>) {
        let Some(geometry) = step.op.conv2d(step.input) else { return wrong(step) };
        let Some(gradient) = self.output_gradient(step) else { return };
        self.pass_on(step, gradient);
        let (isa, input_gradient) = (self.isa, self.input_gradient(step));
        let own = self.needs(step.node).own;
        let Room { transformed: weights, adds: adds_sums, sums, crew } = &mut self.room;
        let g = &geometry;
        if own {
            let [x, dy] = apart(self.arena, [step.training.input, gradient]);
            let (kernel, place) = kernel_of(step, Conv2dPass::BackwardWeight);
            let input = Input { x, norm: self.segment.norm_of_input(step) };
            match kernel {
                Conv2dKernel::Direct => conv2d::backward_weight_by(isa, crew, g, input, dy, dw, db),
                Conv2dKernel::Gemm => {
                    pointwise::backward_weight_by(isa, crew, g, input, dy, dw, db);
                }
                _ => {
                    let sums = &mut sums[place.offset..place.end()];
                    let adds = *adds_sums;
                    winograd::backward_weight_by(isa, crew, kernel, g, x, dy, adds, sums, db);
                }
            }
        }
        if let Some(input_gradient) = input_gradient {
            let adds = step.accumulates;
            let [dy, dx] = apart(self.arena, [gradient, input_gradient]);
            let (kernel, place) = kernel_of(step, Conv2dPass::BackwardData);
            match kernel {
                Conv2dKernel::Direct => {
                    conv2d::backward_data_by(isa, crew, g, dy, weight, adds, dx);
                }
                Conv2dKernel::Gemm => {
                    pointwise::backward_data_by(isa, crew, g, dy, weight, adds, dx);
                }
                _ => {
                    let weight = &weights[place.offset..place.end()];
                    winograd::backward_data_by(isa, crew, kernel, g, dy, weight, adds, dx);
                }
            }
        }
    }
}

impl Segment<'_> {
    /// Where a convolution leaves the statistics of its value, if a batch norm after it needs them.
    fn statistics_of(&mut self, step: &Step) -> Option<Statistics<'_>> {
        step.gathers_for.filter(|&norm| !self.is_fixed(norm))?;
        Some(Statistics { images: self.images, numbers: &mut *self.gathered })
    }
}

/// The kernel of a convolution in a pass, and where its transformed numbers stand.
pub fn kernel_of(step: &Step, pass: Conv2dPass) -> (Conv2dKernel, Buffer) {
    match step.kernels[pass as usize] {
        Some(own) if winograd::allows(own.0) => own,
        _ => (Conv2dKernel::Direct, Buffer::NONE),
    }
}

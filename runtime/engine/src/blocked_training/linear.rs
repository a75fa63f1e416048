//! Linear layers.

use typenet_kernels::blocked;
use typenet_shape::{Step, TensorKind};

use super::call::Call;
use super::call::Write;
use super::gradients::{Gradients, own};
use super::run::{Operands, Run, apart};

fn size(step: &Step) -> [usize; 2] {
    [step.input.elements(), step.output.elements()]
}

impl Run<'_> {
    /// `W x + b`, with sum and activation.
    pub(super) fn linear(&mut self, call: &Call, step: &Step) {
        let (isa, team, parameters) = (self.isa, self.team, self.parameters);
        let weight = self.layout.place(step.node, TensorKind::Weight);
        let bias = self.layout.tensor(parameters, step.node, TensorKind::Bias);
        let own = (&parameters[weight], bias);
        let f = step.training.activation;
        let Operands { x, other, y, .. } = self.operands(call);
        blocked::linear_forward(isa, team, size(step), x, own, other, f, y);
    }

    /// Gradients of a linear layer.
    pub(super) fn linear_backward(
        &mut self,
        call: &Call,
        step: &Step,
        gradients: &mut Gradients<'_>,
    ) {
        let Some(gradient) = self.output_gradient(call) else { return };
        self.undo_activation(call, step.training.activation);
        self.give(call);
        let (isa, team, read) = (self.isa, self.team, &call.reads[0]);
        if self.needs(step.node).own {
            let accumulate = gradients.accumulate;
            let [dw, db] = own(self.layout, step.node, gradients.all);
            let [x, dy] = apart(self.arena, [self.read(read), gradient.clone()]);
            if let Some(dw) = dw {
                blocked::linear_backward_weight(isa, team, size(step), x, dy, accumulate, dw);
            }
            if let Some(db) = db {
                blocked::linear_backward_bias(dy, accumulate, db);
            }
        }
        let Some(to) = self.input_gradient(read) else { return };
        let weight = &self.parameters[self.layout.place(step.node, TensorKind::Weight)];
        let adds = read.write == Write::Adds;
        let [dy, dx] = apart(self.arena, [gradient, to]);
        blocked::linear_backward_data(isa, team, size(step), dy, weight, adds, dx);
    }
}

//! The backward pass of one group of images.

use typenet_kernels::{Isa, Lanes, activation, dropout, elementwise, isa, linear, softmax};
use typenet_shape::{Activation, Buffer, Op, Source, Step};

use super::by_channels;
use super::segment::{Mode, Room, Segment, own_activation};
use super::steps::Steps;
use crate::arena::{apart, wrong};
use crate::parameters::LayerParameters;
use crate::trainable::Needs;

/// The backward pass of one group of images, called in the reverse order of the steps.
/// A step before which nothing is trained has no gradient buffers, and nothing is done for it.
#[derive(Debug)]
pub struct Backward<'a> {
    pub(super) arena: &'a mut [Lanes],
    pub(super) mode: Mode,
    pub(super) isa: Isa,
    pub(super) segment: Segment<'a>,
    pub(super) room: Room<'a>,
    pub(super) steps: Steps,
}

impl<'a> Backward<'a> {
    pub(crate) fn new(
        arena: &'a mut [Lanes],
        mode: Mode,
        segment: Segment<'a>,
        room: Room<'a>,
    ) -> Backward<'a> {
        let steps = Steps::new(segment.call.spec.layout.steps);
        Backward { arena, mode, isa: isa(), segment, room, steps }
    }

    /// Whether a step runs in this segment.
    pub(crate) fn runs(&self, step: &Step) -> bool {
        step.segment == self.segment.index
    }

    /// What is to be done for a node.
    pub(crate) fn needs(&self, node: usize) -> Needs {
        self.segment.call.trained.of(node)
    }

    /// The gradient of the value that a step writes, if something that is trained lies before it.
    pub(crate) fn output_gradient(&self, step: &Step) -> Option<Buffer> {
        step.output_gradient.filter(|_| self.needs(step.value).value)
    }

    /// Where the gradient of a value that a step reads goes, if it is needed.
    pub(crate) fn gradient_of(&self, source: &Source) -> Option<Buffer> {
        source.gradient.filter(|_| self.needs(source.node).value)
    }

    /// Where a layer of one input writes its gradient, if it is needed.
    pub(crate) fn input_gradient(&self, step: &Step) -> Option<Buffer> {
        let source = step.sources().first()?;
        step.input_gradient.filter(|_| self.needs(source.node).value)
    }

    /// Both the output's gradient and the input's.
    pub(crate) fn both(&self, step: &Step) -> Option<(Buffer, Buffer)> {
        Some((self.output_gradient(step)?, self.input_gradient(step)?))
    }

    /// Turns the gradient of the activated value into that of the value before the activation.
    pub(crate) fn undo_activation(&mut self, step: &Step, gradient: Buffer) {
        if step.training.activation != Activation::Identity && !step.is_undone {
            let [y, dy] = apart(self.arena, [step.training.output, gradient]);
            let f = step.training.activation;
            by_channels::undo_activation(self.isa, &mut self.room.crew, f, y, dy);
        }
    }

    /// Undoes the activation, and gives the value that the step adds its gradient.
    pub(crate) fn pass_on(&mut self, step: &Step, gradient: Buffer) {
        self.undo_activation(step, gradient);
        self.give(step, gradient);
    }

    /// The gradient of the value before the activation is also that of the value which the step adds.
    pub(crate) fn give(&mut self, step: &Step, gradient: Buffer) {
        if let Some((added, accumulates)) = step.added_gradient
            && self.needs(step.added).value
        {
            let [dy, dx] = apart(self.arena, [gradient, added]);
            let crew = &mut self.room.crew;
            if accumulates {
                by_channels::add(self.isa, crew, dy, dx);
            } else {
                by_channels::copy(crew, dy, dx);
            }
        }
    }

    /// Adds a gradient that was written aside to that from the other readers of the value.
    pub(crate) fn add_up(&mut self, step: &Step) {
        if let (Some(part), Some(sum)) = (self.input_gradient(step), step.adds_to) {
            let [part, sum] = apart(self.arena, [part, sum]);
            by_channels::add(self.isa, &mut self.room.crew, part, sum);
        }
    }

    /// A layer of one value without parameters: `kernel` reads the gradient of its output and writes
    /// that of its input.
    pub(crate) fn of_one(&mut self, step: &Step, kernel: impl FnOnce(Isa, &[Lanes], &mut [Lanes])) {
        if !self.runs(step) {
            return;
        }
        let Some((gradient, input_gradient)) = self.both(step) else { return };
        let [dy, dx] = apart(self.arena, [gradient, input_gradient]);
        kernel(self.isa, dy, dx);
        self.add_up(step);
    }

    /// [`of_one`](Self::of_one) for a softmax, whose kernel reads the number of channels and the output.
    fn of_softmax(
        &mut self,
        step: &Step,
        kernel: fn(Isa, usize, &[Lanes], &[Lanes], &mut [Lanes]),
    ) {
        if !self.runs(step) {
            return;
        }
        let Some((gradient, input_gradient)) = self.both(step) else { return };
        let [y, dy, dx] = apart(self.arena, [step.training.output, gradient, input_gradient]);
        kernel(self.isa, step.input.dim(0), y, dy, dx);
        self.add_up(step);
    }

    /// Gradients of a linear layer except its weight's, which is computed for all groups together; the bias's
    /// is added to `gradients`.
    pub fn linear(
        &mut self,
        step: &Step,
        parameters: &impl LayerParameters,
        gradients: &mut impl LayerParameters,
    ) {
        let step = self.at(step);
        if !self.runs(step) {
            return;
        }
        self.linear_with(step, parameters.weight(), gradients.both_mut().1);
    }

    fn linear_with(&mut self, step: &Step, weight: &[f32], db: Option<&mut [f32]>) {
        let Some(gradient) = self.output_gradient(step) else { return };
        self.pass_on(step, gradient);
        let isa = self.isa;
        if let Some(db) = db.filter(|_| self.needs(step.node).own) {
            let dy = &self.arena[gradient.offset..gradient.end()];
            linear::backward_bias(isa, dy, db);
        }
        if let Some(input_gradient) = self.input_gradient(step) {
            let [dy, dx] = apart(self.arena, [gradient, input_gradient]);
            linear::backward_data_by(isa, &mut self.room.crew, dy, weight, step.accumulates, dx);
        }
    }

    /// The gradient times the activation's derivative.
    pub fn activation(&mut self, step: &Step) {
        let step = self.at(step);
        if !self.runs(step) {
            return;
        }
        let Some((gradient, input_gradient)) = self.both(step) else { return };
        let (isa, f) = (self.isa, own_activation(step));
        let [dy, dx] = apart(self.arena, [gradient, input_gradient]);
        dx.copy_from_slice(dy);
        // The plan keeps the one that is read.
        if f.from_output() {
            let [y, dx] = apart(self.arena, [step.training.output, input_gradient]);
            activation::backward_in_place(isa, f, y, dx);
        } else {
            let [x, dx] = apart(self.arena, [step.training.input, input_gradient]);
            activation::backward_from_input(isa, f, x, dx);
        }
        self.add_up(step);
    }

    /// The gradient where the value was kept.
    pub fn dropout(&mut self, step: &Step) {
        let step = self.at(step);
        let Op::Dropout { p } = step.op else { return wrong(step) };
        let key = self.mode.dropout_key(step.node);
        self.of_one(step, |isa, dy, dx| match key {
            Some(key) => dropout::backward(isa, p, key, dy, dx),
            None => dx.copy_from_slice(dy),
        });
    }

    /// `dx = y · (dy − Σ y dy)`
    pub fn softmax(&mut self, step: &Step) {
        let step = self.at(step);
        self.of_softmax(step, softmax::backward);
    }

    /// `dx = dy − eʸ Σ dy`
    pub fn log_softmax(&mut self, step: &Step) {
        let step = self.at(step);
        self.of_softmax(step, softmax::log_backward);
    }

    /// The gradient times the constant.
    pub fn scale(&mut self, step: &Step) {
        let step = self.at(step);
        let Op::Scale { factor } = step.op else { return wrong(step) };
        self.of_one(step, |isa, dy, dx| elementwise::scale(isa, factor, dy, dx));
    }
}

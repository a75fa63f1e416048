//! The forward pass of one group of images, or of some with 16 channels side by side.

use typenet_kernels::team::Crew;
use typenet_kernels::{Isa, Lanes, dropout, elementwise, isa, linear, softmax};
use typenet_shape::{Activation, Buffer, Op, Source, Step};

use super::by_channels;
use super::segment::{Mode, Segment, own_activation};
use super::steps::Steps;
use crate::arena::{apart, operands, wrong};
use crate::blocked::Blocked;
use crate::parameters::LayerParameters;
use crate::weights::{Folded, Prepared};

/// Whether nets predict only, with 16 channels side by side.
pub(crate) const ONLY_BLOCKED: bool = cfg!(target_family = "wasm");

#[cold]
#[allow(clippy::panic, reason = "a call that WebAssembly does not have")]
fn only_blocked() -> ! {
    panic!("nets predict in WebAssembly, and do not train there")
}

/// The forward pass of one group of images. While training it goes through the same calls once for
/// each segment, and each call runs in its own.
#[derive(Debug)]
pub struct Forward<'a> {
    pub(super) arena: &'a mut [Lanes],
    pub(super) mode: Mode,
    pub(super) isa: Isa,
    /// The segment of a training step.
    pub(super) segment: Option<Segment<'a>>,
    /// The images, where 16 channels of each stand side by side.
    pub(super) blocked: Option<Blocked<'a>>,
    /// Parameters of the layers that a batch norm is folded into.
    pub(super) folded: Option<&'a Folded>,
    /// The weights of convolutions that transform them.
    pub(super) transformed: &'a [f32],
    /// Who works on the group, and memory that a step needs while it runs.
    pub(super) crew: Crew<'a>,
    /// How many images there are.
    pub(super) images: usize,
    /// The steps of the net, for nets that are layers of it.
    pub(super) steps: Steps,
}

impl<'a> Forward<'a> {
    pub(crate) fn training(
        arena: &'a mut [Lanes],
        crew: Crew<'a>,
        transformed: &'a [f32],
        mode: Mode,
        segment: Segment<'a>,
    ) -> Forward<'a> {
        let (images, isa) = (segment.images, isa());
        let steps = Steps::new(segment.call.spec.layout.steps);
        let (segment, blocked, folded) = (Some(segment), None, None);
        Forward { arena, mode, isa, segment, blocked, folded, transformed, crew, images, steps }
    }

    pub(crate) fn inference(
        arena: &'a mut [Lanes],
        crew: Crew<'a>,
        prepared: Prepared<'a>,
        images: usize,
        steps: &'static [Step],
    ) -> Forward<'a> {
        let (mode, isa, Prepared { folded, transformed }) = (Mode::Inference, isa(), prepared);
        let (segment, blocked, steps) = (None, None, Steps::new(steps));
        Forward { arena, mode, isa, segment, blocked, folded, transformed, crew, images, steps }
    }

    /// Inference with 16 channels side by side.
    pub(crate) fn blocked(
        arena: &'a mut [Lanes],
        scratch: &'a mut [Lanes],
        blocked: Blocked<'a>,
        steps: &'static [Step],
    ) -> Forward<'a> {
        let prepared = Prepared { folded: None, transformed: &[] };
        let forward =
            Forward::inference(arena, Crew::alone(scratch), prepared, blocked.images, steps);
        Forward { blocked: Some(blocked), ..forward }
    }

    /// The images, where 16 channels of each stand side by side: always in WebAssembly, so that the kernels
    /// of groups, and with them training, are not part of the download.
    #[inline(always)]
    pub(super) fn side_by_side(&self) -> Option<Blocked<'a>> {
        match self.blocked {
            None if ONLY_BLOCKED => only_blocked(),
            blocked => blocked,
        }
    }

    /// Whether a step runs in this segment, and no other does its work.
    pub(crate) fn runs(&self, step: &Step) -> bool {
        match (&self.segment, &self.blocked) {
            (Some(segment), _) => step.segment == segment.index,
            (None, Some(blocked)) => blocked.runs(step),
            (None, None) => !(step.folded || step.in_convolution),
        }
    }

    /// The activation that a step applies to its value.
    pub(crate) fn activation_of(&self, step: &Step) -> Activation {
        self.mode.buffers(step).activation
    }

    pub(crate) fn buffers(&mut self, step: &Step) -> (&[Lanes], &mut [Lanes]) {
        let buffers = self.mode.buffers(step);
        let [x, y] = apart(self.arena, [buffers.input, buffers.output]);
        (x, y)
    }

    /// The value that a step reads first, the one that it adds, and the one that it writes.
    pub(crate) fn operands(&mut self, step: &Step) -> (&[Lanes], Option<&[Lanes]>, &mut [Lanes]) {
        operands(self.arena, self.mode.buffers(step))
    }

    /// A layer of one value: `of_blocked` where 16 channels stand side by side, else `kernel`, which
    /// reads the first value and writes the second.
    pub(crate) fn of_one(
        &mut self,
        step: &Step,
        of_blocked: impl FnOnce(&Blocked<'_>, Isa, &mut [Lanes]),
        kernel: impl FnOnce(Isa, &mut Crew<'_>, &[Lanes], &mut [Lanes]),
    ) {
        if !self.runs(step) {
            return;
        }
        let isa = self.isa;
        if let Some(blocked) = self.side_by_side() {
            return of_blocked(&blocked, isa, self.arena);
        }
        let buffers = self.mode.buffers(step);
        let [x, y] = apart(self.arena, [buffers.input, buffers.output]);
        kernel(isa, &mut self.crew, x, y);
    }

    /// A layer's weight and bias: with the batch norm folded in, or its own.
    pub(crate) fn weights<'p>(
        &self,
        step: &Step,
        parameters: &'p impl LayerParameters,
    ) -> (&'p [f32], Option<&'p [f32]>)
    where
        'a: 'p,
    {
        match self.folded.and_then(|folded| folded.of(step.node)) {
            Some((weight, bias)) => (weight, Some(bias)),
            None => (parameters.weight(), parameters.bias()),
        }
    }

    /// One of the values that a step reads, and the one that it writes.
    pub(crate) fn of(&self, step: &Step, source: &Source) -> [Buffer; 2] {
        match self.mode {
            Mode::Training { .. } => [source.training, step.training.output],
            Mode::Inference => [source.inference, step.inference.output],
        }
    }

    /// `W x + b` with activation.
    pub fn linear(&mut self, step: &Step, parameters: &impl LayerParameters) {
        let step = self.at(step);
        if !self.runs(step) {
            return;
        }
        if let Some(blocked) = self.side_by_side() {
            return blocked.linear(self.isa, step, self.arena);
        }
        let (weight, bias) = self.weights(step, parameters);
        self.linear_with(step, weight, bias);
    }

    fn linear_with(&mut self, step: &Step, weight: &[f32], bias: Option<&[f32]>) {
        let (isa, f) = (self.isa, self.activation_of(step));
        // Not by the method, which borrows the crew too.
        let (x, other, y) = operands(self.arena, self.mode.buffers(step));
        linear::forward_by(isa, &mut self.crew, x, weight, bias, other, f, y);
    }

    /// An activation that is not fused into the layer before it.
    pub fn activation(&mut self, step: &Step) {
        let step = self.at(step);
        self.of_one(
            step,
            |blocked, isa, arena| blocked.activation(isa, step, arena),
            |isa, crew, x, y| by_channels::activate(isa, crew, own_activation(step), x, y),
        );
    }

    /// Zeroes some values while training; in inference input and output are one buffer, and nothing is done.
    pub fn dropout(&mut self, step: &Step) {
        let step = self.at(step);
        if !self.runs(step) {
            return;
        }
        let Op::Dropout { p } = step.op else { return wrong(step) };
        if !ONLY_BLOCKED && let Mode::Training { .. } = self.mode {
            let key = self.mode.dropout_key(step.node);
            let isa = self.isa;
            let (x, y) = self.buffers(step);
            match key {
                Some(key) => dropout::forward(isa, p, key, x, y),
                None => y.copy_from_slice(x),
            }
        }
    }

    /// Softmax over the channels.
    pub fn softmax(&mut self, step: &Step) {
        let step = self.at(step);
        self.of_one(
            step,
            |blocked, isa, arena| blocked.softmax(isa, step, arena),
            |isa, _, x, y| softmax::forward(isa, step.input.dim(0), x, y),
        );
    }

    /// The softmax's logarithm.
    pub fn log_softmax(&mut self, step: &Step) {
        let step = self.at(step);
        self.of_one(
            step,
            |blocked, isa, arena| blocked.softmax(isa, step, arena),
            |isa, _, x, y| softmax::log_forward(isa, step.input.dim(0), x, y),
        );
    }

    /// The value times a constant.
    pub fn scale(&mut self, step: &Step) {
        let step = self.at(step);
        let Op::Scale { factor } = step.op else { return wrong(step) };
        self.of_one(
            step,
            |blocked, isa, arena| blocked.scale(isa, step, factor, arena),
            |isa, _, x, y| elementwise::scale(isa, factor, x, y),
        );
    }
}

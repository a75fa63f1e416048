//! What is left over of full groups in a training step: it runs beside these with 16 channels side by side, and
//! meets them at each batch norm as a group does.

use typenet_kernels::Lanes;
use typenet_kernels::team::Team;

use super::StepMemory;
use crate::blocked_training::{BlockedMemory, Gradients, Statistics, StepPlace};
use crate::layout::Layout;
use crate::pass::Mode;
use crate::spec::StepCall;

/// The last images of a batch.
#[derive(Debug)]
pub(super) struct Rest<'a> {
    pub(super) memory: &'a BlockedMemory,
    pub(super) call: StepCall<'a>,
    pub(super) mode: Mode,
    pub(super) arena: &'a mut [Lanes],
    /// What a thread needs that runs it alone.
    pub(super) scratch: &'a mut Vec<Lanes>,
    /// Whether it is a task of one thread: so little work that to share it out costs more than it gains.
    pub(super) is_alone: bool,
}

/// The threads that share out the rest, and what each of them needs; `None` where one runs it alone.
pub(super) type Sharing<'a> = Option<(&'a Team, &'a mut Vec<Lanes>)>;

/// The rest as a task beside the groups, or else behind them, with what it works on.
pub(super) fn beside_or_behind<'r, 'a, T>(
    part: Option<(&'r mut Rest<'a>, T)>,
) -> [Option<(&'r mut Rest<'a>, T)>; 2] {
    match part {
        Some(part) if part.0.is_alone => [Some(part), None],
        part => [None, part],
    }
}

impl StepMemory {
    /// A pass over all images where none run in groups: over the outputs, or from their gradients.
    pub(super) fn without_groups(
        &mut self,
        call: StepCall<'_>,
        pass: impl FnOnce(&BlockedMemory, StepPlace<'_>, Statistics<'_>, &mut [f32], &[f32]) + Send,
    ) {
        let (mode, rows) = (self.mode(0), self.images * call.spec.layout.output_len);
        let Some(blocked) = self.blocked.as_deref() else { return };
        let (arena, rooms) = (&mut self.arena[..], &mut self.rooms);
        let statistics = Statistics { of_batch: &mut self.statistics, moved: &mut self.of_norms };
        let (outputs, gradients) = (&mut self.outputs[..rows], &self.output_gradient[..rows]);
        call.spec.gather(usize::MAX, |team| {
            let place = StepPlace { team, arena, rooms, mode };
            pass(blocked, place, statistics, outputs, gradients);
        });
    }
}

impl Rest<'_> {
    /// A segment of the forward pass; see [`BlockedMemory::forward_segment`].
    pub(super) fn forward(
        &mut self,
        sharing: Sharing<'_>,
        index: usize,
        statistics: &[f32],
        gathered: Option<&mut [f32]>,
    ) {
        let (memory, call) = (self.memory, self.call);
        self.run(sharing, |place| {
            memory.forward_segment(index, call, place, statistics, gathered);
        });
    }

    /// A segment of the backward pass; see [`BlockedMemory::backward_segment`].
    pub(super) fn backward(
        &mut self,
        sharing: Sharing<'_>,
        index: usize,
        known: [&[f32]; 2],
        gathered: &mut [f32],
        gradients: Gradients<'_>,
    ) {
        let (memory, call) = (self.memory, self.call);
        self.run(sharing, |place| {
            memory.backward_segment(index, call, place, known, gathered, gradients);
        });
    }

    fn run(&mut self, sharing: Sharing<'_>, pass: impl FnOnce(StepPlace<'_>)) {
        let (arena, mode) = (&mut *self.arena, self.mode);
        match sharing {
            Some((team, rooms)) => pass(StepPlace { team, arena, rooms, mode }),
            None => {
                let (team, rooms) = (&Team::alone(), &mut *self.scratch);
                pass(StepPlace { team, arena, rooms, mode });
            }
        }
    }

    /// Writes the outputs that a forward pass has left.
    pub(super) fn leave_outputs(&self, layout: &Layout, outputs: &mut [f32]) {
        self.memory.leave_outputs(layout, self.arena, outputs);
    }

    /// Takes the gradients of the outputs, with which a backward pass begins.
    pub(super) fn take_gradients(&mut self, layout: &Layout, rows: &[f32]) {
        self.memory.take_gradients(layout, rows, self.arena);
    }
}

//! What a workspace keeps for this layout.

use typenet_kernels::team::Team;
use typenet_kernels::{LANES, Lanes, blocked, isa};
use typenet_shape::Shape;

use super::call::{BlockedTrainingPlan, From, Segment};
use super::gradients::{Gradients, Statistics};
use super::rooms;
use super::run::Run;
use crate::arena::{at_least, bytes_of};
use crate::layout::Layout;
use crate::pass::Mode;
use crate::spec::{NetSpec, StepCall};

/// So many plans are kept: a training set ends with a smaller batch, and so does a validation set.
const PLANS: usize = 4;

/// The plans of training steps and a copy of the inputs, which the backward pass reads.
#[derive(Debug, Default)]
pub(crate) struct BlockedMemory {
    /// One for each number of images, the last one used at the end.
    plans: Vec<BlockedTrainingPlan>,
    inputs: Vec<f32>,
}

/// Where a step in this layout runs.
#[derive(Debug)]
pub(crate) struct StepPlace<'a> {
    pub(crate) team: &'a Team,
    pub(crate) arena: &'a mut [Lanes],
    /// What each thread needs while a step runs.
    pub(crate) rooms: &'a mut Vec<Lanes>,
    pub(crate) mode: Mode,
}

impl BlockedMemory {
    /// Bytes of a step of so many images on so many threads, but for what every layout needs.
    pub(crate) fn bytes(spec: &NetSpec, images: usize, threads: usize) -> u64 {
        let plan = BlockedTrainingPlan::new(spec, images);
        let lanes = plan.arena_len + threads * rooms::scratch_len(&plan);
        bytes_of::<Lanes>(lanes) + bytes_of::<f32>(images * spec.layout.input_len)
    }

    /// Makes a plan for so many images; nothing of the net may be [missing](BlockedTrainingPlan::missing).
    /// Returns how many [`Lanes`] of the arena it needs.
    pub(crate) fn grow(&mut self, spec: &NetSpec, images: usize) -> usize {
        match self.plans.iter().position(|plan| plan.images == images) {
            Some(at) => self.plans[at..].rotate_left(1),
            None => {
                if self.plans.len() == PLANS {
                    self.plans.remove(0);
                }
                self.plans.push(BlockedTrainingPlan::new(spec, images));
            }
        }
        at_least(&mut self.inputs, images * spec.layout.input_len, 0.0);
        self.plans.last().map_or(0, |plan| plan.arena_len)
    }

    /// The outputs of these images, whose inputs it [keeps](Self::keep).
    pub(crate) fn forward(
        &self,
        call: StepCall<'_>,
        place: StepPlace<'_>,
        mut statistics: Statistics<'_>,
        outputs: &mut [f32],
    ) {
        let Some(plan) = self.plans.last() else { return };
        let mut run = self.run(plan, call, place);
        for index in 0..=plan.norms.len() {
            let Segment { first, calls, .. } = plan.segment(index);
            if let Some((norm, step)) = first {
                run.batch_norm(norm, step, &mut statistics);
            }
            calls.iter().for_each(|call| run.forward(call));
        }
        self.leave_outputs(call.spec.layout, run.arena, outputs);
    }

    /// From the outputs' gradients, rows, to the parameters'.
    pub(crate) fn backward(
        &self,
        call: StepCall<'_>,
        place: StepPlace<'_>,
        mut statistics: Statistics<'_>,
        rows: &[f32],
        mut gradients: Gradients<'_>,
    ) {
        let Some(plan) = self.plans.last() else { return };
        self.take_gradients(call.spec.layout, rows, place.arena);
        let mut run = self.run(plan, call, place);
        for index in (0..=plan.norms.len()).rev() {
            let Segment { first, calls, .. } = plan.segment(index);
            calls.iter().rev().for_each(|call| run.backward(call, &mut gradients));
            if let Some((norm, step)) = first {
                run.batch_norm_backward(norm, step, &mut statistics, &mut gradients);
            }
        }
    }

    /// Keeps the inputs of a step.
    pub(crate) fn keep(&mut self, inputs: &[f32]) {
        self.inputs[..inputs.len()].copy_from_slice(inputs);
    }

    /// Runs the calls of a segment, which ends at the batch norm of its index, and gathers for this what a
    /// group does, where it is `gathered`. `statistics` are those of the batch, so far.
    pub(crate) fn forward_segment(
        &self,
        index: usize,
        call: StepCall<'_>,
        place: StepPlace<'_>,
        statistics: &[f32],
        gathered: Option<&mut [f32]>,
    ) {
        let Some(plan) = self.plans.last() else { return };
        let mut run = self.run(plan, call, place);
        let Segment { first, calls, next } = plan.segment(index);
        if let Some((norm, step)) = first {
            run.batch_norm_apply(norm, step, statistics);
        }
        calls.iter().for_each(|call| run.forward(call));
        if let (Some((norm, _)), Some(gathered)) = (next, gathered) {
            run.batch_norm_gather(norm, gathered);
        }
    }

    /// Runs the calls of a segment in reverse, and gathers what a group does for the gradients of the batch norm
    /// with which it begins, forward. `means` are those of the gradients, so far.
    pub(crate) fn backward_segment(
        &self,
        index: usize,
        call: StepCall<'_>,
        place: StepPlace<'_>,
        [statistics, means]: [&[f32]; 2],
        gathered: &mut [f32],
        mut gradients: Gradients<'_>,
    ) {
        let Some(plan) = self.plans.last() else { return };
        let mut run = self.run(plan, call, place);
        let Segment { first, calls, next } = plan.segment(index);
        if let Some((norm, step)) = next {
            run.batch_norm_apply_backward(norm, step, statistics, means);
        }
        calls.iter().rev().for_each(|call| run.backward(call, &mut gradients));
        if let Some((norm, step)) = first {
            run.batch_norm_gather_backward(norm, step, statistics, gathered);
        }
    }

    fn run<'a>(
        &'a self,
        plan: &BlockedTrainingPlan,
        call: StepCall<'a>,
        place: StepPlace<'a>,
    ) -> Run<'a> {
        let StepCall { spec, trained, parameters } = call;
        let StepPlace { team, arena, rooms, mode } = place;
        let (isa, images, layout, inputs) = (isa(), plan.images, spec.layout, &self.inputs[..]);
        Run { isa, team, images, layout, trained, parameters, inputs, arena, rooms, mode }
    }

    /// Writes the outputs that a forward pass has left in the arena.
    pub(crate) fn leave_outputs(&self, layout: &Layout, arena: &[Lanes], outputs: &mut [f32]) {
        let Some(plan) = self.plans.last() else { return };
        for (own, output) in plan.outputs.iter().zip(layout.outputs) {
            for (image, row) in outputs.chunks_exact_mut(layout.output_len).enumerate() {
                let row = &mut row[output.row.offset..output.row.end()];
                match own.from {
                    From::Image(start) => {
                        let start = image * layout.input_len + start;
                        row.copy_from_slice(&self.inputs[start..start + row.len()]);
                    }
                    From::Value(value) => {
                        let start = value.offset + image * value.len();
                        let from = &arena[start..start + value.len()];
                        blocked::to_planar(from, value.shape.dim(0), row);
                    }
                }
            }
        }
    }

    /// Takes the gradients of the outputs, with which a backward pass begins, into the arena.
    pub(crate) fn take_gradients(&self, layout: &Layout, rows: &[f32], arena: &mut [Lanes]) {
        let Some(plan) = self.plans.last() else { return };
        for (own, output) in plan.outputs.iter().zip(layout.outputs) {
            let From::Value(value) = own.from else { continue };
            let Some(gradient) = value.gradient(plan.images) else { continue };
            let to = arena[gradient].chunks_exact_mut(value.len());
            for (row, to) in rows.chunks_exact(layout.output_len).zip(to) {
                write(&row[output.row.offset..output.row.end()], value.shape, own.adds, to);
            }
        }
    }
}

/// An output's gradient in blocks of channels.
fn write(row: &[f32], shape: Shape, adds: bool, to: &mut [Lanes]) {
    if !adds {
        return blocked::from_planar(row, shape.dim(0), to);
    }
    let area = row.len() / shape.dim(0);
    for (at, number) in row.iter().enumerate() {
        let (channel, pixel) = (at / area, at % area);
        to[channel / LANES * area + pixel].0[channel % LANES] += number;
    }
}

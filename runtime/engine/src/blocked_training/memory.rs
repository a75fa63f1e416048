//! What a workspace keeps for this layout.

use typenet_kernels::{LANES, Lanes, blocked, isa};
use typenet_shape::Shape;

use super::call::{BlockedTrainingPlan, From};
use super::gradients::{Gradients, Statistics};
use super::rooms;
use super::run::Run;
use crate::arena::{at_least, bytes_of};
use crate::pass::Mode;
use crate::spec::NetSpec;
use crate::trainable::Trainable;

/// So many plans are kept: a training set ends with a smaller batch, and so does a validation set.
const PLANS: usize = 4;

/// The plans of training steps and a copy of the inputs, which the backward pass reads.
#[derive(Debug, Default)]
pub(crate) struct BlockedMemory {
    /// One for each number of images, the last one used at the end.
    plans: Vec<BlockedTrainingPlan>,
    inputs: Vec<f32>,
}

/// What a step of either layout works with.
#[derive(Debug)]
pub(crate) struct StepBuffers<'a> {
    pub(crate) arena: &'a mut Vec<Lanes>,
    /// What each thread needs while a step runs.
    pub(crate) rooms: &'a mut Vec<Lanes>,
    /// Mean and `1 / √(variance + eps)` of each batch norm.
    pub(crate) statistics: &'a mut [f32],
    /// The running statistics that a forward pass leaves; the means of the gradients in a backward pass.
    pub(crate) of_norms: &'a mut [f32],
    pub(crate) mode: Mode,
}

impl BlockedMemory {
    /// Bytes of a step of so many images on so many threads, but for what every layout needs.
    pub(crate) fn bytes(spec: &NetSpec, images: usize, threads: usize) -> u64 {
        let plan = BlockedTrainingPlan::new(spec, images);
        let lanes = plan.arena_len + threads * rooms::scratch_len(&plan);
        bytes_of::<Lanes>(lanes) + bytes_of::<f32>(images * spec.layout.input_len)
    }

    /// Makes a plan for so many images, and room for it; nothing of the net may be
    /// [missing](BlockedTrainingPlan::missing).
    pub(crate) fn grow(&mut self, spec: &NetSpec, images: usize, arena: &mut Vec<Lanes>) {
        match self.plans.iter().position(|plan| plan.images == images) {
            Some(at) => self.plans[at..].rotate_left(1),
            None => {
                if self.plans.len() == PLANS {
                    self.plans.remove(0);
                }
                self.plans.push(BlockedTrainingPlan::new(spec, images));
            }
        }
        let len = self.plans.last().map_or(0, |plan| plan.arena_len);
        at_least(arena, len, Lanes::ZERO);
        at_least(&mut self.inputs, images * spec.layout.input_len, 0.0);
    }

    /// The outputs of these images.
    pub(crate) fn forward(
        &mut self,
        spec: &NetSpec,
        trained: &Trainable,
        parameters: &[f32],
        inputs: &[f32],
        buffers: StepBuffers<'_>,
        outputs: &mut [f32],
    ) {
        let layout = spec.layout;
        let Some(plan) = self.plans.last() else { return };
        let images = plan.images;
        let kept = &mut self.inputs[..inputs.len()];
        kept.copy_from_slice(inputs);
        let StepBuffers { arena, rooms, statistics, of_norms, mode } = buffers;
        spec.gather(usize::MAX, |team| {
            let mut run = Run {
                isa: isa(),
                team,
                images,
                layout,
                trained,
                parameters,
                inputs: kept,
                arena: &mut arena[..],
                rooms,
                mode,
            };
            let mut statistics = Statistics { of_batch: statistics, moved: of_norms };
            for call in &plan.calls {
                run.forward(call, &mut statistics);
            }
            for (own, output) in plan.outputs.iter().zip(layout.outputs) {
                for (image, row) in outputs.chunks_exact_mut(layout.output_len).enumerate() {
                    let row = &mut row[output.row.offset..output.row.end()];
                    match own.from {
                        From::Image(start) => {
                            let start = image * layout.input_len + start;
                            row.copy_from_slice(&run.inputs[start..start + row.len()]);
                        }
                        From::Value(value) => {
                            let start = value.offset + image * value.len();
                            let from = &run.arena[start..start + value.len()];
                            blocked::to_planar(from, value.shape.dim(0), row);
                        }
                    }
                }
            }
        });
    }

    /// From the outputs' gradients to the parameters'.
    pub(crate) fn backward(
        &self,
        spec: &NetSpec,
        trained: &Trainable,
        parameters: &[f32],
        rows: &[f32],
        buffers: StepBuffers<'_>,
        (gradients, accumulate): (&mut [f32], bool),
    ) {
        let layout = spec.layout;
        let Some(plan) = self.plans.last() else { return };
        let images = plan.images;
        let StepBuffers { arena, rooms, statistics, of_norms, mode } = buffers;
        for (own, output) in plan.outputs.iter().zip(layout.outputs) {
            let From::Value(value) = own.from else { continue };
            let Some(gradient) = value.gradient(images) else { continue };
            let to = arena[gradient].chunks_exact_mut(value.len());
            for (row, to) in rows.chunks_exact(layout.output_len).zip(to) {
                write(&row[output.row.offset..output.row.end()], value.shape, own.adds, to);
            }
        }
        spec.gather(usize::MAX, |team| {
            let mut run = Run {
                isa: isa(),
                team,
                images,
                layout,
                trained,
                parameters,
                inputs: &self.inputs,
                arena: &mut arena[..],
                rooms,
                mode,
            };
            let mut statistics = Statistics { of_batch: statistics, moved: of_norms };
            let mut gradients = Gradients { all: gradients, accumulate };
            for call in plan.calls.iter().rev() {
                run.backward(call, &mut statistics, &mut gradients);
            }
        });
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

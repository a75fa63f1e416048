//! What a workspace keeps for this layout.

use typenet_kernels::team::Team;
use typenet_kernels::{LANES, Lanes, blocked, isa};
use typenet_shape::Shape;

use super::backward::Gradients;
use super::norms::Statistics;
use super::plan::{BlockedTrainingPlan, From};
use super::run::Run;
use crate::arena::at_least;
use crate::pass::Mode;
use crate::spec::NetSpec;
use crate::trainable::Trainable;

/// The plan of a training step and a copy of its inputs, which the backward pass reads.
#[derive(Debug)]
pub(crate) struct BlockedMemory {
    plan: BlockedTrainingPlan,
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
    /// For up to so many images of a net of which nothing is
    /// [missing](BlockedTrainingPlan::missing).
    pub(crate) fn new(spec: &NetSpec, images: usize) -> BlockedMemory {
        BlockedMemory { plan: BlockedTrainingPlan::new(spec, images), inputs: Vec::new() }
    }

    /// How many images there is room for.
    pub(crate) fn images(&self) -> usize {
        self.plan.images
    }

    /// Bytes of the arena and the copy of the inputs.
    pub(crate) fn bytes(&self, spec: &NetSpec) -> usize {
        self.plan.bytes() + self.plan.images * spec.layout.input_len * size_of::<f32>()
    }

    /// Makes room in the memory of a step.
    pub(crate) fn grow(&mut self, spec: &NetSpec, arena: &mut Vec<Lanes>) {
        at_least(arena, self.plan.arena_len, Lanes::ZERO);
        at_least(&mut self.inputs, self.plan.images * spec.layout.input_len, 0.0);
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
        let images = inputs.len() / layout.input_len;
        let own = &mut self.inputs[..inputs.len()];
        own.copy_from_slice(inputs);
        let StepBuffers { arena, rooms, statistics, of_norms, mode } = buffers;
        Team::gather(usize::MAX, |team| {
            let mut run = Run {
                isa: isa(),
                team,
                images,
                layout,
                trained,
                parameters,
                inputs: own,
                arena: &mut arena[..],
                rooms,
                mode,
            };
            let mut statistics = Statistics { of_batch: statistics, moved: of_norms };
            for call in &self.plan.calls {
                run.forward(call, &mut statistics);
            }
            for (from, output) in self.plan.outputs.iter().zip(layout.outputs) {
                for (image, row) in outputs.chunks_exact_mut(layout.output_len).enumerate() {
                    let row = &mut row[output.row.offset..output.row.end()];
                    match *from {
                        From::Image(start, _) => {
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
        let images = rows.len() / layout.output_len;
        let StepBuffers { arena, rooms, statistics, of_norms, mode } = buffers;
        for (from, output) in self.plan.outputs.iter().zip(layout.outputs) {
            let From::Value(value) = *from else { continue };
            let Some(gradient) = value.gradient(images) else { continue };
            let to = arena[gradient].chunks_exact_mut(value.len());
            for (row, to) in rows.chunks_exact(layout.output_len).zip(to) {
                write(&row[output.row.offset..output.row.end()], value.shape, output.adds, to);
            }
        }
        Team::gather(usize::MAX, |team| {
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
            for call in self.plan.calls.iter().rev() {
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

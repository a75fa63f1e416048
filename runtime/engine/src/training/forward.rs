//! The forward pass of a training step.

use typenet_kernels::batch_norm::{self, Running};
use typenet_kernels::team::{chunks, chunks_mut};
use typenet_kernels::{LANES, pack, unpack_part};
use typenet_shape::{Conv2dPass, TensorKind};

use super::StepMemory;
use super::sums::gathered;
use crate::arena::rooms;
use crate::pass::{Forward, Mode, Segment};
use crate::spec::NetSpec;
use crate::trainable::{self, Trainable};
use crate::weights::transform;

impl StepMemory {
    /// Each group of images through `group`, in training mode; the groups run in parallel, and meet at
    /// each batch norm.
    pub fn forward(
        &mut self,
        spec: &NetSpec,
        trained: &Trainable,
        parameters: &[f32],
        inputs: &[f32],
        group: &(dyn Fn(&mut Forward<'_>) + Sync),
    ) {
        let layout = spec.layout;
        self.images = inputs.len() / layout.input_len;
        self.grow(spec, self.images);
        self.passes += 1;
        if let (true, Some(mut blocked)) = (self.is_blocked, self.blocked.take()) {
            let (mut outputs, len) =
                (std::mem::take(&mut self.outputs), self.images * layout.output_len);
            let buffers = self.buffers();
            blocked.forward(spec, trained, parameters, inputs, buffers, &mut outputs[..len]);
            (self.outputs, self.blocked) = (outputs, Some(blocked));
            return;
        }
        let (seed, pass, dropout) = (self.seed, self.passes, self.dropout);
        let (images, last, needs) = (self.images, layout.norms.len(), trained.nodes());
        let outputs = &mut self.outputs[..images * layout.output_len];
        let (arena, all_gathered) = (&mut self.arena, &mut self.gathered);
        let (statistics, moved) = (&mut self.statistics, &mut self.of_norms);
        let (transformed, all_rooms) = (&mut self.transformed[0], &mut self.rooms);
        spec.gather(self.threads, |team| {
            transform(team, layout, Conv2dPass::Forward, parameters, None, transformed);
            let transformed = transformed.as_slice();
            for index in 0..=last {
                let norm = layout.norms.get(index);
                let (gathered, each) = gathered(norm, images, all_gathered);
                let current = statistics.as_slice();
                let parts = (
                    chunks_mut(arena, layout.training_len),
                    chunks(inputs, LANES * layout.input_len),
                    chunks_mut(outputs, LANES * layout.output_len),
                    chunks_mut(gathered, each),
                );
                let mut rooms = rooms(all_rooms, team, layout.scratch_len[0]);
                team.for_each_crew(&mut rooms, parts, |crew, number, part| {
                    let (arena, inputs, outputs, gathered) = part;
                    if index == 0 {
                        let buffer = layout.training_input;
                        pack(inputs, &mut arena[buffer.offset..buffer.end()]);
                    }
                    let mode = Mode::Training { seed, pass, group: number, dropout };
                    let images = inputs.len() / layout.input_len;
                    let segment =
                        Segment { index, images, needs, gathered, statistics: current, means: &[] };
                    let steps = layout.steps;
                    let mut run = Forward::training(arena, crew, transformed, mode, segment, steps);
                    group(&mut run);
                    if index == last {
                        for output in layout.outputs {
                            let value = &arena[output.training.offset..output.training.end()];
                            unpack_part(value, outputs, layout.output_len, output.row.offset);
                        }
                    }
                });
                if let Some(norm) = norm {
                    let own = norm.statistics.offset..norm.statistics.end();
                    let (mean, rstd) = statistics[own.clone()].split_at_mut(norm.channels);
                    if trained.of(norm.node).fixed {
                        trainable::running(layout, norm, parameters, mean, rstd);
                        continue;
                    }
                    let old = |kind| &parameters[layout.place(norm.node, kind)];
                    let (running_mean, variance) = moved[own].split_at_mut(norm.channels);
                    running_mean.copy_from_slice(old(TensorKind::RunningMean));
                    variance.copy_from_slice(old(TensorKind::RunningVar));
                    let running = Running { mean: running_mean, variance, momentum: norm.momentum };
                    let (pixels, eps) = (norm.pixels, norm.eps);
                    batch_norm::merge(images, pixels, gathered, eps, mean, rstd, Some(running));
                }
            }
        });
    }
}

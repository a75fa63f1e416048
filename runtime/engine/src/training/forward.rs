//! The forward pass of a training step.

use typenet_kernels::team::{OneOr, chunks, chunks_mut, one_and};
use typenet_kernels::{LANES, batch_norm, pack, unpack_part};
use typenet_shape::Conv2dPass;

use super::StepMemory;
use super::rest::{Rest, beside_or_behind};
use super::sums::gathered;
use crate::arena::rooms;
use crate::pass::{Forward, Segment};
use crate::spec::{NetSpec, StepCall};
use crate::trainable::{self, Trainable};
use crate::weights::transform;

impl StepMemory {
    /// The outputs of these images, in training mode: groups of 16 through `group`, in parallel, and images with 16
    /// channels side by side. All meet at each batch norm.
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
        if self.images == 0 {
            return;
        }
        let call = StepCall { spec, trained, parameters };
        let in_groups = self.images - self.blocked_images;
        let mode = self.mode(in_groups);
        let (inputs, last_inputs) = inputs.split_at(in_groups * layout.input_len);
        if let Some(blocked) = &mut self.blocked {
            blocked.keep(last_inputs);
        }
        if in_groups == 0 {
            return self.without_groups(call, |blocked, place, statistics, outputs, _| {
                blocked.forward(call, place, statistics, outputs);
            });
        }
        let blocked = self.blocked.as_deref().filter(|_| self.blocked_images > 0);
        let outputs = &mut self.outputs[..self.images * layout.output_len];
        let (outputs, rest_outputs) = outputs.split_at_mut(in_groups * layout.output_len);
        let groups = in_groups.div_ceil(LANES);
        let (arena, rest_arena) = self.arena.split_at_mut(groups * layout.training_len);
        let (scratch, is_alone) = (&mut self.rest_room, self.is_rest_alone);
        let mut rest =
            blocked.map(|memory| Rest { memory, call, mode, arena: rest_arena, scratch, is_alone });
        let (images, last) = (self.images, layout.norms.len());
        let all_gathered = &mut self.gathered;
        let (statistics, moved) = (&mut self.statistics, &mut self.of_norms);
        let (transformed, all_rooms) = (&mut self.transformed[0], &mut self.rooms);
        spec.gather(self.threads, |team| {
            transform(team, layout, Conv2dPass::Forward, parameters, None, transformed);
            let transformed = transformed.as_slice();
            for index in 0..=last {
                let norm = layout.norms.get(index);
                let (gathered, each) = gathered(norm, images, all_gathered);
                let current = statistics.as_slice();
                let (of_groups, of_rest) = gathered.split_at_mut(groups * each);
                let gathers = norm.is_some_and(|norm| !trained.of(norm.node).fixed);
                let rest_part = rest.as_mut().map(|rest| (rest, gathers.then_some(of_rest)));
                let [beside, behind] = beside_or_behind(rest_part);
                let parts = (
                    chunks_mut(&mut *arena, layout.training_len),
                    chunks(inputs, LANES * layout.input_len),
                    chunks_mut(&mut *outputs, LANES * layout.output_len),
                    chunks_mut(of_groups, each),
                );
                let parts = one_and(beside, parts);
                let mut rooms = rooms(all_rooms, team, layout.scratch_len[0]);
                team.for_each_crew(&mut rooms, parts, |crew, _, part| {
                    let (number, (arena, inputs, outputs, gathered)) = match part {
                        OneOr::Part(number, part) => (number, part),
                        OneOr::One((rest, gathered)) => {
                            return rest.forward(None, index, current, gathered);
                        }
                    };
                    if index == 0 {
                        let buffer = layout.training_input;
                        pack(inputs, &mut arena[buffer.offset..buffer.end()]);
                    }
                    let mode = mode.of_group(number);
                    let images = inputs.len() / layout.input_len;
                    let segment =
                        Segment { index, images, call, gathered, statistics: current, means: &[] };
                    let mut run = Forward::training(arena, crew, transformed, mode, segment);
                    group(&mut run);
                    if index == last {
                        for output in layout.outputs {
                            let value = &arena[output.training.offset..output.training.end()];
                            unpack_part(value, outputs, layout.output_len, output.row.offset);
                        }
                    }
                });
                if let Some((rest, gathered)) = behind {
                    rest.forward(Some((team, &mut *all_rooms)), index, current, gathered);
                }
                if let Some(norm) = norm {
                    let own = norm.statistics.offset..norm.statistics.end();
                    let (mean, rstd) = statistics[own.clone()].split_at_mut(norm.channels);
                    if trained.of(norm.node).fixed {
                        trainable::running(layout, norm, parameters, mean, rstd);
                        continue;
                    }
                    let running = trainable::moving(layout, norm, parameters, &mut moved[own]);
                    let (pixels, eps) = (norm.pixels, norm.eps);
                    batch_norm::merge(images, pixels, gathered, eps, mean, rstd, Some(running));
                }
            }
        });
        if let Some(rest) = rest {
            rest.leave_outputs(layout, rest_outputs);
        }
    }
}

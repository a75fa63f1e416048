//! The backward pass of a training step.

use typenet_kernels::team::{chunks_mut, equal_mut};
use typenet_kernels::{LANES, batch_norm, pack_part};
use typenet_shape::{Conv2dPass, TensorKind};

use super::StepMemory;
use super::sizes::slots;
use super::sums::{PIECE, add_at_end, add_transformed, gathered};
use crate::arena::rooms;
use crate::pass::{Backward, Mode, Room, Segment};
use crate::spec::NetSpec;
use crate::trainable::{Needs, Trainable};
use crate::weights::transform;

impl StepMemory {
    /// The groups of the last forward in reverse; each slot of groups has partial gradients of its
    /// own, and they are added up in the slots' order, so that the sum does not depend on threads.
    pub fn backward(
        &mut self,
        spec: &NetSpec,
        trained: &Trainable,
        parameters: &[f32],
        gradients: &mut [f32],
        accumulate: bool,
        group: &(dyn Fn(&mut [f32], &mut Backward<'_>) + Sync),
    ) {
        let (layout, images) = (spec.layout, self.images);
        if !accumulate && self.summed != trained.ranges() {
            // What is no longer trained has no gradient.
            for range in self.summed.drain(..) {
                gradients[range].fill(0.0);
            }
            self.summed.extend_from_slice(trained.ranges());
        }
        if let (true, Some(blocked)) = (self.is_blocked, self.blocked.take()) {
            let rows = std::mem::take(&mut self.output_gradient);
            let own = &rows[..images * layout.output_len];
            let buffers = self.buffers();
            blocked.backward(spec, trained, parameters, own, buffers, (gradients, accumulate));
            (self.output_gradient, self.blocked) = (rows, Some(blocked));
            return;
        }
        let groups = images.div_ceil(LANES);
        let ((slots, groups_a_slot), threads) = (slots(layout, groups), self.threads);
        let (seed, pass, dropout) = (self.seed, self.passes, self.dropout);
        let rows = &self.output_gradient[..images * layout.output_len];
        let partials = &mut self.partials[..slots * layout.parameters];
        let (last, needs) = (layout.norms.len(), trained.nodes());
        let (arena, all_gathered) = (&mut self.arena, &mut self.gathered);
        let (statistics, means) = (self.statistics.as_slice(), &mut self.of_norms);
        let arena = &mut arena[..groups * layout.training_len];
        let a_slot = groups_a_slot.max(1);
        let (transformed, all_rooms) = (&mut self.transformed[1], &mut self.rooms);
        let sums_len = layout.transformed_len(Conv2dPass::BackwardWeight);
        let sums = &mut self.sums[..slots * sums_len];
        spec.gather(threads, |team| {
            transform(team, layout, Conv2dPass::BackwardData, parameters, None, transformed);
            let transformed = transformed.as_slice();
            for index in (0..=last).rev() {
                // The norm with which this segment begins, forward.
                let norm = index.checked_sub(1).map(|before| &layout.norms[before]);
                let norm = norm.filter(|norm| norm.trained && trained.of(norm.node).value);
                let (gathered, each) = gathered(norm, images, all_gathered);
                let current = means.as_slice();
                let parts = (
                    chunks_mut(arena, a_slot * layout.training_len),
                    (chunks_mut(partials, layout.parameters.max(1)), equal_mut(sums, slots)),
                    chunks_mut(gathered, a_slot * each),
                );
                let mut rooms = rooms(all_rooms, team, layout.scratch_len[0]);
                team.for_each_crew(&mut rooms, parts, |mut crew, slot, part| {
                    let (arenas, (partial, sums), gathered) = part;
                    if index == last {
                        for range in trained.of_groups() {
                            partial[range.clone()].fill(0.0);
                        }
                    }
                    let arenas = arenas.chunks_exact_mut(layout.training_len);
                    for (i, (arena, gathered)) in
                        arenas.zip(gathered.chunks_exact_mut(each)).enumerate()
                    {
                        let number = slot * groups_a_slot + i;
                        let end = images.min((number + 1) * LANES);
                        if index == last {
                            let len = layout.output_len;
                            let rows = &rows[number * LANES * len..end * len];
                            for output in layout.outputs {
                                let Some(buffer) = output.gradient else { continue };
                                let lanes = &mut arena[buffer.offset..buffer.end()];
                                pack_part(rows, len, output.row.offset, output.adds, lanes);
                            }
                        }
                        let mode = Mode::Training { seed, pass, group: number, dropout };
                        let images = end - number * LANES;
                        let segment =
                            Segment { index, images, needs, gathered, statistics, means: current };
                        let (sums, crew) = (&mut *sums, crew.reborrow());
                        let room = Room { transformed, adds: i > 0, sums, crew };
                        let mut run = Backward::new(arena, mode, segment, room, layout.steps);
                        group(partial, &mut run);
                    }
                });
                if let Some(norm) = norm {
                    let [weight, bias] = [TensorKind::Weight, TensorKind::Bias]
                        .map(|kind| layout.place(norm.node, kind));
                    let Ok([dw, db]) = partials.get_disjoint_mut([weight, bias]) else { continue };
                    let Needs { own, fixed, .. } = trained.of(norm.node);
                    let [dw, db] =
                        [dw, db].map(|gradient| (own && !gradient.is_empty()).then_some(gradient));
                    let means = &mut means[norm.statistics.offset..norm.statistics.end()];
                    batch_norm::merge_backward(images, norm.pixels, gathered, dw, db, means);
                    if fixed {
                        // Statistics that do not depend on the batch have no part in its gradient.
                        means.fill(0.0);
                    }
                }
            }
            add_transformed(team, layout, trained, partials, sums, slots);
            for range in trained.of_groups() {
                let sums = &mut gradients[range.clone()];
                team.for_each(chunks_mut(sums, PIECE), |piece, sums| {
                    if !accumulate {
                        sums.fill(0.0);
                    }
                    for slot in 0..slots {
                        let start = slot * layout.parameters + range.start + piece * PIECE;
                        for (sum, part) in sums.iter_mut().zip(&partials[start..]) {
                            *sum += part;
                        }
                    }
                });
            }
            // Behind those, which may have written zeros here.
            add_at_end(team, layout, trained, arena, accumulate, gradients);
        });
    }
}

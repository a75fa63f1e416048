//! The backward pass of a training step.

use typenet_kernels::team::{OneOr, chunks_mut, equal_mut, one_and};
use typenet_kernels::{LANES, batch_norm, pack_part};
use typenet_shape::{Conv2dPass, TensorKind};

use super::StepMemory;
use super::rest::{Rest, beside_or_behind};
use super::sizes::slots;
use super::sums::{PIECE, add_at_end, add_transformed, gathered};
use crate::arena::rooms;
use crate::blocked_training::Gradients;
use crate::layout::Layout;
use crate::pass::{Backward, Room, Segment};
use crate::spec::{NetSpec, StepCall};
use crate::trainable::{Needs, Trainable};
use crate::weights::transform;

impl StepMemory {
    /// The layers of the last forward pass in reverse, down to the gradients of the parameters.
    ///
    /// Each slot of groups has partial gradients of its own. They are added up in the slots' order, after what the
    /// images with 16 channels side by side have left, so that the sum does not depend on threads.
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
        self.clear_untrained(layout, trained, gradients, accumulate);
        if images == 0 {
            // The gradient of no images.
            let all = if accumulate { &[] } else { trained.ranges() };
            all.iter().for_each(|range| gradients[range.clone()].fill(0.0));
            return;
        }
        let call = StepCall { spec, trained, parameters };
        let in_groups = images - self.blocked_images;
        let mode = self.mode(in_groups);
        if in_groups == 0 {
            return self.without_groups(call, |blocked, place, statistics, _, rows| {
                let gradients = Gradients { all: gradients, accumulate };
                blocked.backward(call, place, statistics, rows, gradients);
            });
        }
        let rows = &self.output_gradient[..images * layout.output_len];
        let blocked = self.blocked.as_deref().filter(|_| self.blocked_images > 0);
        let groups = in_groups.div_ceil(LANES);
        let (arena, rest_arena) = self.arena.split_at_mut(groups * layout.training_len);
        let (scratch, is_alone) = (&mut self.rest_room, self.is_rest_alone);
        let mut rest =
            blocked.map(|memory| Rest { memory, call, mode, arena: rest_arena, scratch, is_alone });
        let ((slots, groups_a_slot), threads) = (slots(layout, groups), self.threads);
        let partials = &mut self.partials[..slots * layout.parameters];
        let last = layout.norms.len();
        let all_gathered = &mut self.gathered;
        let (statistics, means) = (self.statistics.as_slice(), &mut self.of_norms);
        let a_slot = groups_a_slot.max(1);
        let (transformed, all_rooms) = (&mut self.transformed[1], &mut self.rooms);
        let sums_len = layout.transformed_len(Conv2dPass::BackwardWeight);
        let sums = &mut self.sums[..slots * sums_len];
        if let Some(rest) = &mut rest {
            rest.take_gradients(layout, &rows[in_groups * layout.output_len..]);
            if !accumulate {
                // The rest overwrites the gradients of all other layers; those of norms come from where all meet.
                for norm in layout.norms {
                    for kind in [TensorKind::Weight, TensorKind::Bias] {
                        gradients[layout.place(norm.node, kind)].fill(0.0);
                    }
                }
            }
        }
        spec.gather(threads, |team| {
            transform(team, layout, Conv2dPass::BackwardData, parameters, None, transformed);
            let transformed = transformed.as_slice();
            for index in (0..=last).rev() {
                // The norm with which this segment begins, forward.
                let norm = index.checked_sub(1).map(|before| &layout.norms[before]);
                let norm = norm.filter(|norm| norm.trained && trained.of(norm.node).value);
                let (gathered, each) = gathered(norm, images, all_gathered);
                let current = means.as_slice();
                let (of_groups, of_rest) = gathered.split_at_mut(groups * each);
                let of_rest = (of_rest, Gradients { all: &mut *gradients, accumulate });
                let rest_part = rest.as_mut().map(|rest| (rest, of_rest));
                let [beside, behind] = beside_or_behind(rest_part);
                let parts = (
                    chunks_mut(&mut *arena, a_slot * layout.training_len),
                    (chunks_mut(partials, layout.parameters.max(1)), equal_mut(sums, slots)),
                    chunks_mut(of_groups, a_slot * each),
                );
                let parts = one_and(beside, parts);
                let mut rooms = rooms(all_rooms, team, layout.scratch_len[0]);
                team.for_each_crew(&mut rooms, parts, |mut crew, _, part| {
                    let (slot, (arenas, (partial, sums), gathered)) = match part {
                        OneOr::Part(slot, part) => (slot, part),
                        OneOr::One((rest, (gathered, gradients))) => {
                            let known = [statistics, current];
                            return rest.backward(None, index, known, gathered, gradients);
                        }
                    };
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
                        let end = in_groups.min((number + 1) * LANES);
                        if index == last {
                            let len = layout.output_len;
                            let rows = &rows[number * LANES * len..end * len];
                            for output in layout.outputs {
                                let Some(buffer) = output.gradient else { continue };
                                let lanes = &mut arena[buffer.offset..buffer.end()];
                                pack_part(rows, len, output.row.offset, output.adds, lanes);
                            }
                        }
                        let mode = mode.of_group(number);
                        let images = end - number * LANES;
                        let segment =
                            Segment { index, images, call, gathered, statistics, means: current };
                        let (sums, crew) = (&mut *sums, crew.reborrow());
                        let room = Room { transformed, adds: i > 0, sums, crew };
                        let mut run = Backward::new(arena, mode, segment, room);
                        group(partial, &mut run);
                    }
                });
                if let Some((rest, (gathered, gradients))) = behind {
                    let (sharing, known) = (Some((team, &mut *all_rooms)), [statistics, current]);
                    rest.backward(sharing, index, known, gathered, gradients);
                }
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
            // The gradients of what is left over stand there.
            let accumulate = accumulate || rest.is_some();
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

    /// Zeroes the gradients of layers that are trained no longer.
    fn clear_untrained(
        &mut self,
        layout: &Layout,
        trained: &Trainable,
        gradients: &mut [f32],
        accumulate: bool,
    ) {
        let nodes = trained.nodes();
        self.summed.resize(nodes.len(), false);
        for tensor in layout.tensors.iter().filter(|_| !accumulate) {
            if self.summed[tensor.node] && !nodes[tensor.node].own {
                gradients[tensor.offset..][..tensor.shape.elements()].fill(0.0);
            }
        }
        for (summed, needs) in self.summed.iter_mut().zip(nodes) {
            *summed = needs.own || accumulate && *summed;
        }
    }
}

//! The memory of a training step, and how its groups of images are shared out among threads.

use std::ops::Range;

use typenet_shape::{Conv2dPass, Norm, TensorKind};

use crate::kernels::batch_norm::{self, Running};
use crate::kernels::linear::{self, Groups};
use crate::kernels::team::{EqualMut, Team, chunks, chunks_mut, equal_mut, weights_mut};
use crate::kernels::{self, LANES, Lanes, join, pack, pack_part, unpack_part, winograd};
use crate::layout::Layout;
use crate::network::Network;
use crate::pass::{Backward, Forward, Mode, Room, Segment};
use crate::plain::Plain;
use crate::trained::{self, Needs, Trained};
use crate::transformed::transform;
use crate::{Error, Result};

/// At most this many numbers of memory go into partial gradients.
const PARTIALS: usize = 16 << 20;

/// Gradients are added up in pieces of this many numbers.
const PIECE: usize = 8192;

/// Everything that a training step of `N` needs, allocated once: activations and their gradients
/// by the net's memory plan, the outputs, and the gradients of the parameters.
///
/// It grows when a larger batch comes, and never shrinks.
pub struct Workspace<N: Network> {
    pub(crate) core: Core,
    pub(crate) gradients: Box<N::Parameters>,
}

impl<N: Network> Workspace<N> {
    pub(crate) fn new(batch: usize) -> Workspace<N> {
        let mut core = Core::new();
        core.grow(&N::LAYOUT, batch);
        Workspace { core, gradients: N::Parameters::zeroed() }
    }

    /// How many images the last `forward` saw.
    pub fn batch(&self) -> usize {
        self.core.images
    }

    /// The outputs of the last `forward`, one for each image.
    pub fn output(&self) -> &[N::Output] {
        N::Output::slice_from_flat(&self.core.outputs[..self.core.images * N::Output::LEN])
            .unwrap_or_default()
    }

    /// The gradient of the loss with respect to [`output`](Self::output), for a loss of your own:
    /// write it after `forward` and before `backward`.
    pub fn output_gradient_mut(&mut self) -> &mut [N::Output] {
        let numbers = &mut self.core.output_gradient[..self.core.images * N::Output::LEN];
        N::Output::slice_from_flat_mut(numbers).unwrap_or_default()
    }

    /// The outputs as rows of numbers, with their gradients to write: what a loss works on.
    pub fn output_rows(&mut self) -> (&[f32], &mut [f32]) {
        let len = self.core.images * N::Output::LEN;
        (&self.core.outputs[..len], &mut self.core.output_gradient[..len])
    }

    /// The gradients of the last `backward`, in the shape of the parameters.
    pub fn gradients(&self) -> &N::Parameters {
        &self.gradients
    }

    /// The gradients, to change before the optimiser's step (to clip them, say).
    pub fn gradients_mut(&mut self) -> &mut N::Parameters {
        &mut self.gradients
    }

    /// Starts the random numbers of dropout anew from `seed`.
    pub fn reseed(&mut self, seed: u64) {
        self.core.seed = seed;
        self.core.passes = 0;
    }

    /// Whether `forward` drops values in `dropout` layers; `true` unless changed. Switch it off to
    /// compare gradients with finite differences.
    pub fn set_dropout(&mut self, enabled: bool) {
        self.core.dropout = enabled;
    }
}

impl<N: Network> std::fmt::Debug for Workspace<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workspace")
            .field("net", &N::GRAPH.name)
            .field("batch", &self.core.images)
            .finish_non_exhaustive()
    }
}

/// The part of a workspace that is the same for every net.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) images: usize,
    pub(crate) arena: Vec<Lanes>,
    pub(crate) outputs: Vec<f32>,
    output_gradient: Vec<f32>,
    partials: Vec<f32>,
    /// The weights of convolutions transformed for their outputs, and for their inputs' gradients.
    transformed: [Vec<f32>; 2],
    /// The gradients of transformed weights, for each slot.
    sums: Vec<Lanes>,
    /// What each thread needs while a step runs.
    pub(crate) rooms: Vec<Lanes>,
    /// Where the last backward pass left gradients.
    summed: Vec<Range<usize>>,
    /// What each group of images gathers for each batch norm, all groups of a norm in a row; behind
    /// that one number a group, for segments that end at no norm.
    gathered: Vec<f32>,
    /// Mean and `1 / √(variance + eps)` of each batch norm.
    statistics: Vec<f32>,
    /// Means of the gradients of each batch norm.
    means: Vec<f32>,
    seed: u64,
    passes: u64,
    dropout: bool,
}

impl Core {
    fn new() -> Core {
        Core {
            images: 0,
            arena: Vec::new(),
            outputs: Vec::new(),
            output_gradient: Vec::new(),
            partials: Vec::new(),
            transformed: [Vec::new(), Vec::new()],
            sums: Vec::new(),
            rooms: Vec::new(),
            summed: Vec::new(),
            gathered: Vec::new(),
            statistics: Vec::new(),
            means: Vec::new(),
            seed: 0,
            passes: 0,
            dropout: true,
        }
    }

    pub(crate) fn grow(&mut self, layout: &Layout, images: usize) {
        let groups = images.div_ceil(LANES);
        at_least(&mut self.arena, groups * layout.training_len, Lanes::ZERO);
        at_least(&mut self.outputs, images * layout.output_len, 0.0);
        at_least(&mut self.output_gradient, images * layout.output_len, 0.0);
        let slots = slots(layout, groups).0;
        at_least(&mut self.partials, slots * layout.parameters, 0.0);
        for (transformed, pass) in
            self.transformed.iter_mut().zip([Conv2dPass::Forward, Conv2dPass::BackwardData])
        {
            at_least(transformed, layout.transformed_len(pass), 0.0);
        }
        let sums = layout.transformed_len(Conv2dPass::BackwardWeight);
        at_least(&mut self.sums, slots * sums, Lanes::ZERO);
        let statistics = layout.norms.last().map_or(0, |norm| norm.statistics.end());
        at_least(&mut self.gathered, groups * (statistics + 1), 0.0);
        at_least(&mut self.statistics, statistics, 0.0);
        at_least(&mut self.means, statistics, 0.0);
    }

    /// Each group of images through `group`, in training mode; the groups run in parallel, and meet at
    /// each batch norm.
    pub(crate) fn forward(
        &mut self,
        layout: &Layout,
        trained: &Trained,
        parameters: &[f32],
        inputs: &[f32],
        group: &(dyn Fn(&mut Forward<'_>) + Sync),
    ) {
        self.images = inputs.len() / layout.input_len;
        self.grow(layout, self.images);
        self.passes += 1;
        let (seed, pass, dropout) = (self.seed, self.passes, self.dropout);
        let (images, last, needs) = (self.images, layout.norms.len(), trained.nodes());
        let outputs = &mut self.outputs[..images * layout.output_len];
        let (arena, all_gathered) = (&mut self.arena, &mut self.gathered);
        let statistics = &mut self.statistics;
        let (transformed, all_rooms) = (&mut self.transformed[0], &mut self.rooms);
        Team::gather(images.div_ceil(LANES), |team| {
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
                let rooms = rooms(all_rooms, team, layout.scratch_len[0]);
                team.for_each_with(rooms, parts, |scratch, number, part| {
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
                    let mut run =
                        Forward::training(arena, scratch, transformed, mode, segment, steps);
                    group(&mut run);
                    if index == last {
                        for output in layout.outputs {
                            let value = &arena[output.training.offset..output.training.end()];
                            unpack_part(value, outputs, layout.output_len, output.row.offset);
                        }
                    }
                });
                if let Some(norm) = norm {
                    let own = &mut statistics[norm.statistics.offset..norm.statistics.end()];
                    let (mean, rstd) = own.split_at_mut(norm.channels);
                    if trained.of(norm.node).fixed {
                        trained::running(layout, norm, parameters, mean, rstd);
                        continue;
                    }
                    batch_norm::merge(images, norm.pixels, gathered, norm.eps, mean, rstd, None);
                }
            }
        });
    }

    /// Moves the running statistics among `parameters` towards those of the last forward.
    pub(crate) fn update_running(
        &mut self,
        layout: &Layout,
        trained: &Trained,
        parameters: &mut [f32],
    ) {
        for norm in layout.norms.iter().filter(|norm| !trained.of(norm.node).fixed) {
            let (gathered, _) = gathered(Some(norm), self.images, &mut self.gathered);
            let own = &mut self.statistics[norm.statistics.offset..norm.statistics.end()];
            let (mean, rstd) = own.split_at_mut(norm.channels);
            let [running_mean, running_var] = [TensorKind::RunningMean, TensorKind::RunningVar]
                .map(|kind| layout.place(norm.node, kind));
            let Ok([running_mean, variance]) =
                parameters.get_disjoint_mut([running_mean, running_var])
            else {
                continue;
            };
            let running = Running { mean: running_mean, variance, momentum: norm.momentum };
            let (images, running) = (self.images, Some(running));
            batch_norm::merge(images, norm.pixels, gathered, norm.eps, mean, rstd, running);
        }
    }

    /// The groups of the last forward in reverse; each slot of groups has partial gradients of its
    /// own, and they are added up in the slots' order, so that the sum does not depend on threads.
    pub(crate) fn backward(
        &mut self,
        layout: &Layout,
        trained: &Trained,
        parameters: &[f32],
        gradients: &mut [f32],
        accumulate: bool,
        group: &(dyn Fn(&mut [f32], &mut Backward<'_>) + Sync),
    ) {
        let images = self.images;
        let groups = images.div_ceil(LANES);
        let (slots, groups_a_slot) = slots(layout, groups);
        let (seed, pass, dropout) = (self.seed, self.passes, self.dropout);
        let rows = &self.output_gradient[..images * layout.output_len];
        let partials = &mut self.partials[..slots * layout.parameters];
        let (last, needs) = (layout.norms.len(), trained.nodes());
        let (arena, all_gathered) = (&mut self.arena, &mut self.gathered);
        let (statistics, means) = (self.statistics.as_slice(), &mut self.means);
        let arena = &mut arena[..groups * layout.training_len];
        let a_slot = groups_a_slot.max(1);
        let (transformed, all_rooms) = (&mut self.transformed[1], &mut self.rooms);
        let sums_len = layout.transformed_len(Conv2dPass::BackwardWeight);
        let sums = &mut self.sums[..slots * sums_len];
        if !accumulate && self.summed != trained.ranges() {
            // What is no longer trained has no gradient.
            for range in self.summed.drain(..) {
                gradients[range].fill(0.0);
            }
            self.summed.extend_from_slice(trained.ranges());
        }
        Team::gather(slots, |team| {
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
                let rooms = rooms(all_rooms, team, layout.scratch_len[0]);
                team.for_each_with(rooms, parts, |scratch, slot, part| {
                    let (arenas, (partial, sums), gathered) = part;
                    if index == last {
                        for range in trained.of_groups() {
                            partial[range.clone()].fill(0.0);
                        }
                        sums.fill(Lanes::ZERO);
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
                        let room = Room { transformed, sums: &mut *sums, scratch: &mut *scratch };
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

/// Bytes that a training step of so many images takes: the net's parameters, their gradients and the
/// workspace, on as many threads as the pool has.
pub(crate) fn step_bytes(layout: &Layout, images: usize) -> usize {
    let groups = images.div_ceil(LANES);
    let (slots, _) = slots(layout, groups);
    let threads = rayon::current_num_threads().min(groups.max(1));
    let statistics = layout.norms.last().map_or(0, |norm| norm.statistics.end());
    let [forward, data, weight] =
        [Conv2dPass::Forward, Conv2dPass::BackwardData, Conv2dPass::BackwardWeight]
            .map(|pass| layout.transformed_len(pass));
    let lanes = groups * layout.training_len + threads * layout.scratch_len[0] + slots * weight;
    let numbers = 2 * layout.parameters
        + 2 * images * layout.output_len
        + slots * layout.parameters
        + forward
        + data
        + groups * (statistics + 1)
        + 2 * statistics;
    lanes * size_of::<Lanes>() + numbers * size_of::<f32>()
}

pub(crate) fn at_least<T: Clone>(buffer: &mut Vec<T>, len: usize, zero: T) {
    if buffer.is_empty() {
        // Zeros that the system gives: what is never touched takes no memory.
        *buffer = vec![zero; len];
    } else if buffer.len() < len {
        buffer.resize(len, zero);
    }
}

/// So much memory for each thread of a team.
pub(crate) fn rooms<'a>(all: &'a mut Vec<Lanes>, team: &Team, len: usize) -> EqualMut<'a, Lanes> {
    at_least(all, team.threads() * len, Lanes::ZERO);
    equal_mut(&mut all[..team.threads() * len], team.threads())
}

/// Adds up the gradients of transformed weights of all slots, in their order, and adds to the first
/// slot's gradients what they are of the weights themselves.
fn add_transformed(
    team: &Team,
    layout: &Layout,
    trained: &Trained,
    partials: &mut [f32],
    sums: &mut [Lanes],
    slots: usize,
) {
    let convolutions = layout.transformed[Conv2dPass::BackwardWeight as usize];
    if sums.is_empty() {
        return;
    }
    let (first, others) = sums.split_at_mut(sums.len() / slots);
    let isa = kernels::isa();
    team.for_each(chunks_mut(first, PIECE), |piece, sums| {
        for slot in others.chunks_exact(layout.transformed_len(Conv2dPass::BackwardWeight)) {
            let part = &slot[piece * PIECE..][..sums.len()];
            join::add(isa, part, sums);
        }
    });
    let first = &*first;
    team.for_each(weights_mut(&mut partials[..layout.parameters], convolutions), |index, dw| {
        let own = &convolutions[index];
        if !trained.of(own.node).own {
            return;
        }
        let sums = &first[own.place.offset..own.place.end()];
        winograd::add_weight_gradient(isa, own.kernel, &own.geometry, sums, dw);
    });
}

/// The weight gradients that are computed of all groups of images together.
fn add_at_end(
    team: &Team,
    layout: &Layout,
    trained: &Trained,
    arena: &[Lanes],
    accumulate: bool,
    gradients: &mut [f32],
) {
    for step in layout.steps.iter().filter(|step| step.sums_at_end()) {
        let (true, Some(gradient)) = (trained.of(step.node).own, step.output_gradient) else {
            continue;
        };
        let groups = Groups {
            x: arena.get(step.training.input.offset..).unwrap_or_default(),
            dy: arena.get(gradient.offset..).unwrap_or_default(),
            step: layout.training_len,
            count: arena.len() / layout.training_len,
            inputs: step.training.input.len,
            outputs: gradient.len,
        };
        let dw = &mut gradients[layout.place(step.node, TensorKind::Weight)];
        linear::backward_weight_of_groups(kernels::isa(), team, &groups, accumulate, dw);
    }
}

/// Where all groups of so many images gather for a batch norm, and how many numbers each of them;
/// without a norm some place that nobody reads.
fn gathered<'a>(norm: Option<&Norm>, images: usize, all: &'a mut [f32]) -> (&'a mut [f32], usize) {
    let groups = images.div_ceil(LANES);
    let (start, each) = match norm {
        Some(norm) => (norm.statistics.offset * groups, norm.statistics.len),
        None => (all.len() - groups, 1),
    };
    (&mut all[start..start + groups * each], each)
}

/// How many slots of partial gradients there are, and how many groups each takes. Sizes alone
/// decide, never the number of threads, so that results do not depend on it.
fn slots(layout: &Layout, groups: usize) -> (usize, usize) {
    let sums = LANES * layout.transformed_len(Conv2dPass::BackwardWeight);
    let a_slot = layout.parameters + sums;
    let most = (PARTIALS / a_slot.max(1)).max(2);
    let groups_a_slot = groups.div_ceil(most.min(groups.max(1)));
    (groups.div_ceil(groups_a_slot.max(1)), groups_a_slot)
}

/// Checks that there is one target for each output.
pub(crate) fn same_count(what: &str, expected: usize, found: usize) -> Result<()> {
    if expected == found { Ok(()) } else { Err(Error::size(what, expected, found)) }
}

//! The memory of a training step, and how its groups of images are shared out among threads.

use std::ops::Range;

use typenet_kernels::batch_norm::{self, Running};
use typenet_kernels::linear::{self, Groups};
use typenet_kernels::team::{Team, chunks, chunks_mut, equal_mut, ranges_mut};
use typenet_kernels::{LANES, Lanes, elementwise, isa, pack, pack_part, unpack_part, winograd};
use typenet_shape::{Conv2dPass, Norm, TensorKind, TrainingCosts};

use crate::arena::{at_least, bytes_of, rooms};
use crate::blocked_training::{BlockedMemory, StepBuffers, is_blocked_step};
use crate::jvp::{Jvp, JvpMemory, Masks};
use crate::layout::Layout;
use crate::pass::{Backward, Forward, Mode, Room, Segment};
use crate::spec::NetSpec;
use crate::trainable::{self, Needs, Trainable};
use crate::weights::transform;

/// At most this many numbers of memory go into partial gradients.
const PARTIALS: usize = 16 << 20;

/// From so many cycles on, a group of images is worth another thread: some tenths of a millisecond.
const HELPED: u64 = 1_000_000;

/// Gradients are added up in pieces of this many numbers.
const PIECE: usize = 8192;

/// The memory of a training step: the part of a workspace that is the same for every net.
#[derive(Debug)]
pub struct StepMemory {
    pub(crate) images: usize,
    /// For how many images memory was made ready last.
    ready: usize,
    /// On how many threads at most so many run in groups.
    threads: usize,
    /// Whether so many run with 16 channels side by side.
    is_blocked: bool,
    /// Whether none do.
    is_interleaved: bool,
    /// What that layout needs, once it was chosen.
    blocked: Option<Box<BlockedMemory>>,
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
    /// Two numbers for each channel of each batch norm: the running statistics that a forward pass
    /// leaves, until they are stored, and the means of the gradients in a backward pass.
    of_norms: Vec<f32>,
    seed: u64,
    passes: u64,
    dropout: bool,
    /// What forward mode needs, once it was used.
    jvp: Option<Box<JvpMemory>>,
}

impl StepMemory {
    /// Memory for up to so many images.
    pub fn new(spec: &NetSpec, images: usize) -> StepMemory {
        let mut memory = StepMemory::empty();
        memory.grow(spec, images);
        memory
    }

    fn empty() -> StepMemory {
        StepMemory {
            images: 0,
            ready: 0,
            threads: 1,
            is_blocked: false,
            is_interleaved: false,
            blocked: None,
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
            of_norms: Vec::new(),
            seed: 0,
            passes: 0,
            dropout: true,
            jvp: None,
        }
    }

    /// Runs steps of few images in groups of 16 too, as forward mode does: values then are the same to the
    /// bit, and so are the sides that relu and maxima take.
    pub fn set_interleaved(&mut self) {
        self.is_interleaved = true;
        self.ready = 0;
    }

    /// The memory of forward mode.
    pub fn jvp(&mut self) -> &mut JvpMemory {
        self.jvp.get_or_insert_default()
    }

    /// Forward mode as the net trains: batch norms take the statistics of these images, and dropout
    /// drops what the last forward pass dropped.
    pub fn train_jvp(&mut self, call: Jvp<'_>, trained: &Trainable) {
        let images = call.inputs.len() / call.spec.layout.input_len;
        let is_blocked = !self.is_interleaved && is_blocked_step(call.spec, images);
        let (seed, pass, dropout) = (self.seed, self.passes, self.dropout);
        self.jvp().train(call, trained, Masks { seed, pass, dropout, is_blocked });
    }

    /// Grows to so many images.
    fn grow(&mut self, spec: &NetSpec, images: usize) {
        let layout = spec.layout;
        self.grow_outputs(layout, images);
        if self.ready == images {
            return;
        }
        self.ready = images;
        let statistics = layout.norms.last().map_or(0, |norm| norm.statistics.end());
        at_least(&mut self.statistics, statistics, 0.0);
        at_least(&mut self.of_norms, statistics, 0.0);
        self.is_blocked = !self.is_interleaved && is_blocked_step(spec, images);
        if self.is_blocked {
            self.blocked.get_or_insert_default().grow(spec, images, &mut self.arena);
            return;
        }
        let groups = images.div_ceil(LANES);
        self.threads = threads_of_groups(spec, images);
        at_least(&mut self.arena, groups * layout.training_len, Lanes::ZERO);
        let slots = slots(layout, groups).0;
        at_least(&mut self.partials, slots * layout.parameters, 0.0);
        for (transformed, pass) in
            self.transformed.iter_mut().zip([Conv2dPass::Forward, Conv2dPass::BackwardData])
        {
            at_least(transformed, layout.transformed_len(pass), 0.0);
        }
        let sums = layout.transformed_len(Conv2dPass::BackwardWeight);
        at_least(&mut self.sums, slots * sums, Lanes::ZERO);
        at_least(&mut self.gathered, groups * (statistics + 1), 0.0);
    }

    /// Grows the outputs to so many images.
    pub(crate) fn grow_outputs(&mut self, layout: &Layout, images: usize) {
        at_least(&mut self.outputs, images * layout.output_len, 0.0);
        at_least(&mut self.output_gradient, images * layout.output_len, 0.0);
    }

    /// How many images the last forward pass saw.
    pub fn images(&self) -> usize {
        self.images
    }

    /// The outputs of the last forward pass, and their gradients to write: rows of so many numbers.
    pub fn outputs(&mut self, output_len: usize) -> (&[f32], &mut [f32]) {
        let len = self.images * output_len;
        (&self.outputs[..len], &mut self.output_gradient[..len])
    }

    /// The outputs of the last forward pass.
    pub fn output(&self, output_len: usize) -> &[f32] {
        &self.outputs[..self.images * output_len]
    }

    /// Starts the random numbers of dropout anew from `seed`.
    pub fn reseed(&mut self, seed: u64) {
        self.seed = seed;
        self.passes = 0;
    }

    /// The seed of dropout's random numbers, and how many forward passes have drawn from it.
    pub fn dropout_state(&self) -> (u64, u64) {
        (self.seed, self.passes)
    }

    /// Goes on with dropout's random numbers where [`dropout_state`](Self::dropout_state) was read.
    pub fn set_dropout_state(&mut self, (seed, passes): (u64, u64)) {
        (self.seed, self.passes) = (seed, passes);
    }

    /// Whether `dropout` layers drop values in a forward pass; `true` unless changed.
    pub fn set_dropout(&mut self, enabled: bool) {
        self.dropout = enabled;
    }

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

    fn buffers(&mut self) -> StepBuffers<'_> {
        let (seed, pass, dropout) = (self.seed, self.passes, self.dropout);
        StepBuffers {
            arena: &mut self.arena,
            rooms: &mut self.rooms,
            statistics: &mut self.statistics,
            of_norms: &mut self.of_norms,
            mode: Mode::Training { seed, pass, group: 0, dropout },
        }
    }

    /// Stores the running statistics among `parameters` that the last forward moved towards its own;
    /// before the backward pass, which needs their memory.
    pub fn update_running(&self, layout: &Layout, trained: &Trainable, parameters: &mut [f32]) {
        for norm in layout.norms.iter().filter(|norm| !trained.of(norm.node).fixed) {
            let moved = &self.of_norms[norm.statistics.offset..norm.statistics.end()];
            let (mean, variance) = moved.split_at(norm.channels);
            parameters[layout.place(norm.node, TensorKind::RunningMean)].copy_from_slice(mean);
            parameters[layout.place(norm.node, TensorKind::RunningVar)].copy_from_slice(variance);
        }
    }

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

/// Bytes that a training step of so many images takes: the net's parameters, their gradients and the
/// workspace, on as many threads as the pool has.
pub fn step_bytes(spec: &NetSpec, images: usize) -> u64 {
    let layout = spec.layout;
    let threads = rayon::current_num_threads();
    let statistics = layout.norms.last().map_or(0, |norm| norm.statistics.end());
    let numbers = 2 * layout.parameters + 2 * images * layout.output_len + 2 * statistics;
    let own = if is_blocked_step(spec, images) {
        BlockedMemory::bytes(spec, images, threads)
    } else {
        let threads = threads.min(threads_of_groups(spec, images));
        grouped_bytes(layout, images, threads, statistics)
    };
    own + bytes_of::<f32>(numbers)
}

/// Bytes of a step in groups of 16 images, without what every step needs.
fn grouped_bytes(layout: &Layout, images: usize, threads: usize, statistics: usize) -> u64 {
    let groups = images.div_ceil(LANES);
    let (slots, _) = slots(layout, groups);
    let [forward, data, weight] =
        [Conv2dPass::Forward, Conv2dPass::BackwardData, Conv2dPass::BackwardWeight]
            .map(|pass| layout.transformed_len(pass));
    let lanes = groups * layout.training_len + threads * layout.scratch_len[0] + slots * weight;
    let numbers = slots * layout.parameters + forward + data + groups * (statistics + 1);
    bytes_of::<Lanes>(lanes) + bytes_of::<f32>(numbers)
}

/// Adds up the gradients of transformed weights of all slots, in their order, and adds to the first
/// slot's gradients what they are of the weights themselves.
fn add_transformed(
    team: &Team,
    layout: &Layout,
    trained: &Trainable,
    partials: &mut [f32],
    sums: &mut [Lanes],
    slots: usize,
) {
    let convolutions = layout.transformed[Conv2dPass::BackwardWeight as usize];
    if sums.is_empty() {
        return;
    }
    let (first, others) = sums.split_at_mut(sums.len() / slots);
    let isa = isa();
    team.for_each(chunks_mut(first, PIECE), |piece, sums| {
        for slot in others.chunks_exact(layout.transformed_len(Conv2dPass::BackwardWeight)) {
            let part = &slot[piece * PIECE..][..sums.len()];
            elementwise::add(isa, part, sums);
        }
    });
    let first = &*first;
    let weights = ranges_mut(&mut partials[..layout.parameters], convolutions, |own| {
        own.weight.offset..own.weight.end()
    });
    team.for_each(weights, |index, dw| {
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
    trained: &Trainable,
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
        linear::backward_weight_of_groups(isa(), team, &groups, accumulate, dw);
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

/// On how many threads at most a training step runs in groups of 16 images: one for each group, and more where a
/// group is work for several.
fn threads_of_groups(spec: &NetSpec, images: usize) -> usize {
    let costs = TrainingCosts::new(spec.graph, spec.shapes, images);
    costs.groups.max(1).saturating_add(costs.interleaved / HELPED) as usize
}

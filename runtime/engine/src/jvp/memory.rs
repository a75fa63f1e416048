//! How the groups of a call are shared out, and where batch norms meet.

use typenet_kernels::batch_norm;
use typenet_kernels::team::{Team, chunks, chunks_mut};
use typenet_kernels::{LANES, Lanes, isa, pack, unpack_part};
use typenet_shape::{Conv2dPass, Norm};

use super::Direction;
use super::plan::{Plan, Task};
use super::run::Run;
use crate::arena::{at_least, rooms};
use crate::layout::Layout;
use crate::pass::Mode;
use crate::spec::NetSpec;
use crate::trainable::{self, Needs, Trainable};
use crate::weights::{Folded, PreparedWeights, transform};

/// The memory of forward mode, grown once.
#[derive(Debug, Default)]
pub struct JvpMemory {
    /// The plans of passes that train and of those that predict.
    plans: [Option<Plan>; 2],
    /// Weights with a batch norm folded into them, and their tangents.
    folded: Option<Box<Folded>>,
    /// Values and tangents of all groups, where batch norms meet.
    arena: Vec<Lanes>,
    /// What each thread needs.
    rooms: Vec<Lanes>,
    /// The weights of convolutions transformed, and how they move.
    transformed: [Vec<f32>; 2],
    /// Two numbers for each channel of each group, at a batch norm.
    gathered: Vec<f32>,
    statistics: Vec<f32>,
    means: Vec<f32>,
    /// The outputs of a minibatch, their tangents, and room for the gradient of a loss.
    rows: [Vec<f32>; 3],
}

/// What a call is about.
#[derive(Clone, Copy, Debug)]
pub struct Jvp<'a> {
    /// The declaration.
    pub spec: &'a NetSpec,
    /// The parameters and running statistics.
    pub parameters: &'a [f32],
    /// How they and the inputs move.
    pub direction: Direction<'a>,
    /// The images.
    pub inputs: &'a [f32],
}

/// The random numbers of dropout.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Masks {
    pub(crate) seed: u64,
    /// The number of the pass.
    pub(crate) pass: u64,
    /// Whether anything is dropped.
    pub(crate) dropout: bool,
    /// How many images have those of groups; the rest those of images with 16 channels side by side.
    pub(crate) in_groups: usize,
}

impl JvpMemory {
    /// As the net predicts: batch norms take their running statistics, dropout leaves all. `prepared` is what
    /// inference has made of the parameters.
    pub fn predict(
        &mut self,
        call: Jvp<'_>,
        prepared: &PreparedWeights,
        outputs: &mut [f32],
        tangents: &mut [f32],
    ) {
        let Jvp { spec, parameters, direction, .. } = call;
        let layout = spec.layout;
        let groups = (call.inputs.len() / layout.input_len).div_ceil(LANES);
        let JvpMemory { plans, folded, rooms: all_rooms, transformed, .. } = self;
        let plan = &*plans[1].get_or_insert_with(|| Plan::new(spec, false));
        let prepared = prepared.of_batch(spec, parameters);
        if let (Some(moves), Some(_)) = (direction.parameters, prepared.folded) {
            let spare = folded.take().unwrap_or_default();
            *folded = Folded::tangent(spec.graph, layout, parameters, moves, spare);
        }
        let moves = folded.as_deref().filter(|_| direction.parameters.is_some());
        spec.gather(groups, |team| {
            let transformed = [
                prepared.transformed,
                transform_into(team, layout, direction.parameters, moves, &mut transformed[1]),
            ];
            let folded = [prepared.folded, moves];
            let rooms = rooms(all_rooms, team, 2 * plan.len + plan.scratch_len);
            let parts = parts(layout, call.inputs, outputs, tangents);
            team.for_each_with(rooms, parts, |room, group, (inputs, (outputs, tangents))| {
                let (arena, scratch) = room.split_at_mut(2 * plan.len);
                let mode = Mode::Inference;
                let shared =
                    Shared { plan, needs: &[], folded, transformed, statistics: &[], means: &[] };
                let mut run = start(&call, shared, mode, inputs, arena, scratch);
                load(&mut run, &call, group, inputs);
                plan.tasks.iter().for_each(|task| run.task(task));
                store(&run, outputs, tangents);
            });
        });
    }

    /// The outputs of the last [`StepMemory::train_jvp`](crate::StepMemory::train_jvp), `len` numbers; their
    /// tangents; and room for as many.
    pub fn rows(&mut self, len: usize) -> [&mut [f32]; 3] {
        self.rows.each_mut().map(|rows| {
            at_least(rows, len, 0.0);
            &mut rows[..len]
        })
    }

    /// As the net trains: batch norms take the statistics of these images, and dropout has these masks.
    /// Outputs and tangents are in [`rows`](Self::rows) then.
    pub(crate) fn train(&mut self, call: Jvp<'_>, trained: &Trainable, masks: Masks) {
        let layout = call.spec.layout;
        let images = call.inputs.len() / layout.input_len;
        let groups = images.div_ceil(LANES);
        self.rows(images * layout.output_len);
        let JvpMemory { plans, arena, rooms: all_rooms, transformed, gathered, .. } = self;
        let JvpMemory { statistics, means, rows: [outputs, tangents, _], .. } = self;
        let len = images * layout.output_len;
        let (outputs, tangents) = (&mut outputs[..len], &mut tangents[..len]);
        let plan = &*plans[0].get_or_insert_with(|| Plan::new(call.spec, true));
        at_least(arena, groups * 2 * plan.len, Lanes::ZERO);
        let of_norms = layout.norms.last().map_or(0, |norm| norm.statistics.end());
        at_least(statistics, of_norms, 0.0);
        at_least(means, of_norms, 0.0);
        let widest = layout.norms.iter().map(|norm| norm.statistics.len).max().unwrap_or(0);
        // One number where a segment ends at no norm.
        at_least(gathered, groups * widest.max(1), 0.0);
        let Masks { seed, pass, dropout, in_groups } = masks;
        call.spec.gather(groups, |team| {
            let [own, moves] = transformed;
            let transformed = [
                transform_into(team, layout, Some(call.parameters), None, own),
                transform_into(team, layout, call.direction.parameters, None, moves),
            ];
            let (folded, needs) = ([None; 2], trained.nodes());
            for index in 0..=layout.norms.len() {
                let norm = layout.norms.get(index);
                let task = norm.and_then(|norm| task_of(plan, norm));
                let each = norm.map_or(1, |norm| norm.statistics.len);
                let fixed = norm.is_some_and(|norm| trained.of(norm.node).fixed);
                let shared = Shared { plan, needs, folded, transformed, statistics, means };
                let gathered = &mut gathered[..groups * each];
                let all = (
                    parts(layout, call.inputs, &mut *outputs, &mut *tangents),
                    (chunks_mut(arena, 2 * plan.len), chunks_mut(&mut *gathered, each)),
                );
                let rooms = rooms(all_rooms, team, plan.scratch_len);
                team.for_each_with(rooms, all, |scratch, group, part| {
                    let ((inputs, (outputs, tangents)), (arena, gathered)) = part;
                    let mode = Mode::Training { seed, pass, group, dropout };
                    let mut run = start(&call, shared, mode, inputs, arena, scratch);
                    run.has_blocked_masks = group * LANES >= in_groups;
                    run.gathered = gathered;
                    if index == 0 {
                        load(&mut run, &call, group, inputs);
                    }
                    let tasks = plan.tasks.iter().filter(|task| task.step.segment == index);
                    tasks.for_each(|task| run.task(task));
                    match task {
                        Some(task) if !fixed => run.gather(task),
                        Some(_) => {}
                        None => store(&run, outputs, tangents),
                    }
                });
                let (Some(norm), Some(task)) = (norm, task) else { continue };
                let own = norm.statistics.offset..norm.statistics.end();
                let (mean, rstd) = statistics[own.clone()].split_at_mut(norm.channels);
                if fixed {
                    trainable::running(layout, norm, call.parameters, mean, rstd);
                    means[own].fill(0.0);
                    continue;
                }
                batch_norm::merge(images, norm.pixels, gathered, norm.eps, mean, rstd, None);
                let shared = Shared { plan, needs, folded, transformed, statistics, means: &[] };
                let all = (
                    chunks(call.inputs, LANES * layout.input_len),
                    (chunks_mut(arena, 2 * plan.len), chunks_mut(&mut *gathered, each)),
                );
                team.for_each(all, |group, (inputs, (arena, gathered))| {
                    let mode = Mode::Training { seed, pass, group, dropout };
                    let run = start(&call, shared, mode, inputs, arena, &mut []);
                    run.gather_tangents(norm, task, gathered);
                });
                let means = &mut means[own];
                batch_norm::merge_backward(images, norm.pixels, gathered, None, None, means);
            }
        });
    }
}

/// What all groups read.
#[derive(Clone, Copy)]
struct Shared<'a> {
    plan: &'a Plan,
    needs: &'a [Needs],
    folded: [Option<&'a Folded>; 2],
    transformed: [&'a [f32]; 2],
    statistics: &'a [f32],
    means: &'a [f32],
}

/// The images of each group, and the rows of its outputs and their tangents.
fn parts<'a>(
    layout: &Layout,
    inputs: &'a [f32],
    outputs: &'a mut [f32],
    tangents: &'a mut [f32],
) -> impl typenet_kernels::team::Parts<Part = (&'a [f32], (&'a mut [f32], &'a mut [f32]))> {
    let rows = LANES * layout.output_len;
    (
        chunks(inputs, LANES * layout.input_len),
        (chunks_mut(outputs, rows), chunks_mut(tangents, rows)),
    )
}

/// Transforms the weights of Winograd's convolutions: the folded ones where a batch norm was folded in.
fn transform_into<'a>(
    team: &Team,
    layout: &Layout,
    parameters: Option<&[f32]>,
    folded: Option<&Folded>,
    to: &'a mut Vec<f32>,
) -> &'a [f32] {
    if let Some(parameters) = parameters {
        let pass = Conv2dPass::Forward;
        at_least(to, layout.transformed_len(pass), 0.0);
        transform(team, layout, pass, parameters, folded, to);
    }
    to
}

fn task_of<'a>(plan: &'a Plan, norm: &Norm) -> Option<&'a Task> {
    plan.tasks.iter().find(|task| task.step.node == norm.node)
}

fn start<'a>(
    call: &Jvp<'a>,
    shared: Shared<'a>,
    mode: Mode,
    inputs: &[f32],
    arena: &'a mut [Lanes],
    scratch: &'a mut [Lanes],
) -> Run<'a> {
    let Shared { plan, needs, folded, transformed, statistics, means } = shared;
    let (values, tangents) = arena.split_at_mut(plan.len);
    let layout = call.spec.layout;
    Run {
        isa: isa(),
        layout,
        plan,
        images: inputs.len() / layout.input_len,
        mode,
        has_blocked_masks: false,
        needs,
        gathered: &mut [],
        parameters: call.parameters,
        direction: call.direction,
        folded,
        transformed,
        statistics,
        means,
        values,
        tangents,
        scratch,
    }
}

/// Interleaves the images of a group, and how they move.
fn load(run: &mut Run<'_>, call: &Jvp<'_>, group: usize, inputs: &[f32]) {
    let buffer = run.plan.buffer(0);
    let all = buffer.offset..buffer.offset + run.layout.input_len;
    pack(inputs, &mut run.values[all.clone()]);
    let tangents = &mut run.tangents[all];
    match call.direction.inputs {
        Some(moves) => {
            pack(&moves[group * LANES * run.layout.input_len..][..inputs.len()], tangents);
        }
        None => tangents.fill(Lanes::ZERO),
    }
}

fn store(run: &Run<'_>, outputs: &mut [f32], tangents: &mut [f32]) {
    let layout = run.layout;
    for output in layout.outputs {
        let buffer = run.plan.buffer(output.node);
        let (own, start) = (buffer.offset..buffer.end(), output.row.offset);
        unpack_part(&run.values[own.clone()], outputs, layout.output_len, start);
        unpack_part(&run.tangents[own], tangents, layout.output_len, start);
    }
}

//! Inference: in a workspace's memory, or in memory that each thread keeps.

use std::cell::Cell;

use typenet_kernels::team::{
    Crew, Kept, Parts, Team, chunks, chunks_mut, long_and_short, long_and_short_mut, of_images,
};
use typenet_kernels::{LANES, Lanes, pack, unpack_part};
use typenet_shape::Shares;

use crate::arena::{at_least, fresh_at_least, rooms};
use crate::blocked::{Blocked, BlockedPlan, BlockedWeights, Carried, Halves, Memory};
use crate::forced::{Forced, forced, left_over};
use crate::pass::{Forward, ONLY_BLOCKED};
use crate::rows::largest;
use crate::spec::NetSpec;
use crate::training::StepMemory;
use crate::weights::{Prepared, PreparedWeights};

/// The most images that go through the second half of a net together: more would hardly share its weights
/// better, and need more memory.
const TOGETHER: usize = 16;

/// From this many multiply-adds on, more threads than one save more than it costs to call them.
const SHARED: u64 = 4_000_000;

/// From this many multiply-adds per image on, a group of 16 is worth another thread.
const HELPED: u64 = 1_000_000;

/// The number of threads on which one image takes twice as long as if it were cut evenly.
const EVEN: usize = 16;

/// A net that predicts: its declaration, its parameters and what is prepared from them.
#[derive(Clone, Copy)]
pub struct Inference<'a> {
    /// The declaration.
    pub spec: &'a NetSpec,
    /// The parameters and running statistics.
    pub parameters: &'a [f32],
    /// What was prepared from them; prepared here if it was not.
    pub prepared: &'a PreparedWeights,
    /// Runs a group of images, or one image, through the layers.
    pub group: &'a (dyn Fn(&mut Forward<'_>) + Sync),
}

/// Memory beside the arena of a call.
enum Rooms<'a> {
    /// A workspace's, for all threads of a team.
    Workspace(&'a mut Vec<Lanes>),
    /// What each thread keeps.
    Threads,
}

impl Rooms<'_> {
    /// [`Team::for_each_crew`], with so much memory for each thread.
    fn for_each<P: Parts>(
        &mut self,
        team: &Team,
        len: usize,
        parts: P,
        work: impl Fn(Crew<'_>, usize, P::Part) + Sync,
    ) {
        match self {
            Rooms::Workspace(all) => team.for_each_crew(&mut rooms(all, team, len), parts, work),
            Rooms::Threads => {
                let mut rooms = Kept(|work: &mut dyn FnMut(&mut [Lanes])| {
                    let mut room = ROOM.take();
                    fresh_at_least(&mut room, len, Lanes::ZERO);
                    work(&mut room[..len]);
                    ROOM.set(room);
                });
                team.for_each_crew(&mut rooms, parts, work);
            }
        }
    }
}

impl Inference<'_> {
    /// The outputs of images in a workspace's memory, or else in memory that each thread keeps.
    pub fn run(&self, memory: Option<&mut StepMemory>, images: &[f32], outputs: &mut [f32]) {
        match memory {
            Some(memory) => {
                memory.images = 0;
                let rooms = Rooms::Workspace(&mut memory.rooms);
                self.images(&mut memory.arena, rooms, images, outputs);
            }
            None => {
                let mut arena = ARENA.take();
                self.images(&mut arena, Rooms::Threads, images, outputs);
                ARENA.set(arena);
            }
        }
    }

    /// The outputs of one image, to look at where they are: in a workspace's memory, or else in memory
    /// that each thread keeps. They may be too large for the stack.
    pub fn look<R>(
        &self,
        memory: Option<&mut StepMemory>,
        image: &[f32],
        look: impl FnOnce(&mut [f32]) -> R,
    ) -> R {
        let len = self.spec.layout.output_len;
        match memory {
            Some(memory) => {
                at_least(&mut memory.outputs, len, 0.0);
                let mut outputs = std::mem::take(&mut memory.outputs);
                self.run(Some(&mut *memory), image, &mut outputs[..len]);
                let seen = look(&mut outputs[..len]);
                memory.outputs = outputs;
                seen
            }
            None => {
                let mut outputs = OUTPUTS.take();
                at_least(&mut outputs, len, 0.0);
                self.run(None, image, &mut outputs[..len]);
                let seen = look(&mut outputs[..len]);
                OUTPUTS.set(outputs);
                seen
            }
        }
    }

    /// The index of the largest output of each image, in a workspace's memory.
    pub fn classes(&self, memory: &mut StepMemory, images: &[f32], classes: &mut [usize]) {
        let layout = self.spec.layout;
        memory.grow_outputs(layout, 1);
        let mut rows = std::mem::take(&mut memory.outputs);
        let at_once = rows.len() / layout.output_len;
        for (images, classes) in
            images.chunks(at_once * layout.input_len).zip(classes.chunks_mut(at_once))
        {
            let rows = &mut rows[..classes.len() * layout.output_len];
            self.run(Some(memory), images, rows);
            for (class, row) in classes.iter_mut().zip(rows.chunks_exact(layout.output_len)) {
                *class = largest(row);
            }
        }
        memory.outputs = rows;
        memory.images = 0;
    }

    /// The outputs of images, in the layouts that cost least.
    fn images(
        &self,
        arena: &mut Vec<Lanes>,
        rooms: Rooms<'_>,
        images: &[f32],
        outputs: &mut [f32],
    ) {
        let plan = self.prepared.plan(self.spec);
        let count = images.len() / self.spec.layout.input_len;
        let shares = plan.shares(count);
        if ONLY_BLOCKED || shares.grouped == 0 {
            self.blocked(plan, arena, rooms, images, outputs);
        } else {
            self.groups(plan, shares, rooms, images, outputs);
        }
    }

    /// Groups of images, followed by single ones.
    fn groups(
        &self,
        plan: &BlockedPlan,
        shares: Shares,
        mut rooms: Rooms<'_>,
        images: &[f32],
        outputs: &mut [f32],
    ) {
        let layout = self.spec.layout;
        let prepared = self.prepared.of_batch(self.spec, self.parameters);
        let weights =
            (shares.blocked > 0).then(|| self.prepared.blocked(self.spec, self.parameters));
        let groups = shares.grouped.div_ceil(LANES);
        let [from, to] = [layout.input_len, layout.output_len];
        let parts = (
            long_and_short(images, shares.grouped * from, LANES * from, from),
            long_and_short_mut(outputs, shares.grouped * to, LANES * to, to),
        );
        let alone = if shares.blocked > 0 { plan.whole.len + plan.scratch_len(1) } else { 0 };
        let room_len = alone.max(layout.inference_len + layout.scratch_len[1]);
        let threads = parts.count().saturating_mul(1 + (plan.work / HELPED) as usize);
        self.spec.gather(threads, |team| {
            rooms.for_each(team, room_len, parts, |mut crew, index, part| match (weights, part) {
                (Some(weights), (images, outputs)) if index >= groups => {
                    let room = crew.scratch();
                    let team = &Team::alone();
                    let run = self.pass(plan, weights, &plan.whole, team, (1, images));
                    self.layers(run, room);
                    self.store(run, room, outputs);
                }
                (_, (images, outputs)) => self.group(prepared, crew, images, outputs),
            });
        });
    }

    /// One group of images.
    fn group(&self, prepared: Prepared<'_>, crew: Crew<'_>, images: &[f32], outputs: &mut [f32]) {
        let layout = self.spec.layout;
        let input = layout.inference_input;
        let (arena, crew) = crew.split(layout.inference_len);
        pack(images, &mut arena[input.offset..input.end()]);
        let (count, steps) = (images.len() / layout.input_len, layout.steps);
        (self.group)(&mut Forward::inference(&mut *arena, crew, prepared, count, steps));
        for output in layout.outputs {
            let value = &arena[output.inference.offset..output.inference.end()];
            unpack_part(value, outputs, layout.output_len, output.row.offset);
        }
    }

    /// Images with 16 channels side by side. What each computes is the same, whether a thread has it alone
    /// or all share its layers.
    fn blocked(
        &self,
        plan: &BlockedPlan,
        arena: &mut Vec<Lanes>,
        mut rooms: Rooms<'_>,
        images: &[f32],
        outputs: &mut [f32],
    ) {
        let layout = self.spec.layout;
        let weights = self.prepared.blocked(self.spec, self.parameters);
        let count = images.len() / layout.input_len;
        let work = plan.work.saturating_mul(count as u64);
        let threads = if work >= SHARED { usize::MAX } else { 1 };
        self.spec.gather(threads, |team| match &plan.halves {
            Some(halves) if count > 1 => {
                // As even as can be.
                let at_once = count.div_ceil(count.div_ceil(TOGETHER));
                let images = images.chunks(at_once * layout.input_len);
                for (images, outputs) in images.zip(outputs.chunks_mut(at_once * layout.output_len))
                {
                    self.in_halves(
                        (plan, halves, weights),
                        team,
                        arena,
                        &mut rooms,
                        images,
                        outputs,
                    );
                }
            }
            _ => {
                let memory = &plan.whole;
                let alone = if count == 1 { 0 } else { plan.alone(count, team) };
                let (first, rest) = images.split_at(alone * layout.input_len);
                let (first_outputs, rest_outputs) = outputs.split_at_mut(alone * layout.output_len);
                let parts =
                    (chunks(first, layout.input_len), chunks_mut(first_outputs, layout.output_len));
                let room_len = memory.len + plan.scratch_len(1);
                rooms.for_each(team, room_len, parts, |mut crew, _, (image, output)| {
                    let room = crew.scratch();
                    let team = &Team::alone();
                    let run = self.pass(plan, weights, memory, team, (1, image));
                    self.layers(run, room);
                    self.store(run, room, output);
                });
                at_least(arena, memory.len + plan.scratch_len(team.threads()), Lanes::ZERO);
                let rest = rest.chunks_exact(layout.input_len);
                for (image, output) in rest.zip(rest_outputs.chunks_exact_mut(layout.output_len)) {
                    let run = self.pass(plan, weights, memory, team, (1, image));
                    self.layers(run, arena);
                    self.store(run, arena, output);
                }
            }
        });
    }

    /// Some images, in two halves of the net.
    fn in_halves(
        &self,
        (plan, halves, weights): (&BlockedPlan, &Halves, &BlockedWeights),
        team: &Team,
        arena: &mut Vec<Lanes>,
        rooms: &mut Rooms<'_>,
        images: &[f32],
        outputs: &mut [f32],
    ) {
        let (input_len, Halves { first, second, carried, .. }) =
            (self.spec.layout.input_len, halves);
        let count = images.len() / input_len;
        let second_len = second.len * count;
        let scratch_len = plan.scratch_len(team.threads());
        at_least(arena, second_len + first.len + scratch_len, Lanes::ZERO);
        let (together, of_one) = arena.split_at_mut(second_len);
        let alone = plan.alone(count, team);
        let range = |carried: &Carried| carried.to.offset..carried.to.end();
        let parts = (
            chunks(&images[..alone * input_len], input_len),
            of_images(&mut *together, count, carried, range),
        );
        rooms.for_each(
            team,
            first.len + plan.scratch_len(1),
            parts,
            |mut crew, _, (image, mut part)| {
                let room = crew.scratch();
                let team = &Team::alone();
                self.layers(self.pass(plan, weights, first, team, (1, image)), room);
                for (index, Carried { from, .. }) in carried.iter().enumerate() {
                    part.get(index).copy_from_slice(&room[from.offset..from.end()]);
                }
            },
        );
        for (index, image) in images.chunks_exact(input_len).enumerate().skip(alone) {
            self.layers(self.pass(plan, weights, first, team, (1, image)), of_one);
            for Carried { from, to } in carried {
                let start = to.offset * count + index * to.len;
                let to = &mut together[start..start + to.len];
                to.copy_from_slice(&of_one[from.offset..from.end()]);
            }
        }
        let run = self.pass(plan, weights, second, team, (count, images));
        self.layers(run, arena);
        self.store(run, arena, outputs);
    }

    fn pass<'a>(
        &self,
        plan: &'a BlockedPlan,
        weights: &'a BlockedWeights,
        memory: &'a Memory,
        team: &'a Team,
        (images, pixels): (usize, &'a [f32]),
    ) -> Blocked<'a> {
        let input_len = self.spec.layout.input_len;
        Blocked { plan, weights, memory, team, images, pixels, input_len }
    }

    /// Runs the layers of a pass in memory that has room for its values and, behind them, its threads.
    fn layers(&self, run: Blocked<'_>, memory: &mut [Lanes]) {
        let (arena, scratch) = memory.split_at_mut(run.memory.len * run.images);
        let scratch = &mut scratch[..run.plan.scratch_len(run.team.threads())];
        (self.group)(&mut Forward::blocked(arena, scratch, run, self.spec.layout.steps));
    }

    /// Copies the outputs of a pass.
    fn store(&self, run: Blocked<'_>, arena: &[Lanes], outputs: &mut [f32]) {
        for output in self.spec.layout.outputs {
            run.store(output.node, arena, output.row, outputs);
        }
    }
}

impl BlockedPlan {
    /// How many of these images each run on one thread; the others run one after the other on all.
    fn alone(&self, images: usize, team: &Team) -> usize {
        if self.work < SHARED { images } else { self.images_alone(images, team.threads()) }
    }

    /// The same for a net that is worth sharing out. The remaining images run on all threads, unless there
    /// are so many threads that one image is too little work for them: the more threads, the less evenly one
    /// image is cut (docs/balance.md).
    pub(crate) fn images_alone(&self, images: usize, threads: usize) -> usize {
        let left = images % threads;
        if left * (EVEN + threads) > EVEN * threads { images } else { images - left }
    }

    /// How a batch is shared out between the layouts.
    pub(crate) fn shares(&self, images: usize) -> Shares {
        match forced() {
            Some(Forced::Interleaved) => Shares { grouped: images, blocked: 0 },
            Some(Forced::Blocked) => Shares { grouped: 0, blocked: images },
            Some(Forced::Mixed) => {
                let blocked = left_over(images);
                Shares { grouped: images - blocked, blocked }
            }
            None if images == 1 => Shares { grouped: 0, blocked: 1 },
            None => self.costs.shares(images),
        }
    }
}

impl std::fmt::Debug for Inference<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inference").field("net", &self.spec.graph.name).finish_non_exhaustive()
    }
}

thread_local! {
    /// The memory of inference without a workspace, grown once: of each thread that calls, and of each
    /// that works for a call.
    static ARENA: Cell<Vec<Lanes>> = const { Cell::new(Vec::new()) };
    static ROOM: Cell<Vec<Lanes>> = const { Cell::new(Vec::new()) };
    /// The outputs of one image.
    static OUTPUTS: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

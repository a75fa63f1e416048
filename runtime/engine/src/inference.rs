//! Inference: in a workspace's memory, or in memory that each thread keeps.

use crate::arena::{at_least, rooms};
use crate::blocked::Blocked;
use crate::layout::Layout;
use crate::pass::Forward;
use crate::rows::largest;
use crate::spec::NetSpec;
use crate::training::StepMemory;
use crate::weights::{Prepared, PreparedWeights};
use typenet_kernels::team::{Chunks, ChunksMut, Parts, Team, chunks, chunks_mut};
use typenet_kernels::{LANES, Lanes, pack, unpack_part};

/// From so many multiply-adds on, more threads than one save more than sending for them costs.
const SHARED: u64 = 4_000_000;

/// A net that predicts: its declaration, its parameters and what is prepared of them.
#[derive(Clone, Copy)]
pub struct Inference<'a> {
    /// The declaration.
    pub spec: &'a NetSpec,
    /// The parameters and running statistics.
    pub parameters: &'a [f32],
    /// What was made of them; made here if it was not.
    pub prepared: &'a PreparedWeights,
    /// Runs a group of images, or one image, through the layers.
    pub group: &'a (dyn Fn(&mut Forward<'_>) + Sync),
}

impl Inference<'_> {
    /// The outputs of images in a workspace's memory, or else in memory that each thread keeps. One
    /// image alone takes the kernels for one image.
    pub fn run(&self, memory: Option<&mut StepMemory>, images: &[f32], outputs: &mut [f32]) {
        let is_one = images.len() == self.spec.layout.input_len;
        match memory {
            Some(memory) => {
                memory.images = 0;
                if is_one {
                    self.one_image(&mut memory.arena, images, outputs);
                } else {
                    self.batch_in(memory, images, outputs);
                }
            }
            None => {
                let mut arena = ARENA.take();
                if is_one {
                    self.one_image(&mut arena, images, outputs);
                }
                ARENA.set(arena);
                if !is_one {
                    self.batch(images, outputs);
                }
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
            self.batch_in(memory, images, rows);
            for (class, row) in classes.iter_mut().zip(rows.chunks_exact(layout.output_len)) {
                *class = largest(row);
            }
        }
        memory.outputs = rows;
        memory.images = 0;
    }

    /// The outputs of many images, in memory that each thread keeps.
    pub fn batch(&self, images: &[f32], outputs: &mut [f32]) {
        let (layout, prepared) = (self.spec.layout, self.of_batch());
        let parts = groups(layout, images, outputs);
        Team::gather(parts.count(), |team| {
            team.for_each(parts, |_, (images, outputs)| {
                let mut arena = ARENA.take();
                at_least(&mut arena, room_len(layout), Lanes::ZERO);
                self.group(prepared, &mut arena, images, outputs);
                ARENA.set(arena);
            });
        });
    }

    /// The outputs of many images in a workspace's memory.
    fn batch_in(&self, memory: &mut StepMemory, images: &[f32], outputs: &mut [f32]) {
        memory.images = 0;
        let (layout, prepared) = (self.spec.layout, self.of_batch());
        let parts = groups(layout, images, outputs);
        Team::gather(parts.count(), |team| {
            let rooms = rooms(&mut memory.rooms, team, room_len(layout));
            team.for_each_with(rooms, parts, |arena, _, (images, outputs)| {
                self.group(prepared, arena, images, outputs);
            });
        });
    }

    fn of_batch(&self) -> Prepared<'_> {
        self.prepared.of_batch(self.spec, self.parameters)
    }

    /// One group of images.
    fn group(
        &self,
        prepared: Prepared<'_>,
        arena: &mut [Lanes],
        images: &[f32],
        outputs: &mut [f32],
    ) {
        let layout = self.spec.layout;
        let input = layout.inference_input;
        pack(images, &mut arena[input.offset..input.end()]);
        let (arena, scratch) = arena.split_at_mut(layout.inference_len);
        let (count, steps) = (images.len() / layout.input_len, layout.steps);
        (self.group)(&mut Forward::inference(&mut *arena, scratch, prepared, count, steps));
        for output in layout.outputs {
            let value = &arena[output.inference.offset..output.inference.end()];
            unpack_part(value, outputs, layout.output_len, output.row.offset);
        }
    }

    /// One image.
    fn one_image(&self, arena: &mut Vec<Lanes>, image: &[f32], output: &mut [f32]) {
        let (layout, plan) = (self.spec.layout, self.prepared.plan(self.spec));
        let weights = self.prepared.blocked(self.spec, self.parameters);
        let threads = if plan.work >= SHARED { usize::MAX } else { 1 };
        Team::gather(threads, |team| {
            let memory = &plan.whole;
            at_least(arena, memory.len + plan.scratch_len(team.threads()), Lanes::ZERO);
            let (arena, scratch) = arena.split_at_mut(memory.len);
            let scratch = &mut scratch[..plan.scratch_len(team.threads())];
            let input_len = layout.input_len;
            let blocked =
                Blocked { plan, weights, memory, team, images: 1, pixels: image, input_len };
            (self.group)(&mut Forward::blocked(arena, scratch, blocked, layout.steps));
            for output_of in layout.outputs {
                blocked.store(output_of.node, arena, output_of.row, output);
            }
        });
    }
}

impl std::fmt::Debug for Inference<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inference").field("net", &self.spec.graph.name).finish_non_exhaustive()
    }
}

thread_local! {
    /// The memory of inference without a workspace: one for each thread, grown once.
    static ARENA: std::cell::Cell<Vec<Lanes>> = const { std::cell::Cell::new(Vec::new()) };
}

/// The inputs and outputs of each group of images.
fn groups<'a>(
    layout: &Layout,
    inputs: &'a [f32],
    outputs: &'a mut [f32],
) -> (Chunks<'a, f32>, ChunksMut<'a, f32>) {
    let [from, to] = [layout.input_len, layout.output_len].map(|len| LANES * len);
    (chunks(inputs, from), chunks_mut(outputs, to))
}

/// What a thread needs for a group of images.
fn room_len(layout: &Layout) -> usize {
    layout.inference_len + layout.scratch_len[1]
}

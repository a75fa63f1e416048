//! Inference: in a workspace's memory, or in memory that each thread keeps.

use crate::kernels::team::{Chunks, ChunksMut, Parts, Team, chunks, chunks_mut};
use crate::kernels::{LANES, Lanes, pack, unpack_part};
use crate::layout::Layout;
use crate::network::largest;
use crate::pass::Forward;
use crate::single::{Image, Single};
use crate::transformed::Prepared;
use crate::workspace::{Core, at_least, rooms};

impl Core {
    /// Inference of one image in this workspace's memory.
    pub(crate) fn infer_one(
        &mut self,
        layout: &Layout,
        net: &Single,
        image: &[f32],
        output: &mut [f32],
        group: &(dyn Fn(&mut Forward<'_>) + Sync),
    ) {
        self.images = 0;
        infer_one_in(&mut self.arena, layout, net, image, output, group);
    }

    /// Inference in this workspace's memory.
    pub(crate) fn infer(
        &mut self,
        layout: &Layout,
        prepared: Prepared<'_>,
        inputs: &[f32],
        outputs: &mut [f32],
        group: &(dyn Fn(&mut Forward<'_>) + Sync),
    ) {
        self.images = 0;
        let room = room_len(layout);
        let parts = groups(layout, inputs, outputs);
        Team::gather(parts.count(), |team| {
            let rooms = rooms(&mut self.rooms, team, room);
            team.for_each_with(rooms, parts, |arena, _, (inputs, outputs)| {
                infer_group(layout, prepared, arena, inputs, outputs, group);
            });
        });
    }

    /// As [`infer`](Self::infer), but only the index of the largest output of each image.
    pub(crate) fn infer_rows(
        &mut self,
        layout: &Layout,
        prepared: Prepared<'_>,
        inputs: &[f32],
        classes: &mut [usize],
        group: &(dyn Fn(&mut Forward<'_>) + Sync),
    ) {
        self.grow(layout, 1);
        let mut rows = std::mem::take(&mut self.outputs);
        let at_once = rows.len() / layout.output_len;
        for (inputs, classes) in
            inputs.chunks(at_once * layout.input_len).zip(classes.chunks_mut(at_once))
        {
            let rows = &mut rows[..classes.len() * layout.output_len];
            self.infer(layout, prepared, inputs, rows, group);
            for (class, row) in classes.iter_mut().zip(rows.chunks_exact(layout.output_len)) {
                *class = largest(row);
            }
        }
        self.outputs = rows;
        self.images = 0;
    }
}

thread_local! {
    /// The memory of inference without a workspace: one for each thread, grown once.
    static ARENA: std::cell::Cell<Vec<Lanes>> = const { std::cell::Cell::new(Vec::new()) };
}

/// Inference of one image in memory that each thread keeps.
pub(crate) fn infer_one(
    layout: &Layout,
    net: &Single,
    image: &[f32],
    output: &mut [f32],
    group: &(dyn Fn(&mut Forward<'_>) + Sync),
) {
    let mut arena = ARENA.take();
    infer_one_in(&mut arena, layout, net, image, output, group);
    ARENA.set(arena);
}

fn infer_one_in(
    arena: &mut Vec<Lanes>,
    layout: &Layout,
    net: &Single,
    image: &[f32],
    output: &mut [f32],
    group: &(dyn Fn(&mut Forward<'_>) + Sync),
) {
    let from = layout.inference_input;
    Team::gather(net.threads, |team| {
        let len = layout.inference_len;
        at_least(arena, len + net.scratch_len(team.threads()), Lanes::ZERO);
        let (arena, scratch) = arena.split_at_mut(len);
        net.load(image, &mut arena[from.offset..from.end()]);
        let one = Image { net, team, pixels: image };
        group(&mut Forward::of_image(arena, scratch, one, layout.steps));
        for output_of in layout.outputs {
            let (from, to) = (output_of.inference, output_of.row);
            let to = &mut output[to.offset..to.end()];
            net.store(output_of.node, &arena[from.offset..from.end()], to);
        }
    });
}

/// Inference in memory that each thread keeps.
pub(crate) fn infer(
    layout: &Layout,
    prepared: Prepared<'_>,
    inputs: &[f32],
    outputs: &mut [f32],
    group: &(dyn Fn(&mut Forward<'_>) + Sync),
) {
    let run = |(inputs, outputs): (&[f32], &mut [f32])| {
        let mut arena = ARENA.take();
        at_least(&mut arena, room_len(layout), Lanes::ZERO);
        infer_group(layout, prepared, &mut arena, inputs, outputs, group);
        ARENA.set(arena);
    };
    let parts = groups(layout, inputs, outputs);
    Team::gather(parts.count(), |team| team.for_each(parts, |_, part| run(part)));
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

fn infer_group(
    layout: &Layout,
    prepared: Prepared<'_>,
    arena: &mut [Lanes],
    inputs: &[f32],
    outputs: &mut [f32],
    group: &(dyn Fn(&mut Forward<'_>) + Sync),
) {
    let input = layout.inference_input;
    pack(inputs, &mut arena[input.offset..input.end()]);
    let (arena, scratch) = arena.split_at_mut(layout.inference_len);
    let (images, steps) = (inputs.len() / layout.input_len, layout.steps);
    group(&mut Forward::inference(&mut *arena, scratch, prepared, images, steps));
    for output in layout.outputs {
        let value = &arena[output.inference.offset..output.inference.end()];
        unpack_part(value, outputs, layout.output_len, output.row.offset);
    }
}

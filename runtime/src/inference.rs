//! Inference: in a workspace's memory, or in memory that each thread keeps.

use crate::kernels::team::{Team, chunks, chunks_mut};
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
        Team::gather(inputs.len().div_ceil(LANES * layout.input_len), |team| {
            let rooms = rooms(&mut self.rooms, team, room);
            let parts = (
                chunks(inputs, LANES * layout.input_len),
                chunks_mut(outputs, LANES * layout.output_len),
            );
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
    Team::gather(inputs.len().div_ceil(LANES * layout.input_len), |team| {
        let parts = (
            chunks(inputs, LANES * layout.input_len),
            chunks_mut(outputs, LANES * layout.output_len),
        );
        team.for_each(parts, |_, part| run(part));
    });
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

//! Inference: in a workspace's memory, or in memory that each thread keeps.

use rayon::prelude::*;

use crate::folded::Folded;
use crate::kernels::team::Team;
use crate::kernels::{LANES, Lanes, pack, unpack};
use crate::network::{Layout, largest};
use crate::pass::Forward;
use crate::single::{Image, Single};
use crate::workspace::Core;

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

    /// Inference in this workspace's memory, as many groups at a time as it holds.
    pub(crate) fn infer(
        &mut self,
        layout: &Layout,
        folded: Option<&Folded>,
        inputs: &[f32],
        outputs: &mut [f32],
        group: &(dyn Fn(&mut Forward<'_>) + Sync),
    ) {
        if self.arena.is_empty() {
            self.grow(layout, 1);
        }
        self.images = 0;
        let at_once = LANES * (self.arena.len() / layout.training_len);
        for (inputs, outputs) in inputs
            .chunks(at_once * layout.input_len)
            .zip(outputs.chunks_mut(at_once * layout.output_len))
        {
            self.arena
                .par_chunks_mut(layout.training_len)
                .zip(inputs.par_chunks(LANES * layout.input_len))
                .zip(outputs.par_chunks_mut(LANES * layout.output_len))
                .for_each(|((arena, inputs), outputs)| {
                    infer_group(layout, folded, arena, inputs, outputs, group);
                });
        }
    }

    /// As [`infer`](Self::infer), but only the index of the largest output of each image.
    pub(crate) fn infer_rows(
        &mut self,
        layout: &Layout,
        folded: Option<&Folded>,
        inputs: &[f32],
        classes: &mut [usize],
        group: &(dyn Fn(&mut Forward<'_>) + Sync),
    ) {
        self.grow(layout, 1);
        let at_once = LANES * (self.arena.len() / layout.training_len);
        let mut rows = std::mem::take(&mut self.outputs);
        let at_once = at_once.min(rows.len() / layout.output_len);
        for (inputs, classes) in
            inputs.chunks(at_once * layout.input_len).zip(classes.chunks_mut(at_once))
        {
            let rows = &mut rows[..classes.len() * layout.output_len];
            self.infer(layout, folded, inputs, rows, group);
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
    if arena.len() < layout.inference_len {
        arena.resize(layout.inference_len, Lanes::ZERO);
    }
    let (from, to) = (layout.inference_input, layout.inference_output);
    net.load(image, &mut arena[from.offset..from.end()]);
    Team::gather(net.threads, |team| {
        group(&mut Forward::of_image(arena, Image { net, team, pixels: image }));
    });
    net.store(&arena[to.offset..to.end()], output);
}

/// Inference in memory that each thread keeps.
pub(crate) fn infer(
    layout: &Layout,
    folded: Option<&Folded>,
    inputs: &[f32],
    outputs: &mut [f32],
    group: &(dyn Fn(&mut Forward<'_>) + Sync),
) {
    let run = |(inputs, outputs): (&[f32], &mut [f32])| {
        let mut arena = ARENA.take();
        if arena.len() < layout.inference_len {
            arena.resize(layout.inference_len, Lanes::ZERO);
        }
        infer_group(layout, folded, &mut arena, inputs, outputs, group);
        ARENA.set(arena);
    };
    if inputs.len() <= LANES * layout.input_len {
        run((inputs, outputs));
    } else {
        inputs
            .par_chunks(LANES * layout.input_len)
            .zip(outputs.par_chunks_mut(LANES * layout.output_len))
            .for_each(run);
    }
}

fn infer_group(
    layout: &Layout,
    folded: Option<&Folded>,
    arena: &mut [Lanes],
    inputs: &[f32],
    outputs: &mut [f32],
    group: &(dyn Fn(&mut Forward<'_>) + Sync),
) {
    let (input, output) = (layout.inference_input, layout.inference_output);
    pack(inputs, &mut arena[input.offset..input.end()]);
    group(&mut Forward::inference(arena, folded));
    unpack(&arena[output.offset..output.end()], outputs);
}

//! The memory of a training step, and how its groups of images are shared out among threads.

use rayon::prelude::*;

use crate::kernels::{LANES, Lanes, pack, unpack};
use crate::network::{Layout, Network, largest};
use crate::pass::{Backward, Forward, Mode};
use crate::plain::Plain;
use crate::single::{Image, Single};
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
    images: usize,
    arena: Vec<Lanes>,
    outputs: Vec<f32>,
    output_gradient: Vec<f32>,
    partials: Vec<f32>,
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
            seed: 0,
            passes: 0,
            dropout: true,
        }
    }

    fn grow(&mut self, layout: &Layout, images: usize) {
        fn at_least<T: Clone>(buffer: &mut Vec<T>, len: usize, zero: T) {
            if buffer.len() < len {
                buffer.resize(len, zero);
            }
        }
        let groups = images.div_ceil(LANES);
        at_least(&mut self.arena, groups * layout.training_len, Lanes::ZERO);
        at_least(&mut self.outputs, images * layout.output_len, 0.0);
        at_least(&mut self.output_gradient, images * layout.output_len, 0.0);
        at_least(&mut self.partials, slots(layout, groups).0 * layout.parameters, 0.0);
    }

    /// One group after the other through `group`, in training mode; the groups run in parallel.
    pub(crate) fn forward(
        &mut self,
        layout: &Layout,
        inputs: &[f32],
        group: &(dyn Fn(&mut Forward<'_>) + Sync),
    ) {
        self.images = inputs.len() / layout.input_len;
        self.grow(layout, self.images);
        self.passes += 1;
        let (seed, pass, dropout) = (self.seed, self.passes, self.dropout);
        let outputs = &mut self.outputs[..self.images * layout.output_len];
        self.arena
            .par_chunks_mut(layout.training_len)
            .zip(inputs.par_chunks(LANES * layout.input_len))
            .zip(outputs.par_chunks_mut(LANES * layout.output_len))
            .enumerate()
            .for_each(|(index, ((arena, inputs), outputs))| {
                pack(inputs, &mut arena[layout.training_input.offset..layout.training_input.end()]);
                let mode = Mode::Training { seed, pass, group: index, dropout };
                group(&mut Forward::new(arena, mode));
                let output = layout.training_output;
                unpack(&arena[output.offset..output.end()], outputs);
            });
    }

    /// The groups of the last forward in reverse; each slot of groups has partial gradients of its
    /// own, and they are added up in the slots' order, so that the sum does not depend on threads.
    pub(crate) fn backward(
        &mut self,
        layout: &Layout,
        gradients: &mut [f32],
        accumulate: bool,
        group: &(dyn Fn(&mut [f32], &mut Backward<'_>) + Sync),
    ) {
        let groups = self.images.div_ceil(LANES);
        let (slots, groups_a_slot) = slots(layout, groups);
        let (seed, pass, dropout) = (self.seed, self.passes, self.dropout);
        let rows = &self.output_gradient[..self.images * layout.output_len];
        let partials = &mut self.partials[..slots * layout.parameters];
        self.arena[..groups * layout.training_len]
            .par_chunks_mut(groups_a_slot.max(1) * layout.training_len)
            .zip(partials.par_chunks_mut(layout.parameters.max(1)))
            .enumerate()
            .for_each(|(slot, (arenas, partial))| {
                partial.fill(0.0);
                for (i, arena) in arenas.chunks_exact_mut(layout.training_len).enumerate() {
                    let index = slot * groups_a_slot + i;
                    let end = rows.len().min((index + 1) * LANES * layout.output_len);
                    let buffer = layout.output_gradient;
                    pack(
                        &rows[index * LANES * layout.output_len..end],
                        &mut arena[buffer.offset..buffer.end()],
                    );
                    let mode = Mode::Training { seed, pass, group: index, dropout };
                    group(partial, &mut Backward::new(arena, mode));
                }
            });
        gradients.par_chunks_mut(PIECE).enumerate().for_each(|(piece, sums)| {
            if !accumulate {
                sums.fill(0.0);
            }
            for slot in 0..slots {
                let start = slot * layout.parameters + piece * PIECE;
                for (sum, part) in sums.iter_mut().zip(&partials[start..]) {
                    *sum += part;
                }
            }
        });
    }

    /// Inference of one image in this workspace's memory.
    pub(crate) fn infer_one(
        &mut self,
        layout: &Layout,
        net: &Single,
        image: &[f32],
        output: &mut [f32],
        group: &dyn Fn(&mut Forward<'_>),
    ) {
        self.images = 0;
        infer_one_in(&mut self.arena, layout, net, image, output, group);
    }

    /// Inference in this workspace's memory, as many groups at a time as it holds.
    pub(crate) fn infer(
        &mut self,
        layout: &Layout,
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
                    infer_group(layout, arena, inputs, outputs, group);
                });
        }
    }
}

impl Core {
    /// As [`infer`](Self::infer), but only the index of the largest output of each image.
    pub(crate) fn infer_rows(
        &mut self,
        layout: &Layout,
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
            self.infer(layout, inputs, rows, group);
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
    group: &dyn Fn(&mut Forward<'_>),
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
    group: &dyn Fn(&mut Forward<'_>),
) {
    if arena.len() < layout.inference_len {
        arena.resize(layout.inference_len, Lanes::ZERO);
    }
    let (from, to) = (layout.inference_input, layout.inference_output);
    net.load(image, &mut arena[from.offset..from.end()]);
    group(&mut Forward::of_image(arena, Image { net, pixels: image }));
    net.store(&arena[to.offset..to.end()], output);
}

/// Inference in memory that each thread keeps.
pub(crate) fn infer(
    layout: &Layout,
    inputs: &[f32],
    outputs: &mut [f32],
    group: &(dyn Fn(&mut Forward<'_>) + Sync),
) {
    let run = |(inputs, outputs): (&[f32], &mut [f32])| {
        let mut arena = ARENA.take();
        if arena.len() < layout.inference_len {
            arena.resize(layout.inference_len, Lanes::ZERO);
        }
        infer_group(layout, &mut arena, inputs, outputs, group);
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
    arena: &mut [Lanes],
    inputs: &[f32],
    outputs: &mut [f32],
    group: &(dyn Fn(&mut Forward<'_>) + Sync),
) {
    let (input, output) = (layout.inference_input, layout.inference_output);
    pack(inputs, &mut arena[input.offset..input.end()]);
    group(&mut Forward::new(arena, Mode::Inference));
    unpack(&arena[output.offset..output.end()], outputs);
}

/// How many slots of partial gradients there are, and how many groups each takes. Sizes alone
/// decide, never the number of threads, so that results do not depend on it.
fn slots(layout: &Layout, groups: usize) -> (usize, usize) {
    let most = (PARTIALS / layout.parameters.max(1)).max(2);
    let groups_a_slot = groups.div_ceil(most.min(groups.max(1)));
    (groups.div_ceil(groups_a_slot.max(1)), groups_a_slot)
}

/// Checks that there is one target for each output.
pub(crate) fn same_count(what: &str, expected: usize, found: usize) -> Result<()> {
    if expected == found { Ok(()) } else { Err(Error::size(what, expected, found)) }
}

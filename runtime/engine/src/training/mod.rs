//! The memory of a training step, and how its groups of images are shared out among threads.
//!
//! `sizes`: on how many threads it runs, and what it takes; `forward`, `backward`: its passes; `rest`: what is left
//! over of full groups; `sums`: where groups and their gradients are added up.

mod backward;
mod forward;
mod rest;
mod sizes;
mod sums;

use typenet_kernels::{LANES, Lanes};
use typenet_shape::{Conv2dPass, TensorKind};

pub use self::sizes::step_bytes;
use self::sizes::{is_alone, slots, threads_of_groups};
use crate::arena::at_least;
use crate::blocked_training::{BlockedMemory, blocked_images};
use crate::jvp::{Jvp, JvpMemory, Masks};
use crate::layout::Layout;
use crate::pass::Mode;
use crate::spec::NetSpec;
use crate::trainable::Trainable;

/// The memory of a training step: the part of a workspace that is the same for every net.
#[derive(Debug)]
pub struct StepMemory {
    pub(crate) images: usize,
    /// For how many images memory was made ready last.
    ready: usize,
    /// On how many threads at most such a step runs, where some of it runs in groups.
    threads: usize,
    /// How many of these images, the last ones, run with 16 channels side by side.
    blocked_images: usize,
    /// Whether all images run in groups, whatever is faster.
    is_interleaved: bool,
    /// Whether the last images are a task of one thread, where others run in groups.
    is_rest_alone: bool,
    /// What the thread with that task needs.
    rest_room: Vec<Lanes>,
    /// What images with 16 channels side by side need, once there were some.
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
    /// Of each node whether a backward pass has left gradients.
    summed: Vec<bool>,
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
            blocked_images: 0,
            is_rest_alone: false,
            rest_room: Vec::new(),
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

    /// Runs all images in groups of 16, as forward mode does. Values then are the same to the bit, and so are the
    /// sides that relu and maxima take.
    pub fn set_interleaved(&mut self) {
        self.is_interleaved = true;
        (self.ready, self.blocked_images) = (0, 0);
    }

    /// The memory of forward mode.
    pub fn jvp(&mut self) -> &mut JvpMemory {
        self.jvp.get_or_insert_default()
    }

    /// Forward mode as the net trains: batch norms take the statistics of these images, and dropout
    /// drops what the last forward pass dropped.
    pub fn train_jvp(&mut self, call: Jvp<'_>, trained: &Trainable) {
        let images = call.inputs.len() / call.spec.layout.input_len;
        let blocked = self.blocked_of(call.spec, images);
        let (seed, pass, dropout) = (self.seed, self.passes, self.dropout);
        let masks = Masks { seed, pass, dropout, in_groups: images - blocked };
        self.jvp().train(call, trained, masks);
    }

    /// How many of so many images, the last ones, run with 16 channels side by side.
    fn blocked_of(&self, spec: &NetSpec, images: usize) -> usize {
        if self.is_interleaved { 0 } else { blocked_images(spec, images) }
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
        self.blocked_images = self.blocked_of(spec, images);
        let groups = (images - self.blocked_images).div_ceil(LANES);
        let mut lanes = groups * layout.training_len;
        if self.blocked_images > 0 {
            lanes += self.blocked.get_or_insert_default().grow(spec, self.blocked_images);
        }
        at_least(&mut self.arena, lanes, Lanes::ZERO);
        if groups == 0 {
            return;
        }
        self.is_rest_alone = is_alone(spec, self.blocked_images);
        self.threads = threads_of_groups(spec, images);
        let slots = slots(layout, groups).0;
        at_least(&mut self.partials, slots * layout.parameters, 0.0);
        for (transformed, pass) in
            self.transformed.iter_mut().zip([Conv2dPass::Forward, Conv2dPass::BackwardData])
        {
            at_least(transformed, layout.transformed_len(pass), 0.0);
        }
        let sums = layout.transformed_len(Conv2dPass::BackwardWeight);
        at_least(&mut self.sums, slots * sums, Lanes::ZERO);
        at_least(&mut self.gathered, images.div_ceil(LANES) * (statistics + 1), 0.0);
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

    /// How the group of this number trains, or the images from this number on with 16 channels side by side.
    fn mode(&self, group: usize) -> Mode {
        Mode::Training { seed: self.seed, pass: self.passes, group, dropout: self.dropout }
    }

    /// Stores the running statistics among `parameters` that the last forward moved towards its own;
    /// before the backward pass, which needs their memory.
    pub fn update_running(&self, layout: &Layout, trained: &Trainable, parameters: &mut [f32]) {
        if self.images == 0 {
            return;
        }
        for norm in layout.norms.iter().filter(|norm| !trained.of(norm.node).fixed) {
            let moved = &self.of_norms[norm.statistics.offset..norm.statistics.end()];
            let (mean, variance) = moved.split_at(norm.channels);
            parameters[layout.place(norm.node, TensorKind::RunningMean)].copy_from_slice(mean);
            parameters[layout.place(norm.node, TensorKind::RunningVar)].copy_from_slice(variance);
        }
    }
}

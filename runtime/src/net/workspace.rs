//! The memory of a training step.

use std::marker::PhantomData;

use typenet_engine::{NetSpec, StepMemory};
use typenet_kernels::memory::zeros;

/// Everything that a training step of `N` needs, allocated once: activations and their gradients
/// by the net's memory plan, the outputs, and the gradients of the parameters.
///
/// It grows with a larger batch, and never shrinks.
pub struct Workspace<N> {
    pub(crate) memory: StepMemory,
    /// The gradients, in the order of the parameters.
    pub(crate) gradients: Box<[f32]>,
    net: &'static str,
    output_len: usize,
    of: PhantomData<fn() -> N>,
}

impl<N> Workspace<N> {
    pub(crate) fn new(spec: &NetSpec, batch: usize) -> Workspace<N> {
        Workspace {
            memory: StepMemory::new(spec, batch),
            gradients: zeros(0.0, spec.layout.parameters).into(),
            net: spec.graph.name,
            output_len: spec.layout.output_len,
            of: PhantomData,
        }
    }

    /// How many images the last `forward` ran; 0 after a prediction in this workspace.
    pub fn batch(&self) -> usize {
        self.memory.images()
    }

    /// What a loss works on: the outputs as numbers, image after image, and their gradients to write.
    pub fn output_rows(&mut self) -> (&[f32], &mut [f32]) {
        self.memory.outputs(self.output_len)
    }

    /// Restarts the random numbers of dropout from `seed`; a new workspace has seed 0.
    pub fn reseed(&mut self, seed: u64) {
        self.memory.reseed(seed);
    }

    /// The state of dropout's random numbers: the seed, and how many forward passes have drawn from it.
    /// [`set_dropout_state`](Self::set_dropout_state) restores it in a run that is resumed later.
    pub fn dropout_state(&self) -> (u64, u64) {
        self.memory.dropout_state()
    }

    /// Continues dropout's random numbers where [`dropout_state`](Self::dropout_state) was read.
    pub fn set_dropout_state(&mut self, state: (u64, u64)) {
        self.memory.set_dropout_state(state);
    }

    /// Runs steps in groups of 16 images alone: for tests.
    #[doc(hidden)]
    pub fn set_interleaved(&mut self) {
        self.memory.set_interleaved();
    }

    /// Sets whether `forward` drops values in `dropout` layers; `true` unless changed. Switch it off to
    /// compare gradients with finite differences.
    pub fn set_dropout(&mut self, enabled: bool) {
        self.memory.set_dropout(enabled);
    }
}

impl<N> std::fmt::Debug for Workspace<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workspace")
            .field("net", &self.net)
            .field("batch", &self.batch())
            .finish_non_exhaustive()
    }
}

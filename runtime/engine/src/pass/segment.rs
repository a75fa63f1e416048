//! Where a pass stands: what kind it is, and which part of a training step runs.

use typenet_kernels::team::Crew;
use typenet_kernels::{Lanes, dropout};
use typenet_shape::{Activation, Buffers, Step};

use crate::spec::StepCall;

/// Whether a pass trains, and for training which random numbers are its own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    Training { seed: u64, pass: u64, group: usize, dropout: bool },
    Inference,
}

impl Mode {
    /// Where a step reads and writes.
    pub(super) fn buffers(self, step: &Step) -> &Buffers {
        match self {
            Mode::Training { .. } => &step.training,
            Mode::Inference => &step.inference,
        }
    }

    /// The same pass for another group.
    pub(crate) fn of_group(self, group: usize) -> Mode {
        match self {
            Mode::Training { seed, pass, dropout, .. } => {
                Mode::Training { seed, pass, group, dropout }
            }
            Mode::Inference => Mode::Inference,
        }
    }

    /// The random numbers of a dropout layer in this pass, if it drops anything.
    pub(crate) fn dropout_key(self, node: usize) -> Option<dropout::Key> {
        match self {
            Mode::Training { seed, pass, group, dropout: true } => {
                Some(dropout::Key { seed, pass, node: node as u64, group: group as u64 })
            }
            _ => None,
        }
    }
}

/// Where a group of images stands in a training step.
#[derive(Debug)]
pub(crate) struct Segment<'a> {
    /// The segment that runs; see [`Plan::norms`](typenet_shape::Plan::norms).
    pub(crate) index: usize,
    /// How many images the group has.
    pub(crate) images: usize,
    pub(crate) call: StepCall<'a>,
    /// What the group gathers for the batch norm at which the segment ends.
    pub(crate) gathered: &'a mut [f32],
    /// Mean and `1 / √(variance + eps)` of all batch norms so far.
    pub(crate) statistics: &'a [f32],
    /// In a backward pass: the means of the gradients of all batch norms so far.
    pub(crate) means: &'a [f32],
}

impl Segment<'_> {
    /// Whether a batch norm takes its running statistics.
    pub(crate) fn is_fixed(&self, node: usize) -> bool {
        self.call.trained.of(node).fixed
    }
}

/// What convolutions that transform need beside the arena in a backward pass.
#[derive(Debug)]
pub(crate) struct Room<'a> {
    /// The weights transformed for the data gradient.
    pub(crate) transformed: &'a [f32],
    /// Whether the gradients of transformed weights are added to what stands in `sums`.
    pub(crate) adds: bool,
    /// Where these are added up.
    pub(crate) sums: &'a mut [Lanes],
    /// Who works on the group, and memory that a step needs while it runs.
    pub(crate) crew: Crew<'a>,
}

/// The activation that a layer is, where it is one.
pub(super) fn own_activation(step: &Step) -> Activation {
    step.op.activation().unwrap_or(Activation::Identity)
}

//! A declared net as constants, and what its training steps are called with.

use typenet_kernels::team::Team;
use typenet_shape::{Graph, LayerInfo, Op, Shape};

use crate::layout::Layout;
use crate::trainable::Trainable;

/// What the declaration of a net comes to, without its types.
#[derive(Clone, Copy, Debug)]
pub struct NetSpec {
    /// The net as data.
    pub graph: &'static Graph<'static>,
    /// The output shape of every node of the graph.
    pub shapes: &'static [Shape],
    /// What is known of every node of the graph.
    pub layers: &'static [LayerInfo],
    /// Sizes and places.
    pub layout: &'static Layout,
}

/// What a step computes with, and does not change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepCall<'a> {
    pub(crate) spec: &'a NetSpec,
    pub(crate) trained: &'a Trainable,
    pub(crate) parameters: &'a [f32],
}

impl NetSpec {
    /// [`Team::gather`] for a call of this net.
    pub(crate) fn gather<R: Send>(
        &self,
        threads: usize,
        body: impl FnOnce(&Team) -> R + Send,
    ) -> R {
        Team::gather(threads, |team| {
            let has_own = || self.layout.steps.iter().any(|step| matches!(step.op, Op::Own(_)));
            if team.threads() > 1 && has_own() {
                team.runs_foreign_code();
            }
            body(team)
        })
    }
}

//! In which layout a training step runs.

use typenet_shape::TrainingCosts;

use super::call::BlockedTrainingPlan;
use crate::forced::{Forced, forced};
use crate::spec::NetSpec;

/// Whether a training step of so many images runs with 16 channels side by side. Sizes decide, never the
/// number of threads, since the last bits of the results depend on it.
pub fn is_blocked_step(spec: &NetSpec, images: usize) -> bool {
    let cheaper = || TrainingCosts::new(spec.graph, spec.shapes, images).is_blocked();
    images > 0
        && BlockedTrainingPlan::missing(spec).is_none()
        && forced().map_or_else(cheaper, |layout| layout == Forced::Blocked)
}

/// From so many cycles on, a group of images is worth another thread: some tenths of a millisecond.
const HELPED: u64 = 1_000_000;

/// On how many threads at most a training step runs in groups of 16 images: one for each group, and more where a
/// group is work for several.
pub(crate) fn threads_of_groups(spec: &NetSpec, images: usize) -> usize {
    let costs = TrainingCosts::new(spec.graph, spec.shapes, images);
    costs.groups.max(1).saturating_add(costs.interleaved / HELPED) as usize
}

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

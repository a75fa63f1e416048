//! In which layout a training step runs.

use typenet_shape::TrainingCosts;

use super::call::BlockedTrainingPlan;
use crate::forced::{Forced, forced, left_over};
use crate::spec::NetSpec;

/// How many of so many images, the last ones, run with 16 channels side by side in a training step: all, what
/// is left over of full groups, or none. Sizes decide, never the number of threads, since the last bits of the
/// results depend on it.
pub fn blocked_images(spec: &NetSpec, images: usize) -> usize {
    let forced = forced();
    if forced == Some(Forced::Interleaved) || BlockedTrainingPlan::missing(spec).is_some() {
        return 0;
    }
    let left_over = left_over(images);
    let costs = |images| TrainingCosts::new(spec.graph, spec.shapes, images);
    match forced {
        Some(Forced::Blocked) => images,
        Some(Forced::Mixed) => left_over,
        _ if costs(images).is_blocked() => images,
        _ if left_over > 0 && costs(left_over).is_left_over_blocked() => left_over,
        _ => 0,
    }
}

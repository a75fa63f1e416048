//! In which layout a training step runs.

use std::sync::OnceLock;

use typenet_shape::TrainingCosts;

use super::plan::BlockedTrainingPlan;
use crate::spec::NetSpec;

/// Whether a training step of so many images runs with 16 channels side by side. Sizes decide, never the
/// number of threads, since the last bits of the results depend on it.
pub(crate) fn is_blocked(spec: &NetSpec, images: usize) -> bool {
    let wanted = || TrainingCosts::new(spec.graph, spec.shapes, images).is_blocked();
    images > 0
        && BlockedTrainingPlan::missing(spec).is_none()
        && forced().unwrap_or_else(wanted)
}

/// The layout that the environment variable `TYPENET_LAYOUT` names: `interleaved` or `blocked`. Decided at
/// the first call.
fn forced() -> Option<bool> {
    static CHOICE: OnceLock<Option<bool>> = OnceLock::new();
    *CHOICE.get_or_init(|| {
        let value = std::env::var("TYPENET_LAYOUT").unwrap_or_default();
        match value.trim().to_ascii_lowercase().as_str() {
            "blocked" => Some(true),
            "interleaved" => Some(false),
            _ => None,
        }
    })
}

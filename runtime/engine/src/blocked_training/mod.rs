//! A training step with 16 channels side by side, image by image: for large images and small batches, of
//! which the interleaved layout has too few groups, each too large for any cache.
//!
//! The whole batch runs through one step after the other, and each step is shared out among the team: so a
//! batch norm needs no segments, and the gradient of a weight is summed over all images at once.
//!
//! - `plan`: how values are stored, how long they live, and where; `lives` under it.
//! - `memory`: what a workspace keeps for it.
//! - `run`: what all calls share; `forward`, `backward`: the calls one after the other; `conv2d`, `norms`,
//!   `linear`, `elementwise`, `pools`: theirs by kind.

mod backward;
mod choice;
mod conv2d;
mod elementwise;
mod forward;
mod linear;
mod lives;
mod memory;
mod norms;
mod plan;
mod pools;
mod run;

pub(crate) use choice::is_blocked;
pub(crate) use memory::{BlockedMemory, StepBuffers};
pub(crate) use plan::BlockedTrainingPlan;

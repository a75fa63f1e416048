//! A training step with 16 channels side by side, image by image: for large images and small batches, of
//! which the interleaved layout has too few groups, each too large for any cache.
//!
//! The whole batch runs through one step after the other, and each step is shared out among the team: so a
//! batch norm needs no segments, and the gradient of a weight is summed over all images at once.
//!
//! - `plan`: how values are stored, how long they live, and where; `lives` and `place` under it.
//! - `memory`: what a workspace keeps for it.
//! - `forward`, `backward`: one function for each kind of step; `conv2d`, `norms`, `others`: their kernels.

mod backward;
mod conv2d;
mod forward;
mod lives;
mod memory;
mod norms;
mod plan;
mod place;
mod run;

pub(crate) use memory::BlockedMemory;
pub(crate) use plan::BlockedTrainingPlan;

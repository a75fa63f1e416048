//! A training step with 16 channels side by side, image by image: for large images and small batches, of
//! which the interleaved layout has too few groups, each too large for any cache.
//!
//! The whole batch runs through one step after the other, and each step is shared out among the team: so a
//! batch norm needs no segments, and the gradient of a weight is summed over all images at once. Only what is left
//! over of full groups runs beside these in segments, and meets them at each batch norm as a group does.
//!
//! - `plan`: the calls of a net (`call`); `lives`: how long values live, and where; `rooms`: what calls need
//!   for themselves.
//! - `choice`: whether a step runs so; `memory`: what a workspace keeps for it.
//! - `run`, `gradients`: what all calls share; `forward`, `backward`: which call does what.
//! - `conv2d` (with `grouped`), `conv_transpose2d`, `linear`, `norms` (of the batch), `image_norms`, `pools`,
//!   `elementwise`, `joins` (what reads several values, and the rest), `own_layers`.

mod backward;
mod call;
mod choice;
mod conv2d;
mod conv_transpose2d;
mod elementwise;
mod forward;
mod gradients;
mod grouped;
mod image_norms;
mod joins;
mod linear;
mod lives;
mod memory;
mod norms;
mod own_layers;
mod plan;
mod pools;
mod rooms;
mod run;

pub use choice::blocked_images;
pub(crate) use gradients::{Gradients, Statistics};
pub(crate) use memory::{BlockedMemory, StepPlace};

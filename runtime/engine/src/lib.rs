//! How a declared net runs: its steps in the arenas of groups of images, shared out to a team of
//! threads, and its weights prepared for the kernels. Nothing of files, losses, optimisers or printing.
//! Depend on the crate `typenet`, which re-exports what programs use.
//!
//! Reading order: [`layout`] (sizes and places, from the plan that `typenet-shape` computes), [`pass`]
//! (what one step calls), [`training`] and [`inference`] (how steps are shared out), [`weights`] and
//! [`blocked`] (what is prepared from the parameters; the layout of few or large images).
#![deny(unsafe_code)]

mod arena;
pub mod blocked;
mod blocked_training;
pub mod flat;
mod forced;
pub mod inference;
pub mod jvp;
pub mod layout;
mod norms;
mod parameter_structs;
pub mod parameters;
pub mod pass;
pub mod rows;
pub mod spec;
pub mod trainable;
pub mod training;
pub mod weights;

pub use blocked::{BlockedPlan, LayerBalance};
pub use blocked_training::blocked_images;
pub use flat::{Flat, floats};
pub use inference::Inference;
pub use layout::Layout;
pub use spec::NetSpec;
pub use trainable::Trainable;
pub use training::{StepMemory, step_bytes};
pub use weights::PreparedWeights;

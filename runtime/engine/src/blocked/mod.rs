//! Inference with 16 channels of an image side by side: of one image, or of several. The steps are those of a
//! group of 16 images; kernels, memory and weights differ. The weights are packed at the first prediction
//! after they have changed.

mod balance;
mod pass;
mod plan;
mod weights;

pub use balance::LayerBalance;
pub(crate) use pass::Blocked;
pub use plan::BlockedPlan;
pub(crate) use plan::{Carried, Halves, Memory};
pub(crate) use weights::BlockedWeights;

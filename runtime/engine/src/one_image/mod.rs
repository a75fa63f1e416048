//! Inference of one image: the same steps as for 16, with the channels of the image side by side. The
//! weights are packed for it at the first prediction after they have changed.

mod pass;
mod plan;
mod weights;

pub(crate) use pass::OneImage;
pub use plan::OneImagePlan;
pub(crate) use weights::OneImageWeights;

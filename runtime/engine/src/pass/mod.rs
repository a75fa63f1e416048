//! What the generated passes call: one method for each kind of layer, which finds the layer's
//! buffers in the arena of a group of images and runs its kernels.

mod backward;
mod by_channels;
mod conv2d;
mod elementwise;
mod forward;
mod nested;
mod norms;
mod pools;
mod segment;
mod steps;
mod upsample;

pub use self::backward::Backward;
pub use self::conv2d::kernel_of;
pub use self::forward::Forward;
pub(crate) use self::forward::ONLY_BLOCKED;
pub(crate) use self::segment::{Mode, Room, Segment};

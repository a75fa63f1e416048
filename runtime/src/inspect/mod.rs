//! What a net is made of and computes: the table of its layers, the value of each, its picture.

#[cfg(feature = "diagram")]
pub mod diagram;
pub(crate) mod summary;
mod trace;

#[doc(hidden)]
pub use summary::thousands;
pub use summary::{Conv2dKernels, Summary, SummaryRow};
pub use trace::{LayerValue, Trace};
pub use typenet_engine::LayerBalance;

use typenet_engine::BlockedPlan;

use crate::Network;

/// How evenly inference of `images` images splits each convolution among `threads` threads, in the layout with
/// 16 channels of an image side by side. It depends on the declaration alone, not on the machine.
///
/// Grouped convolutions are left out.
pub fn planned_balance<N: Network>(images: usize, threads: usize) -> Vec<LayerBalance> {
    BlockedPlan::new(&N::SPEC).balance(&N::SPEC, images.max(1), threads.max(1))
}

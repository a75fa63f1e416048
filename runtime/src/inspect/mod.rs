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

/// How evenly the convolutions of an inference of so many images are shared out among so many threads, with 16
/// channels of an image side by side. A function of the declaration alone, the same on every machine.
///
/// Convolutions in groups are left out.
pub fn planned_balance<N: Network>(images: usize, threads: usize) -> Vec<LayerBalance> {
    BlockedPlan::new(&N::SPEC).balance(&N::SPEC, images.max(1), threads.max(1))
}

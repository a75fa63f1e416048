//! What a net is made of and computes: the table of its layers, the value of each, its picture.

#[cfg(feature = "diagram")]
pub mod diagram;
pub(crate) mod summary;
mod trace;

#[doc(hidden)]
pub use summary::thousands;
pub use summary::{Conv2dKernels, Summary, SummaryRow};
pub use trace::{LayerValue, Trace};

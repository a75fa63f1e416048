//! The results of a training run as one self-contained HTML page: the curves of loss,
//! accuracy and learning rate, the confusion matrix, precision and recall of each class, the images
//! that the net is most wrong about, the filters of its first layer, its diagram, the machine and the
//! seed.
//!
//! [`Report`] gathers the results from a net and its data into a [`Record`], which [`Record::to_html`]
//! draws. The record is stored beside the page, so that the page can be drawn again without the net.
#![forbid(unsafe_code)]

mod charts;
mod error;
mod files;
mod gather;
mod page;
mod pictures;
mod record;

pub use error::{Error, Result};
pub use gather::Report;
pub use record::{Confusion, EpochRecord, Filters, NetRecord, Picture, Record, WrongImage};
#[doc(hidden)]
pub use typenet_runtime::inspect::thousands;

//! What a training run came to, as one HTML page that needs nothing else: the curves of loss,
//! accuracy and learning rate, the confusion matrix, precision and recall of each class, the images
//! that the net is most wrong about, the filters of its first layer, its diagram, the machine and the
//! seed.
//!
//! [`Report`] gathers it from a net and its data; a [`Record`] is what it gathered, which
//! [`Record::to_html`] draws. The record is stored beside the page, so that the page can be drawn
//! again without the net.
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

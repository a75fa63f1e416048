//! The runtime of typenet: what the code that `network!` writes calls, and what a program around it
//! uses. Depend on the crate `typenet`, which re-exports all of it with its documentation.
//!
//! Reading order: [`network`] (what a net is and can do), [`workspace`] and [`pass`] (how a step
//! runs), [`kernels`] (the arithmetic), [`loss`], [`optim`], [`data`], [`train`], [`io`],
//! [`mod@reference`] (the same in f64, slowly).
#![deny(unsafe_code)]

pub mod data;
#[cfg(feature = "diagram")]
pub mod diagram;
mod ends;
mod error;
mod folded;
mod inference;
pub mod init;
pub mod io;
pub mod kernels;
pub mod layers;
mod layout;
pub mod loss;
mod model;
pub mod network;
pub mod optim;
pub mod parameters;
pub mod part;
pub mod pass;
pub mod plain;
pub mod random;
pub mod reference;
mod returned;
mod scores;
mod single;
mod summary;
mod trace;
pub mod train;
mod trained;
mod transformed;
mod tuples;
pub mod workspace;

/// The crate `image`, in the version that [`Network::input_from_image`] takes images of.
#[cfg(feature = "image")]
pub use ::image;
pub use ends::{
    EndsInLogProbabilities, EndsInLogits, LogProbabilities, Logits, SingleInput, SingleOutput,
};
pub use error::Error;
pub use layout::Layout;
pub use model::{Metadata, Model, Normalization};
pub use network::Network;
pub use plain::Plain;
pub use returned::{Boxed, OutputValue, Returned};
pub use scores::Scores;
pub use summary::{Conv2dKernels, Summary, SummaryRow};
pub use trace::{LayerValue, Trace};
pub use workspace::Workspace;

/// A result with typenet's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

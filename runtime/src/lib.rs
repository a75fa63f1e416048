//! The runtime of typenet: what a program calls around a declared net. Depend on the crate `typenet`,
//! which re-exports all of it with its documentation.
//!
//! Reading order: [`net`] (what a net is and can do), [`loss`], [`optim`], [`data`], [`train`], [`io`],
//! [`init`], [`inspect`], [`mod@reference`] (the same nets in f64, slowly). The crate `typenet-engine` runs
//! the steps, `typenet-kernels` does the arithmetic.
#![forbid(unsafe_code)]

pub mod data;
pub mod derivatives;
mod error;
pub mod init;
pub mod inspect;
pub mod io;
pub mod layers;
pub mod loss;
pub mod net;
pub mod optim;
mod random;
pub mod reference;
pub mod symbolic;
pub mod train;

/// The crate `image`, in the version whose images [`Network::input_from_image`] takes.
#[cfg(feature = "image")]
pub use ::image;
pub use error::{Error, LoadHelp};
pub use inspect::{Conv2dKernels, LayerValue, Summary, SummaryRow, Trace};
pub use net::{
    LogProbabilities, Logits, Metadata, Model, Network, Normalization, OutputValue, Scores,
    SingleInput, SingleOutput, Workspace,
};

/// A `std::result::Result` whose error type is typenet's [`Error`] unless another is given.
pub type Result<T, E = Error> = std::result::Result<T, E>;

//! What every net can do, and what is stored with its parameters.

pub mod as_layer;
pub(crate) mod embedded;
pub(crate) mod metadata;
pub(crate) mod model;
pub(crate) mod network;
pub(crate) mod output_value;
pub(crate) mod outputs;
pub(crate) mod scores;
pub(crate) mod targets;
pub(crate) mod trainable;
pub(crate) mod workspace;

#[doc(hidden)]
pub use embedded::{Aligned, Embedded, pretrained};
pub use metadata::{Metadata, Normalization};
pub use model::Model;
#[doc(hidden)]
pub use network::WithoutSeed;
pub use network::{Network, seeded};
pub use output_value::{Boxed, OutputValue, Returned};
pub use outputs::{
    EndsInLogProbabilities, EndsInLogits, LogProbabilities, Logits, SingleInput, SingleOutput,
};
pub use scores::Scores;
pub use targets::Matches;
pub use workspace::Workspace;

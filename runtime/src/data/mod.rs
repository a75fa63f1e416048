//! Data sets: inputs with their targets in memory, how they are split, normalised and drawn into
//! minibatches, and how they are read from files.
//!
//! [`Examples`] is what a trainer needs of them, wherever they are. [`Dataset`] holds them in memory;
//! [`Dataset::minibatches`] is for loops written by hand, [`Sampler`] with [`Dataset::gather`] is the same
//! without allocation.
//!
//! With the feature `files` (a default): [`Dataset::from_idx`] reads the format of MNIST,
//! [`Dataset::from_csv`] tables with a label, and [`Dataset::from_csv_values`] tables with numbers to
//! predict. A file that starts with gzip's bytes `1f 8b` is decompressed, whatever its name. A file
//! is read completely or not at all, and what is wrong with it is said with its name and the byte
//! or row.

mod augment;
#[cfg(feature = "files")]
mod cifar;
#[cfg(feature = "files")]
mod csv;
mod dataset;
mod examples;
#[cfg(feature = "image")]
mod folder;
#[cfg(feature = "files")]
mod idx;
#[cfg(feature = "image")]
pub(crate) mod image;
mod images;
mod minibatches;
mod mixed_label;
pub(crate) mod pixels;
mod prefetch;
mod sampler;
mod scaling;
mod several;
mod shape;
#[cfg(feature = "files")]
mod source;
mod split;

#[cfg(feature = "files")]
pub use self::cifar::{Cifar100Labels, CifarImage};
#[cfg(feature = "files")]
pub use self::csv::{ClassOrder, Csv};
#[cfg(feature = "image")]
pub use self::folder::{Broken, FolderReport, ImageFolder};
#[cfg(feature = "image")]
pub use self::image::{Channels, ImageOptions, Resize};
pub use augment::{Augment, Border, Draw};
pub use dataset::Dataset;
pub use examples::{Augmented, Examples, MapTargets, Mixup, Subset, View};
pub use images::{Images, SkippedFile};
pub use minibatches::{Inputs, Minibatch, Minibatches};
pub use mixed_label::MixedLabel;
pub use prefetch::{Batch, Batches, Prefetch};
pub use sampler::Sampler;
#[doc(hidden)]
pub use several::{dataset_of, same_counts};
pub use shape::ArrayShape;
pub(crate) use split::{first_part, split_indices};

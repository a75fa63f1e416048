//! Data sets: inputs with their targets; reading, splitting, normalising, augmenting and drawing them into
//! minibatches.
//!
//! | source | where the numbers are | from |
//! |---|---|---|
//! | [`Dataset`] | in memory, as `f32` | arrays; [IDX](Dataset::from_idx) (MNIST's format) and [CSV](Dataset::from_csv) files |
//! | [`Images`] | in memory, as bytes | [bytes](Images::from_bytes); [CIFAR-10 and CIFAR-100](Images::from_cifar10) |
//! | [`Images`] | in a cache file, as bytes; for sets larger than the memory too | `ImageFolder`: PNG and JPEG files, a folder for each class |
//! | your own | anywhere | [`Examples`], the trait through which a trainer reads all of these |
//!
//! IDX, CSV and CIFAR files need the feature `files`, a default; folders the feature `image`. A file that
//! starts with gzip's bytes `1f 8b` is decompressed, whatever its name. A file is read completely or not at
//! all; an error names the file and the byte or row.
//!
//! Between a source and the trainer, [`Augment`] augments images ([`Examples::augmented`]),
//! [`Examples::mixup`] mixes them, and [`Prefetch`] fetches batches ahead of the net. For training loops by
//! hand there is [`Dataset::minibatches`]; [`Sampler`] with [`Dataset::gather`] is the same without
//! allocation.

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
pub use self::folder::{Broken, ImageFolder, read_image};
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

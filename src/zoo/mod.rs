//! Well-known nets, each a short declaration to use as it is or to start from: copy its source, and
//! change it.
//!
//! This module needs the feature `zoo`. Shapes and parameters are those of the papers or of
//! torchvision, and tests check them.
//!
//! | net | input | classes | parameters | multiply-adds |
//! |---|---|---:|---:|---:|
//! | [`LeNet5`] | 1×28×28 | 10 | 61,706 | 416,520 |
//! | [`ResNet20`] | 3×32×32 | 10 | 272,474 | 40.8 M |
//! | [`Inception`] | 3×32×32 | 10 | 562,618 | 146 M |
//! | [`SqueezeNet`] | 3×224×224 | 1000 | 1,235,496 | 349 M |
//! | [`MobileNetV2`] | 3×224×224 | 1000 | 3,504,872 | 301 M |
//! | [`UNet`] | 3×128×128 | a map | 7,763,041 | 3.02 G |
//! | [`DenseNet121`] | 3×224×224 | 1000 | 7,978,856 | 2.83 G |
//! | [`ResNet18`] | 3×224×224 | 1000 | 11,689,512 | 1.81 G |
//! | [`ResNet50`] | 3×224×224 | 1000 | 25,557,032 | 4.09 G |
//! | [`AlexNet`] | 3×224×224 | 1000 | 61,100,840 | 714 M |
//! | [`Vgg16`] | 3×224×224 | 1000 | 138,357,544 | 15.5 G |
//!
//! Where torchvision has a net, weight files use torchvision's names, so that its weights load. Write them
//! in Python: `save_file(torchvision.models.resnet18(weights="DEFAULT").state_dict(),
//! "resnet18.safetensors")`, with `save_file` from `safetensors.torch`. Then read them in Rust:
//!
//! ```no_run
//! use typenet::prelude::*;
//! use typenet::zoo::ResNet18;
//!
//! let net = ResNet18::load("resnet18.safetensors")?;
//! # Ok::<(), typenet::Error>(())
//! ```
//!
//! Images for the nets with 1000 classes are scaled to 0..=1 and normalised with the mean
//! `[0.485, 0.456, 0.406]` and the standard deviation `[0.229, 0.224, 0.225]` of the three colours.

mod alexnet;
mod densenet;
mod inception;
mod lenet5;
mod mobilenet;
mod resnet;
mod squeezenet;
mod unet;
mod vgg;

pub use alexnet::*;
pub use densenet::*;
pub use inception::*;
pub use lenet5::*;
pub use mobilenet::*;
pub use resnet::*;
pub use squeezenet::*;
pub use unet::*;
pub use vgg::*;

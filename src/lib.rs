//! Convolutional nets declared in Rust source, checked by the compiler, trained and run on a CPU.
//!
//! ```
//! use typenet::prelude::*;
//!
//! network! {
//!     /// Tells apart what is in 8×8 grey images.
//!     pub struct Tiny: [1, 8, 8] -> [2] {
//!         conv1: conv2d(4, kernel = 3, padding = 1), relu,
//!         max_pool2d(2),
//!         flatten,
//!         fc: linear(2),
//!     }
//! }
//!
//! // Images of one bright row or one bright column.
//! let images: Vec<Input<Tiny>> = (0..64).map(|i| {
//!     let mut image = [[[0.0; 8]; 8]; 1];
//!     for k in 0..8 {
//!         if i % 2 == 0 { image[0][i / 2 % 8][k] = 1.0 } else { image[0][k][i / 2 % 8] = 1.0 }
//!     }
//!     image
//! }).collect();
//! let labels: Vec<usize> = (0..64).map(|i| i % 2).collect();
//!
//! let mut net = Tiny::seeded(42);
//! train(&mut net, &images, &labels)?;                  // the simplest form
//! assert_eq!(net.predict_batch(&images), labels);
//! # Ok::<(), typenet::Error>(())
//! ```
//!
//! # Declare
//!
//! [`network!`] takes a header with the input's shape (channels, height, width, or features) and the
//! output's, and a list of layers; each reads the output of the one before. [`layers`] lists them with
//! their arguments, which are PyTorch's. The output's shape is an assertion: it is a compile error if the
//! layers produce another shape, or if a layer does not fit its input.
//!
//! A name makes a layer's parameters a field: `net.conv1.weight` is a `[[[[f32; 3]; 3]; 1]; 4]`.
//! A layer without a name is the n-th of its kind: `net.conv2d_1`.
//!
//! Constants, blocks and repeats keep larger nets short; [`network!`] has the whole language.
//!
//! ```
//! # use typenet::prelude::*;
//! network! {
//!     /// Eight layers with weights.
//!     pub struct Stages: [1, 28, 28] -> [10] {
//!         const WIDTH: usize = 8;
//!
//!         block pair(out) {
//!             repeat(2) { conv2d(out, kernel = 3, padding = 1), relu }
//!             max_pool2d(2),
//!         }
//!
//!         conv1: conv2d(WIDTH, kernel = 1), relu,
//!         wide: pair(WIDTH),
//!         deep: repeat(2) { pair(2 * WIDTH) }
//!         flatten,
//!         fc: linear(10),
//!     }
//! }
//!
//! let net = Stages::seeded(42);
//! assert_eq!(net.deep.1.pair_1.repeat_1.0.conv2d_1.weight.len(), 16);
//! ```
//!
//! A path stands for a constant of your program. The macro cannot know its value, so the compiler checks
//! the shapes with it:
//!
//! ```
//! # use typenet::prelude::*;
//! mod sizes {
//!     pub const WIDTH: usize = 8;
//! }
//! const CLASSES: usize = 3;
//!
//! network! {
//!     pub struct Sized: [1, 28, 28] -> [self::CLASSES] {
//!         conv1: conv2d(sizes::WIDTH, kernel = 3, stride = 2), relu,
//!         conv2: conv2d(2 * sizes::WIDTH, kernel = 3), relu,
//!         global_avg_pool,
//!         fc: linear(self::CLASSES),
//!     }
//! }
//!
//! # fn main() {
//! let net = Sized::seeded(42);
//! let weight: &[[f32; 2 * sizes::WIDTH]; CLASSES] = &net.fc.weight;
//! assert_eq!(weight[0].len(), 16);
//! # }
//! ```
//!
//! With const generics, a net's sizes are chosen where it is used; each choice is a net of its own:
//!
//! ```
//! # use typenet::prelude::*;
//! network! {
//!     pub struct Mlp<const HIDDEN: usize, const CLASSES: usize>: [784] -> [CLASSES] {
//!         fc1: linear(2 * HIDDEN), relu,
//!         fc2: linear(HIDDEN), relu,
//!         fc3: linear(CLASSES),
//!     }
//! }
//!
//! let net = Mlp::<32, 10>::seeded(42);
//! let weight: &[[f32; 32]; 10] = &net.fc3.weight;
//! // 2 · HIDDEN rows: stable Rust has arrays in arrays for a product of generics.
//! let bias: &[[f32; 32]; 2] = &net.fc1.bias;
//! assert_eq!(Mlp::<32, 10>::summary().parameters, Mlp::<32, 2>::summary().parameters + 8 * 33);
//! ```
//!
//! A net may have several inputs and several outputs, its heads. Each has a name; the layer with a head's
//! name computes that output. `from` continues from a named value. A name stands for the output of its own
//! layer, so `trunk` here is the value after `tanh`:
//!
//! ```
//! # use typenet::prelude::*;
//! network! {
//!     /// What is in an image and where, for a camera in some pose.
//!     pub struct Seen: (image: [1, 8, 8], pose: [2]) -> (class: [2], spot: [1]) {
//!         from(image),
//!         conv1: conv2d(4, kernel = 3, padding = 1), relu, flatten,
//!         concat(pose),
//!         linear(16), trunk: tanh,
//!         class: linear(2),
//!         from(trunk), spot: linear(1),
//!     }
//! }
//!
//! // One bright row or column; the camera may be upside down.
//! let (mut images, mut poses, mut labels, mut spots) = (vec![], vec![], vec![], vec![]);
//! for i in 0..32 {
//!     let (at, is_row, upright) = (i % 8, i % 16 < 8, i < 16);
//!     let mut image = [[[0.0; 8]; 8]; 1];
//!     for k in 0..8 {
//!         if is_row { image[0][at][k] = 1.0 } else { image[0][k][at] = 1.0 }
//!     }
//!     images.push(image);
//!     poses.push([f32::from(u8::from(upright)), 1.0]);
//!     labels.push(usize::from(is_row));
//!     spots.push([if upright { at as f32 / 7.0 } else { 1.0 - at as f32 / 7.0 }]);
//! }
//! let targets = SeenTarget::zip(&labels, &spots)?;     // or SeenTarget { class: 1, spot: [0.5] }
//! let data = SeenInput::dataset(&images, &poses, targets)?;
//!
//! // A loss for each head: their sum is minimised, the second one with a factor.
//! let loss = SeenLoss { class: CrossEntropy::new(), spot: (2.0, MeanSquaredError::new()) };
//! let mut net = Seen::seeded(1);
//! let history = Trainer::new(Sgd::new(0.02).momentum(0.9))
//!     .loss(loss.clone())
//!     .batch(8)
//!     .epochs(80)
//!     .fit(&mut net, &data, None)?;
//! let last = history.epochs.last().unwrap();
//! assert!(last.loss < 0.1, "{last}");                  // both heads: last.head("spot")
//!
//! let output = net.output(&SeenInput { image: images[3], pose: poses[3] });
//! assert_eq!(output.class.largest(), labels[3]);       // output.spot: [f32; 1]
//! assert!(evaluate(&net, &loss, &data)?.head("class").unwrap().accuracy() > Some(0.9));
//! # Ok::<(), typenet::Error>(())
//! ```
//!
//! Attributes configure a layer, or all layers within a pair of braces ([`layers`] lists them all): how
//! its weights are initialised, which parameters are frozen, which ones weight decay leaves out, and its
//! name in weight files.
//!
//! ```
//! # use typenet::prelude::*;
//! network! {
//!     /// A head to train on a backbone that stays.
//!     pub struct Finetuned: [3, 16, 16] -> [5] {
//!         #[frozen]
//!         features: residual { conv1: conv2d(3, kernel = 3, padding = 1), bn1: batch_norm, relu }
//!         global_avg_pool,
//!         #[init(normal(std = 0.01))] #[no_decay(bias)] #[name("classifier.0")]
//!         fc: linear(5),
//!     }
//! }
//!
//! let mut net = Finetuned::seeded(42);
//! assert!(!net.is_trainable("features")?);
//! net.set_trainable("fc.bias", false)?;                // the same at run time
//! # Ok::<(), typenet::Error>(())
//! ```
//!
//! A net can be a layer of another one, by its path, from the same crate or another: a backbone under a
//! new head, say. Its layers become part of the outer net, and its parameters a field; the compiler checks
//! that it takes the shape that it gets. You can write a layer that the language lacks yourself, and use
//! it by its path too: [`own`] shows how.
//!
//! ```
//! # mod nets {
//! # use typenet::prelude::*;
//! network! {
//!     pub struct Backbone: [3, 16, 16] -> [8, 8, 8] {
//!         conv1: conv2d(8, kernel = 3, padding = 1), relu, max_pool2d(2),
//!     }
//! }
//! # }
//! # use typenet::prelude::*;
//!
//! network! {
//!     pub struct Classifier: [3, 16, 16] -> [5] {
//!         #[frozen] features: crate::nets::Backbone,
//!         global_avg_pool,
//!         fc: linear(5),
//!     }
//! }
//!
//! # fn main() -> typenet::Result<()> {
//! # use nets::Backbone;
//! let backbone = Backbone::seeded(1);                  // trained elsewhere
//! let mut net = Classifier::seeded(42);
//! net.features.clone_from(&backbone);                  // or net.load_part("features", path)?
//! assert_eq!(net.features.conv1.weight, backbone.conv1.weight);
//! assert!(!net.is_trainable("features.conv1.bias")?);
//! # Ok(())
//! # }
//! ```
//!
//! # Train
//!
//! ```no_run
//! # use typenet::prelude::*;
//! # network! { pub struct Tiny: [1, 28, 28] -> [10] { flatten, fc: linear(10) } }
//! let data = Dataset::from_idx("train-images.gz", "train-labels.gz", 10)?;
//! let (train, test) = data.split(0.2, 7)?;
//! let mut net = Tiny::seeded(42);
//! let history = Trainer::new(Sgd::new(0.05).momentum(0.9).weight_decay(5e-4))
//!     .loss(CrossEntropy::new())
//!     .batch(128)
//!     .epochs(10)
//!     .fit(&mut net, &train, Some(&test))?;
//! println!("{}", history.epochs[9]);
//! let result = evaluate(&net, &CrossEntropy::new(), &test)?;
//! println!("{:?} of the test images are right", result.accuracy());
//! net.save("tiny.safetensors")?;
//! # Ok::<(), typenet::Error>(())
//! ```
//!
//! The loss is minimised by minibatch gradient descent: [`loss`] has the losses with their formulas,
//! [`optim`] the optimisers, schedules and regularisers, [`train::Trainer`] what else a run can do.
//! With [`Trainer::full_batch`](train::Trainer::full_batch), each step takes the whole training set.
//!
//! A second call of `fit` on the same trainer and net trains further epochs, and gives the same bits as one
//! longer call. With a checkpoint this holds across processes as well. So a program that you start again
//! after it was killed ends as it would have without the kill:
//!
//! ```
//! # use typenet::prelude::*;
//! # network! { pub struct Tiny: [1, 2, 2] -> [2] { flatten, fc: linear(2) } }
//! # let images = vec![[[[0.0, 1.0], [0.0, 1.0]]], [[[1.0, 1.0], [0.0, 0.0]]]];
//! # let folder = std::env::temp_dir().join(format!("typenet-tutorial-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).unwrap();
//! # let path = folder.join("run.safetensors");
//! let data = Dataset::from_inputs(&images, vec![0, 1])?;
//! let mut net = Tiny::seeded(42);
//! let mut trainer = Trainer::new(AdamW::new(0.05).schedule(Schedule::cosine(20)))
//!     .loss(CrossEntropy::new())
//!     .epochs(10)
//!     .checkpoint(&path)                               // "run.safetensors"
//!     .after_epoch(|moment| {
//!         if moment.loss() < 1e-6 {
//!             moment.stop("good enough");
//!         }
//!     });
//! trainer.resume(&mut net)?;                           // false: there is no checkpoint yet
//! trainer.fit(&mut net, &data, None)?;
//! let history = trainer.fit(&mut net, &data, None)?;   // ten more
//! assert_eq!(history.epochs[19].epoch, 20);
//! # let mut again = Tiny::seeded(1);
//! # assert!(trainer.resume(&mut again)?);
//! # assert_eq!(again, net);
//! # std::fs::remove_dir_all(&folder).unwrap();
//! # Ok::<(), typenet::Error>(())
//! ```
//!
//! # Train by hand
//!
//! The textbook training loop, in its order: sample, forward, loss, backward, step.
//!
//! ```
//! # use typenet::prelude::*;
//! # network! { pub struct Tiny: [1, 2, 2] -> [2] { flatten, fc: linear(2) } }
//! # let images = vec![[[[0.0, 1.0], [0.0, 1.0]]], [[[1.0, 1.0], [0.0, 0.0]]]];
//! let data = Dataset::from_inputs(&images, vec![0, 1])?;
//! let mut net = Tiny::seeded(42);
//! let mut ws = Tiny::workspace(128);                   // all the memory of a step
//! let mut sgd = Sgd::new(0.5).state(&net);
//! for epoch in 0..20 {
//!     for batch in data.minibatches(128, epoch) {
//!         net.forward(&batch.inputs, &mut ws);         // ws.output(): &[[f32; 2]]
//!         let loss = CrossEntropy::new().forward_backward(&batch.labels, &mut ws)?;
//!         net.backward(&batch.inputs, &mut ws);        // ws.gradients().fc.weight
//!         sgd.step(&mut net, ws.gradients());
//!         assert!(loss.is_finite());
//!     }
//! }
//! assert_eq!(net.predict(&images[1]), 1);
//! # Ok::<(), typenet::Error>(())
//! ```
//!
//! # Look inside
//!
//! [`Network::summary`] returns the table of layers, which the struct's documentation shows too.
//! [`Network::LAYERS`] has its rows as constants, and [`Network::trace`] returns every layer's output
//! for one image:
//!
//! ```
//! # use typenet::prelude::*;
//! network! {
//!     pub struct Tiny: [1, 4, 4] -> [2] {
//!         conv1: conv2d(3, kernel = 3), relu, flatten, fc: linear(2),
//!     }
//! }
//!
//! assert_eq!(Tiny::LAYERS[1].name, "conv1");
//! assert_eq!(Tiny::LAYERS[1].multiply_adds, 27 * 4);
//!
//! let trace = Tiny::seeded(42).trace(&[[[0.5; 4]; 4]]);
//! let relu = trace.get("relu_1")?;
//! assert_eq!(relu.layer.output.dims(), [3, 2, 2]);
//! assert_eq!(relu.channel(2).len(), 4);
//! println!("{trace}");                                 // minimum, mean and maximum of each
//!
//! let mistake = trace.get("relu1").unwrap_err();
//! assert_eq!(mistake.to_string(), "`Tiny` has no layer `relu1`: did you mean `relu_1`?");
//! # Ok::<(), typenet::Error>(())
//! ```
//!
//! With the feature `diagram`, `Tiny::diagram()` draws the net as SVG or Mermaid text, and
//! `Tiny::diagram().folded(0)` draws one box for each block or repeat; see the module `diagram`.
//!
//! # Trust
//!
//! [`gradcheck`] compares a net's gradients with central differences of the same net in f64:
//!
//! ```
//! # use typenet::prelude::*;
//! # network! { pub struct Tiny: [1, 2, 2] -> [2] { flatten, fc: linear(2) } }
//! let net = Tiny::seeded(1);
//! let check = gradcheck(&net, &CrossEntropy::new(), &[[[[0.1, 0.2], [0.3, 0.4]]]], &[1])?;
//! assert!(check.worst() <= 1e-4, "{check}");
//! # Ok::<(), typenet::Error>(())
//! ```
//!
//! [`gradcheck_fast`] compares forward mode, reverse mode and differences along random directions, in one
//! table. Forward mode is public: [`derivatives`] has slopes along a [`Direction`](derivatives::Direction),
//! and `Tiny::derivation()`, the equations of a net's backward pass with its own names.
//!
//! ```
//! # use typenet::prelude::*;
//! # network! { pub struct Tiny: [1, 2, 2] -> [2] { flatten, fc: linear(2) } }
//! let net = Tiny::seeded(1);
//! let image = [[[0.1, 0.2], [0.3, 0.4]]];
//! let (output, tangent) = net.jvp(&image, Direction::of_input(&[[[1.0, 0.0], [0.0, 0.0]]]))?;
//! assert!((tangent[1] - net.fc.weight[1][0]).abs() < 1e-6);
//! assert!(Tiny::derivation().to_string().contains("∂L/∂fc.bias[o] = Σ_images ∂L/∂fc[o]"));
//! # Ok::<(), typenet::Error>(())
//! ```
//!
//! Anything wrong in data, files or arguments is an [`Error`] that says what is wrong, where, and what
//! was expected.
//!
//! # Threads, instruction sets, features
//!
//! Work runs on rayon's threads: `RAYON_NUM_THREADS` sets their number, or you install a pool of your own
//! around the call. Results do not depend on the number of threads. A thread outside any pool works on its
//! own call, with helpers from rayon's global pool. These stay awake for 100 µs in case the next call
//! follows; fetching them again from the pool is the only thing that allocates memory.
//!
//! `TYPENET_ISA` = `avx512`, `avx2`, `neon` or `portable` forces an instruction set; the default is the
//! best one of the machine. `TYPENET_LAYOUT` forces a memory layout of values for all inference and
//! training: `interleaved` (16 images side by side), `blocked` (16 channels of one image side by side) or
//! `mixed` (full groups of 16 images interleaved, the remaining images blocked). By default the sizes of the
//! batch and of the layers decide.
//!
//! | feature | default | what |
//! |---|---|---|
//! | `files` | yes | IDX, CSV and CIFAR data sets |
//! | `progress` | yes | a progress bar while training, on a terminal |
//! | `zoo` | no | well-known nets, in the module `zoo` |
//! | `diagram` | no | `Net::diagram()`: a picture of a net, as SVG or Mermaid text |
//! | `ctrl-c` | no | `Trainer::stop_on_ctrl_c`: Ctrl-C saves the run and ends it cleanly |
//! | `report` | no | the results of a training run as an HTML page: the module `report` |
//! | `dashboard` | no | a training run, live in the terminal: the module `dashboard` |
//! | `image` | no | `net.input_from_image(…)`: a PNG or JPEG file as an input; folders of images as data sets |
#![forbid(unsafe_code)]

#[cfg(feature = "zoo")]
extern crate self as typenet;

#[cfg(feature = "zoo")]
pub mod zoo;

pub mod own;

/// Runs the programs of the guide as doctests.
#[cfg(doctest)]
#[doc = include_str!("../docs/derivatives.md")]
#[derive(Debug)]
pub struct DerivativesGuide;

#[cfg(feature = "dashboard")]
pub use typenet_dashboard as dashboard;
pub use typenet_engine::Flat;
pub use typenet_engine::parameters;
pub use typenet_macros::{layer, network};
#[cfg(feature = "report")]
pub use typenet_report as report;
pub use typenet_runtime::data;
pub use typenet_runtime::derivatives;
/// The crate `image`, which decodes PNG and JPEG files, in the version whose images
/// [`Network::input_from_image`] takes. Needs the feature `image`.
///
/// ```
/// use typenet::image::imageops::FilterType;
/// use typenet::image::{self, DynamicImage, ImageFormat, Rgb, RgbImage};
/// use typenet::prelude::*;
///
/// network! {
///     pub struct Tiny: [3, 8, 8] -> [2] {
///         conv1: conv2d(4, kernel = 3, padding = 1), relu, flatten, fc: linear(2),
///     }
/// }
///
/// // A PNG file of 16×16 pixels, in memory: red on the left.
/// let drawn = RgbImage::from_fn(16, 16, |x, _| if x < 8 { Rgb([255, 0, 0]) } else { Rgb([0; 3]) });
/// let mut file = std::io::Cursor::new(Vec::new());
/// drawn.write_to(&mut file, ImageFormat::Png)?;
///
/// let net = Tiny::seeded(42);                          // or Tiny::load("tiny.safetensors")?
/// let picture: DynamicImage = image::load_from_memory(file.get_ref())?; // image::open("a.png")?
/// let options = ImageOptions::new(Resize::Crop(FilterType::Triangle), Channels::Rgb);
/// let input = net.input_from_image(&picture, &options)?;
/// assert_eq!((input[0][0][0], input[1][0][0], input[0][7][7]), (1.0, 0.0, 0.0));
/// println!("{:?}", net.top_k(&input, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "image")]
pub use typenet_runtime::image;
pub use typenet_runtime::init;
pub use typenet_runtime::inspect::LayerBalance;
/// ```
/// use typenet::prelude::*;
///
/// network! {
///     pub struct Tiny: [1, 8, 8] -> [2] {
///         conv1: conv2d(4, kernel = 3, padding = 1), relu, flatten, fc: linear(2),
///     }
/// }
///
/// let diagram = Tiny::diagram();
/// let svg: String = diagram.to_svg();                  // std::fs::write("tiny.svg", svg)?
/// assert!(svg.contains("conv2d(4, kernel = 3, padding = 1)") && svg.contains("[4, 8, 8]"));
/// assert!(diagram.to_mermaid().contains(r#"n0 -->|"[1, 8, 8]"| n1"#));
/// ```
///
/// A deep net is easier to look at with its blocks and repeats folded:
///
/// ```
/// use typenet::prelude::*;
///
/// network! {
///     pub struct Deep: [3, 32, 32] -> [10] {
///         block basic(out) { residual { conv2d(out, kernel = 3, padding = 1), batch_norm } relu }
///
///         stem: conv2d(16, kernel = 3, padding = 1), relu,
///         stage: repeat(3) { basic(16) }
///         global_avg_pool, fc: linear(10),
///     }
/// }
///
/// let diagram = Deep::diagram().folded(0);
/// let names: Vec<&str> = diagram.boxes.iter().map(|one| one.name.as_str()).collect();
/// assert_eq!(names, ["input", "stem", "relu_1", "stage", "global_avg_pool_1", "fc", "output"]);
/// assert_eq!((diagram.boxes[3].times, diagram.boxes[3].layer.as_str()), (3, "conv2d, batch_norm, add, relu"));
/// ```
#[cfg(feature = "diagram")]
pub use typenet_runtime::inspect::diagram;
/// # Examples
///
/// ```
/// use typenet::prelude::*;
///
/// network! {
///     struct Net: [3, 32, 32] -> [10] {
///         conv1: conv2d(64, kernel = 3, padding = 1), relu,
///         conv2: conv2d(64, kernel = 3, padding = 1), relu,
///         global_avg_pool, flatten,
///         fc: linear(10),
///     }
/// }
///
/// // How much longer than its even share one of two threads works, at the worst of the two convolutions.
/// let layers = typenet::planned_balance::<Net>(1, 2);
/// let worst = layers.iter().map(|layer| layer.balance).fold(1.0, f64::max);
/// assert!(layers.len() == 2 && worst < 1.2);
/// ```
pub use typenet_runtime::inspect::planned_balance;
pub use typenet_runtime::io::LoadOptions;
pub use typenet_runtime::layers;
pub use typenet_runtime::loss;
pub use typenet_runtime::net::{EndsInLogProbabilities, EndsInLogits};
pub use typenet_runtime::optim;
pub use typenet_runtime::reference;
pub use typenet_runtime::reference::{gradcheck, gradcheck_fast};
pub use typenet_runtime::train;
pub use typenet_runtime::{
    Conv2dKernels, Error, LayerValue, LoadHelp, LogProbabilities, Logits, Metadata, Network,
    Normalization, OutputValue, Result, Scores, SingleInput, SingleOutput, Summary, SummaryRow,
    Trace, Workspace,
};

/// The arithmetic under the layers, for measurements and for layers of your own.
pub use typenet_kernels as kernels;

/// Shapes, their rules, and nets as data.
pub mod shape {
    pub use typenet_shape::*;
}

/// One input image of the net `N`: `[[[f32; width]; height]; channels]`, or `[f32; features]`; for a net
/// with named inputs, the struct `NInput`.
pub type Input<N> = <N as Network>::Input;

/// One output of the net `N`: an array of `f32`, as for [`Input`]; for a net with heads, the struct
/// `NOutput`.
pub type Output<N> = <N as Network>::Output;

/// What most programs use: `use typenet::prelude::*;`.
pub mod prelude {
    pub use crate::data::{Augment, Border, Dataset, Examples, Images, Minibatch};
    #[cfg(feature = "image")]
    pub use crate::data::{Channels, ImageFolder, ImageOptions, Resize};
    #[cfg(feature = "files")]
    pub use crate::data::{ClassOrder, Csv};
    pub use crate::derivatives::{Derivatives, Direction};
    pub use crate::init::Scheme;
    pub use crate::loss::{
        BinaryCrossEntropy, CrossEntropy, Huber, Loss, MeanSquaredError, NllLoss, Objective,
        Reduction, SumSquaredError,
    };
    pub use crate::optim::{
        Adam, AdamW, Averaging, Lion, Muon, OneCycle, Optimizer, Plateau, Regularizer, RmsProp,
        Schedule, Sgd,
    };
    pub use crate::reference::{gradcheck, gradcheck_fast};
    pub use crate::train::{Callback, Checkpoint, EarlyStopping, Metric, Trainer, evaluate, train};
    pub use crate::{Input, LoadOptions, Network, Output, Scores, Workspace, network};
}

/// What the code written by [`network!`] uses. Not part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use typenet_engine::parameters::Joined;
    pub use typenet_engine::pass::{Backward, Forward};
    pub use typenet_engine::{__parameter_struct, __parameter_tuple, __value_struct, Flat, Layout};
    pub use typenet_runtime::Result;
    pub use typenet_runtime::data::{Dataset, dataset_of, same_counts};
    pub use typenet_runtime::loss::{
        Accepts, Compares, HeadCompares, HeadLoss, Loss, Objective, OfHead, forward_backward,
    };
    pub use typenet_runtime::net::as_layer::{
        Arguments, Array, AsLayer, Dims, Extent, HasPart, LogarithmsOfLast, LogitsOfLast, Numbers,
        OwnParameters, Values, number_of, own_part, unfit_part, unknown_part,
    };
    pub use typenet_runtime::net::{
        Aligned, Boxed, Embedded, EndsInLogProbabilities, EndsInLogits, Matches, Model, Network,
        Returned, SingleInput, SingleOutput, Workspace, pretrained, seeded,
    };
    pub use typenet_runtime::train::Target;
    pub use typenet_shape::{
        Approximate, Argument, Checked, FileTensor, Graph, Head, Init, Interpolation, Join,
        LayerInfo, Marks, Node, Op, Padding, Part, Placement, Plan, Scheme, Shape, Shortcut, Step,
        Tensor, WeightFile, check_argument, check_arguments, check_difference, check_dimension,
        check_divisor, check_header, check_net, check_unchanged, check_weights, count_marks,
        difference, joined_marks, joined_nodes, places, quotient, remainder, shape_of,
    };
}

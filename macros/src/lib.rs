//! The procedural macros of typenet. They only call `typenet-macros-core`, which does the work. Depend on the
//! crate `typenet`, which re-exports them.
#![forbid(unsafe_code)]

use proc_macro::TokenStream;

/// Declares a net and turns it into a type.
///
/// ```
/// use typenet::prelude::*;
///
/// network! {
///     /// Digits from 28×28 grey images.
///     pub struct Digits: [1, 28, 28] -> [10] {
///         conv1: conv2d(16, kernel = 3, padding = 1), relu,
///         max_pool2d(2),
///         flatten,
///         linear(10),
///     }
/// }
///
/// let net = Digits::seeded(1);
/// let image = [[[0.0; 28]; 28]];
/// let class: usize = net.predict(&image);
/// # assert!(class < 10);
/// ```
///
/// The header gives the input's and the output's shape; each layer reads the one before it, and the last must
/// arrive at the output's shape. A layer is `[name:] kind[(arguments)]`. Arguments are positional or
/// `key = value`; a pair `(height, width)` may stand wherever height and width can differ. `typenet::layers`
/// lists the kinds and their arguments.
///
/// # Values by name
///
/// `add(a, …)`, `mul(a, …)` and `concat(a, …)` join the value before them with the values of layers above that
/// have these names; `from(a)` leaves the value before it and goes on from `a`. A name stands for that layer's
/// own value: `skip: conv2d(8, kernel = 1), relu` names the convolution's, `conv2d(8, kernel = 1), skip: relu`
/// the activated one. `input` is the net's input.
///
/// # Several inputs and heads
///
/// ```
/// # use typenet::prelude::*;
/// network! {
///     pub struct Name: (image: [3, 32, 32], pose: [6]) -> (class: [10], bbox: [4]) {
///         from(image),
///         conv2d(16, kernel = 3, stride = 2), relu, global_avg_pool,
///         concat(pose),
///         linear(32), trunk: relu,
///         class: linear(10),
///         from(trunk), bbox: linear(4),
///     }
/// }
/// ```
///
/// Named inputs are values like any other. Where there are several, the first layer is `from(…)` one of them.
/// The outputs are the layers (or structures) that have the names of the heads, in any order. They stand
/// outside of all braces, and layers below may read them. Each must arrive at the shape that the header gives
/// its head, and every input must be read. The macro then also generates
///
/// - `NameInput`, a struct with a field for each input, and `NameInput::dataset(&images, &poses,
///   targets)`, a data set of them;
/// - `NameOutput`, a struct with a field for each head: `net.output(&input).class`;
/// - `NameLoss`, the sum of a loss for each head, each with its own reduction over the batch:
///   `NameLoss { class: CrossEntropy::new(), bbox: (0.5, MeanSquaredError::new()) }`, where the number is the
///   loss's factor. Use it with a `Trainer`, `evaluate` or `gradcheck`, or by hand with `forward_backward`;
/// - `NameTarget`, a target for each head, and `NameTarget::zip(&labels, &boxes)`.
///
/// Inputs may have names where outputs have none, and the other way round; a single input or output may have a
/// name too. `predict`, `probabilities` and `top_k` are for nets with one output. For a head, `typenet::Scores`
/// has the same methods: `net.output(&input).class.largest()`.
///
/// # Structures
///
/// ```
/// # use typenet::prelude::*;
/// network! {
///     pub struct Small: [3, 32, 32] -> [10] {
///         const WIDTH: usize = 16;
///
///         /// Two convolutions beside the value itself.
///         block basic(out, stride = 1) {
///             residual {
///                 conv2d(out, kernel = 3, stride = stride, padding = 1), relu,
///                 conv2d(out, kernel = 3, padding = 1),
///             } shortcut {
///                 conv2d(out, kernel = 1, stride = stride),
///             }
///             relu,
///         }
///
///         stage1: repeat(3) { basic(WIDTH) }
///         down: basic(2 * WIDTH, stride = 2),
///         concat {
///             branch { conv2d(8, kernel = 1) }
///             branch { conv2d(8, kernel = 3, padding = 1) }
///         }
///         global_avg_pool, linear(10),
///     }
/// }
/// # let net = Small::seeded(1);
/// # let _ = (&net.stage1.0.basic_1.conv2d_2.weight, &net.down.conv2d_3.weight);
/// ```
///
/// - `residual { … }` adds the result of its layers to the value they start from, or to what the layers of
///   `shortcut { … }` make of that value.
/// - `concat { branch { … } … }` concatenates the channels of its branches; an empty branch keeps the value.
/// - `repeat(n) { … }` writes its layers `n` times, each time with parameters of their own.
/// - `block name(parameters) { … }` defines a new kind of layer. A parameter is a number, a pair, or `true` or
///   `false`, with or without a default.
/// - `const NAME: usize = …;` names a whole number. Arithmetic (`+ - * / %` and parentheses) over constants and
///   parameters may stand wherever a number may, also in the header's shapes.
///
/// Constants and blocks come before all layers. Names inside braces are local. The layers of a residual or a
/// branch may read names around them; those of a block or a repeat may not.
///
/// # Sizes of the program
///
/// A path to a `usize` constant of the program may stand wherever a number may, also in arithmetic:
///
/// ```
/// # use typenet::prelude::*;
/// pub mod sizes {
///     pub const SIDE: usize = 32;
///     pub const CLASSES: usize = 10;
/// }
///
/// network! {
///     pub struct Name: [3, sizes::SIDE, sizes::SIDE] -> [sizes::CLASSES] {
///         const HALF: usize = sizes::SIDE / 2;
///         conv2d(HALF, kernel = 3), relu, flatten, linear(sizes::CLASSES),
///     }
/// }
/// # fn main() { assert_eq!(Name::seeded(1).linear_1.bias.len(), 10); }
/// ```
///
/// The compiler knows its value, the macro does not. So the compiler checks the rules that depend on it, with
/// the same messages at the same places, and the documentation shows the path. The count of a `repeat` must be
/// known to the macro.
///
/// # Sizes where the net is used
///
/// The struct may have const generics, which may stand wherever a path may:
///
/// ```
/// # use typenet::prelude::*;
/// network! {
///     pub struct Mlp<const HIDDEN: usize, const CLASSES: usize>: [784] -> [CLASSES] {
///         const NARROW: usize = 2 * CLASSES;
///         fc1: linear(HIDDEN), relu, fc2: linear(NARROW), relu, fc3: linear(CLASSES),
///     }
/// }
///
/// let net = Mlp::<64, 10>::seeded(1);
/// ```
///
/// Each choice of them is a net of its own, the same as one declared with those numbers. The compiler checks
/// its rules where it is first used, with the same messages at the same places: all of them where the net is
/// `seeded`, one at a time where it is loaded or shown. `cargo build` does this, `cargo check` does not, unless
/// a constant names the layers of a choice: `const _: usize = Mlp::<64, 10>::LAYERS.len();`. A `repeat` cannot
/// count by a generic.
///
/// Stable Rust has no array whose length is computed from a generic. So a parameter of a size such as `2 * C`
/// is nested arrays, `[[f32; C]; 2]`, the sum `C + 4` is a `typenet::parameters::Joined<[f32; C], [f32; 4]>`,
/// and the weight of a linear layer behind `flatten` has the image's dimensions: the same numbers in the same
/// order, in memory and in weight files. Sizes that no such type can hold are errors, with a way out in the
/// message: a difference or a quotient of generics as a parameter's size, and any arithmetic over generics in
/// the header. There, write the number as one more generic; the compiler checks that it is right:
///
/// ```
/// # use typenet::prelude::*;
/// network! {
///     pub struct Cnn<const SIDE: usize, const FEATURES: usize>: [1, SIDE, SIDE] -> [10] {
///         conv1: conv2d(8, kernel = 3), relu, max_pool2d(2),
///         reshape(FEATURES),
///         fc: linear(10),
///     }
/// }
///
/// let net = Cnn::<28, 1352>::seeded(1); // 8 · 13 · 13
/// ```
///
/// An output `[FEATURES]` is returned by value, an image with a generic in its shape in a `Box`.
///
/// # Other nets
///
/// A net can be a layer of another one. Write its path, in the same crate or in one that it depends on:
/// `Backbone` where it is in scope, else `super::Backbone`. A name that resembles a keyword needs a longer
/// path, such as `self::Scale`.
///
/// ```
/// # use typenet::prelude::*;
/// pub mod vision {
///     # use typenet::prelude::*;
///     network! {
///         pub struct Backbone: [3, 64, 64] -> [16, 32, 32] {
///             conv1: conv2d(16, kernel = 3, padding = 1), relu, max_pool2d(2),
///         }
///     }
/// }
///
/// network! {
///     pub struct Classifier: [3, 64, 64] -> [10] {
///         #[frozen] features: vision::Backbone,
///         global_avg_pool,
///         fc: linear(10),
///     }
/// }
/// # fn main() { assert_eq!(Classifier::seeded(1).features.conv1.bias.len(), 16); }
/// ```
///
/// Its layers become part of this net: `net.features.conv1.weight` is `features.conv1.weight` in the weight
/// file and for `set_trainable("features", false)`. Two uses have two sets of parameters.
/// `net.features.clone_from(&backbone)` takes the parameters of a net in memory, and
/// `net.load_part("features", path)` those of its file. The compiler checks that the net takes the shape that
/// it gets. Attributes apply to all its layers, as on braces.
///
/// # Layers of your own
///
/// A type with `#[typenet::layer]` and the trait `Layer` is a layer by its path too, with whole numbers as
/// arguments: `my::Swirl(3)`, or `twist: my::Swirl(3, 4)`. See `typenet::own`.
///
/// # Names of parameters
///
/// A layer that has parameters but no name is numbered among those of its kind in its scope, from 1:
/// `conv2d_1`. Each named structure, block and round of a repeat is a scope. Braces without a name are not:
/// numbering goes on in them. So the fields above are `net.stage1.0.basic_1.conv2d_2.weight` and
/// `net.down.conv2d_3.weight`, and the weight file has the same names. A repeat without a name is numbered like
/// a layer: `repeat_1.0.conv2d_1`.
///
/// # Attributes
///
/// Before a layer with parameters; or before a structure, a use of a block or a repeat, where they apply to all
/// layers in it: `#[init(kaiming_normal)]` (how weights start), `#[frozen]` (no gradient code), `#[no_decay]`,
/// `#[no_decay(bias)]` (what weight decay leaves out) and `#[name("features.0")]` (the name in weight files).
/// `typenet::layers` describes them in full.
///
/// Before the struct: documentation, `cfg`, `must_use`, lint levels such as `allow`, and
/// `#[weights("lenet5.safetensors")]`, the path of a weight file from the folder of the crate's `Cargo.toml`.
/// The file becomes part of the program, and `LeNet5::pretrained()` returns the net with its parameters,
/// without a copy where they stand in the order of `save`. Compilation checks names, shapes and types of all
/// tensors, and that all numbers are finite; it runs again when the file changes. Files that PyTorch wrote in
/// F32, F16, BF16 or F64 can be used if the names are the net's.
/// `#[cfg_attr(feature = "pretrained", weights("…"))]` leaves it out where the program that trains the net has
/// yet to write the file. Nets with const generics cannot have a weight file.
///
/// # What it writes
///
/// - the struct `Name` with `typenet::Network` (seeded, forward, backward, predict, save, …), and
///   through `Deref` a field for each layer with parameters: `net.conv1.weight`, `net.linear_1.bias`;
/// - `NameParameters`, the struct of those fields, and `NameGradients`, another name for it; a struct
///   for each scope: `NameStage1Parameters` with a field for each round, `NameStage1_0Parameters`, …;
/// - `Clone`, `Debug` (the table of layers) and `PartialEq`.
#[proc_macro]
pub fn network(input: TokenStream) -> TokenStream {
    typenet_macros_core::network(input.into()).into()
}

/// Makes a type a layer of your own. Write it on the type's `impl` that has `output`, and also `new` if the
/// layer has arguments, and `weight` and `bias` if it has these parameters. `typenet::own` describes all of it,
/// with an example.
///
/// ```
/// use typenet::own::{Gradients, Layer, Parameters, Shape, ShapeError};
/// # use typenet::prelude::*;
///
/// /// Moves the numbers on by some places, and those at the end to the start.
/// pub struct Swirl {
///     turns: usize,
/// }
///
/// #[typenet::layer]
/// impl Swirl {
///     pub const fn new(turns: usize) -> Swirl {
///         Swirl { turns }
///     }
///
///     pub const fn output(self, input: Shape) -> Result<Shape, ShapeError> {
///         Ok(input)
///     }
/// }
///
/// impl Layer for Swirl {
///     fn forward(&self, _: Shape, _: Parameters<'_>, x: &[f32], y: &mut [f32]) {
///         y.copy_from_slice(x);
///         y.rotate_right(self.turns % x.len());
///     }
///
///     fn backward(
///         &self,
///         _: Shape,
///         _: Parameters<'_>,
///         _: &[f32],
///         dy: &[f32],
///         dx: &mut [f32],
///         _: Gradients<'_>,
///     ) {
///         dx.copy_from_slice(dy);
///         dx.rotate_left(self.turns % dy.len());
///     }
///
///     fn reference(&self, _: Shape, _: Parameters<'_, f64>, x: &[f64], y: &mut [f64]) {
///         y.copy_from_slice(x);
///         y.rotate_right(self.turns % x.len());
///     }
/// }
///
/// network! {
///     pub struct Net: [1, 4, 4] -> [16] {
///         Swirl(3), flatten,
///     }
/// }
/// # let mut image = [[[0.0; 4]; 4]];
/// # image[0][3][3] = 1.0;
/// # assert_eq!(Net::seeded(1).predict(&image), 2);
/// ```
#[proc_macro_attribute]
pub fn layer(attribute: TokenStream, item: TokenStream) -> TokenStream {
    typenet_macros_core::layer(attribute.into(), item.into()).into()
}

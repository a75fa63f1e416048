//! A layer of your own, for what the language does not have.
//!
//! You write a type in two parts. What the *compiler* must know stands in the type's inherent `impl`
//! under `#[typenet::layer]`, as `const fn`s:
//!
//! | function | | |
//! |---|---|---|
//! | `new(a: usize, …) -> Self` | the arguments: whole numbers, at most 8 | without it, the type is a unit struct, and the layer takes no arguments |
//! | `output(self, input: Shape) -> Result<Shape, ShapeError>` | the shape of the output, or what is wrong with the input | required |
//! | `weight(self, input: Shape) -> Shape` | the shape of the weight | without it, the layer has no weight |
//! | `bias(self, input: Shape) -> Shape` | the shape of the bias, beside a weight | without it, the layer has no bias |
//!
//! What it *computes* is the trait [`Layer`]: `forward` and `backward` for one image, and `reference`,
//! the same function in `f64`, with which `gradcheck` checks `backward`. Forward mode takes the
//! derivative along a direction from `reference` too, unless you write [`jvp`](Layer::jvp).
//!
//! A declaration calls it by its path: `my::Swirl(3)`, or `twist: my::Swirl(3)` with a name; its
//! weight is then `net.twist.weight`. Everything else works as with other layers: attributes, weight
//! files, `set_trainable`, `summary`, `trace`. The compiler checks shapes; its message has the layer's
//! name, your words and the shapes up to that point.
//!
//! Here is one that multiplies each channel by a factor of its own:
//!
//! ```
//! use typenet::own::{Gradients, Layer, Parameters, Shape, ShapeError};
//! use typenet::prelude::*;
//!
//! /// `y[c, i, j] = weight[c] · x[c, i, j]`
//! pub struct Gain;
//!
//! #[typenet::layer]
//! impl Gain {
//!     pub const fn output(self, input: Shape) -> Result<Shape, ShapeError> {
//!         if input.rank() == 3 { Ok(input) } else { Err(ShapeError::new("needs an image")) }
//!     }
//!     pub const fn weight(self, input: Shape) -> Shape {
//!         Shape::new(&[input.dim(0)])
//!     }
//! }
//!
//! impl Layer for Gain {
//!     fn forward(&self, input: Shape, parameters: Parameters<'_>, x: &[f32], y: &mut [f32]) {
//!         let area = input.dim(1) * input.dim(2);
//!         for (i, (y, x)) in y.iter_mut().zip(x).enumerate() {
//!             *y = parameters.weight[i / area] * x;
//!         }
//!     }
//!
//!     fn backward(
//!         &self,
//!         input: Shape,
//!         parameters: Parameters<'_>,
//!         x: &[f32],
//!         dy: &[f32],
//!         dx: &mut [f32],
//!         gradients: Gradients<'_>,
//!     ) {
//!         let area = input.dim(1) * input.dim(2);
//!         for (i, dy) in dy.iter().enumerate() {
//!             dx[i] = parameters.weight[i / area] * dy;
//!             gradients.weight[i / area] += x[i] * dy;
//!         }
//!     }
//!
//!     fn reference(&self, input: Shape, parameters: Parameters<'_, f64>, x: &[f64], y: &mut [f64]) {
//!         let area = input.dim(1) * input.dim(2);
//!         for (i, (y, x)) in y.iter_mut().zip(x).enumerate() {
//!             *y = parameters.weight[i / area] * x;
//!         }
//!     }
//!
//!     fn init(&self, _: Shape, weight: &mut [f32], _: &mut [f32], _: &mut dyn FnMut() -> f32) {
//!         weight.fill(1.0);
//!     }
//! }
//!
//! network! {
//!     struct Net: [1, 4, 4] -> [2] {
//!         conv2d(3, kernel = 3), gain: Gain, relu, flatten, linear(2),
//!     }
//! }
//!
//! let mut net = Net::seeded(1);
//! assert_eq!(net.gain.weight, [1.0; 3]);
//! net.gain.weight = [1.5, -2.0, 0.5];
//! let image = [[[0.5, -0.25, 1.0, 2.0]; 4]];
//! let check = gradcheck(&net, &CrossEntropy::new(), &[image], &[1])?;
//! assert!(check.worst() <= 1e-4, "{check}");
//! # Ok::<(), typenet::Error>(())
//! ```
//!
//! Your layer gets the images of a batch one at a time, each in row-major order (channels, height, width).
//! The layers around it keep 16 images interleaved. The net takes them apart before your layer and
//! interleaves its outputs again, which costs about as much as a copy.

pub use typenet_shape::{Along, Gradients, Layer, Parameters, Shape, ShapeError};

//! Layers of the user's own: what a layer computes, and how a graph holds it.

use alloc::vec;
use alloc::vec::Vec;

use crate::{Shape, ShapeError};

/// The parameters of a layer of your own: each a flat slice in row-major order, empty where the layer does not
/// have it. `T` is `f32`, or `f64` in [`Layer::reference`].
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Parameters<'a, T = f32> {
    /// The weight's numbers.
    pub weight: &'a [T],
    /// The bias's numbers.
    pub bias: &'a [T],
}

/// Where [`Layer::backward`] adds the gradients of the parameters.
#[derive(PartialEq, Debug)]
pub struct Gradients<'a> {
    /// The weight's gradient: as many numbers as the weight has.
    pub weight: &'a mut [f32],
    /// The bias's gradient: as many numbers as the bias has.
    pub bias: &'a mut [f32],
}

/// The direction of a derivative in [`Layer::jvp`]: the tangents of what a layer reads.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Along<'a> {
    /// The input's tangent `ẋ`: as many numbers as the input has.
    pub x: &'a [f32],
    /// The parameters' tangents `Ẇ` and `ḃ`: as many numbers as they have, or none where they stay fixed.
    pub parameters: Parameters<'a>,
}

/// A layer of your own: what it computes for one image.
///
/// A type becomes a layer with this trait and with an `impl` of its own under `#[typenet::layer]`. That `impl`
/// holds what the compiler must know: the arguments (`new`), the shape of the output (`output`), and the shapes
/// of the parameters (`weight` and `bias`), all of them `const fn`. The attribute's documentation has an
/// example.
///
/// Each call gets one image, as a flat slice in row-major order: channel `c`, row `i`, column `j` is
/// `x[(c · height + i) · width + j]`. `input` is the shape of `x`. The slices are as long as the shapes say.
/// The images of a batch come one by one, on several threads at once.
///
/// [`reference`](Self::reference) is the same function as [`forward`](Self::forward) in `f64`: `gradcheck`
/// compares `backward` with its finite differences, and `trace` uses it too. You write this function, rather
/// than the derivative along a direction, because one function taken straight from the formula checks all
/// gradients at once. `gradcheck` does not know where your function has a kink (an absolute value, a maximum).
/// A difference across a kink says nothing, so choose inputs away from kinks.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has `#[typenet::layer]`, but does not say what it computes",
    label = "`Layer` is missing for this type",
    note = "write `impl typenet::own::Layer for {Self}` with `forward`, `backward` and `reference`"
)]
pub trait Layer: Send + Sync + 'static {
    /// Writes the output for the input `x` to `y`, which holds zeros before the call.
    fn forward(&self, input: Shape, parameters: Parameters<'_>, x: &[f32], y: &mut [f32]);

    /// Takes the gradient `dy` of the output. Writes the gradient of the input `x` to `dx`, which holds zeros
    /// before the call, and *adds* those of the parameters to `gradients`, which holds those of other images.
    fn backward(
        &self,
        input: Shape,
        parameters: Parameters<'_>,
        x: &[f32],
        dy: &[f32],
        dx: &mut [f32],
        gradients: Gradients<'_>,
    );

    /// As [`forward`](Self::forward), in `f64`.
    fn reference(&self, input: Shape, parameters: Parameters<'_, f64>, x: &[f64], y: &mut [f64]);

    /// Writes the derivative of the output along a direction (Jacobian-vector product) to `tangent`, which
    /// holds zeros before the call: `∂y/∂x · ẋ + ∂y/∂W · Ẇ + ∂y/∂b · ḃ`.
    ///
    /// The provided method takes the central difference of [`reference`](Self::reference). Its step moves the
    /// number that moves most by 6·10⁻⁶ of the largest number there is (1 at least). The result is right to
    /// about ten digits where the function is smooth. It takes two calls in `f64` and allocates; write this
    /// method yourself where that is too slow.
    fn jvp(
        &self,
        input: Shape,
        parameters: Parameters<'_>,
        x: &[f32],
        along: Along<'_>,
        tangent: &mut [f32],
    ) {
        difference(self, input, parameters, x, along, tangent);
    }

    /// Changes the parameters that a new net starts with; the provided method keeps them. Before the call they
    /// are as the net's scheme draws them: the weight random, with all but its first dimension for `fan_in`;
    /// the bias zero. `uniform` gives random numbers between −1 and 1. It is not called where the declaration
    /// has `#[init(…)]`.
    fn init(
        &self,
        input: Shape,
        weight: &mut [f32],
        bias: &mut [f32],
        uniform: &mut dyn FnMut() -> f32,
    ) {
        let _ = (input, weight, bias, uniform);
    }
}

/// The central difference of a layer's reference along a direction.
fn difference<L: Layer + ?Sized>(
    layer: &L,
    input: Shape,
    parameters: Parameters<'_>,
    x: &[f32],
    along: Along<'_>,
    tangent: &mut [f32],
) {
    let Along { x: tx, parameters: moves } = along;
    let largest = |all: [&[f32]; 3]| {
        let numbers = all.into_iter().flatten().map(|&number| f64::from(number).abs());
        numbers.fold(0.0, f64::max)
    };
    let size = largest([x, parameters.weight, parameters.bias]).max(1.0);
    let speed = largest([tx, moves.weight, moves.bias]);
    if speed == 0.0 {
        return;
    }
    let step = 6e-6 * size / speed;
    let at = |step: f64| -> Vec<f64> {
        let moved = |from: &[f32], by: &[f32]| -> Vec<f64> {
            let by = by.iter().copied().chain(core::iter::repeat(0.0));
            from.iter().zip(by).map(|(&from, by)| f64::from(from) + step * f64::from(by)).collect()
        };
        let (weight, bias) =
            (moved(parameters.weight, moves.weight), moved(parameters.bias, moves.bias));
        let mut y = vec![0.0; tangent.len()];
        let parameters = Parameters { weight: &weight[..], bias: &bias[..] };
        layer.reference(input, parameters, &moved(x, tx), &mut y);
        y
    };
    let (above, below) = (at(step), at(-step));
    for ((tangent, above), below) in tangent.iter_mut().zip(above).zip(below) {
        *tangent = ((above - below) / (2.0 * step)) as f32;
    }
}

/// A layer of the user's own in a graph.
#[derive(Clone, Copy)]
pub struct Own {
    /// The path by which the declaration calls it: `my::Swirl`.
    pub kind: &'static str,
    /// The arguments as text: `3, 4`.
    pub arguments: &'static str,
    /// What it computes.
    pub layer: &'static dyn Layer,
    /// The shape of its input.
    pub input: Shape,
    /// The shape of its output for that input, or what is wrong with the input.
    pub output: Result<Shape, ShapeError>,
    /// The shape of its weight, if it has one.
    pub weight: Option<Shape>,
    /// The shape of its bias, if it has one.
    pub bias: Option<Shape>,
}

impl Own {
    /// A placeholder for a layer of which nothing is known.
    pub const UNKNOWN: Own = Own {
        kind: "",
        arguments: "",
        layer: &Unknown,
        input: Shape::new(&[1]),
        output: Ok(Shape::new(&[1])),
        weight: Some(Shape::new(&[1])),
        bias: None,
    };

    /// The output's shape, if that and the shapes of the parameters are ones that a value can have.
    pub(crate) const fn checked_output(&self) -> Result<Shape, ShapeError> {
        let output = match self.output {
            Ok(output) => output,
            Err(error) => return Err(error),
        };
        if output.rank() != 1 && output.rank() != 3 {
            return Err(ShapeError::Rank { rank: output.rank() });
        }
        let tensors = [self.weight, self.bias];
        let mut i = 0;
        while i < tensors.len() {
            if let Some(shape) = tensors[i]
                && let Err(error) = shape.checked()
            {
                return Err(error);
            }
            i += 1;
        }
        output.checked()
    }
}

impl PartialEq for Own {
    fn eq(&self, other: &Own) -> bool {
        (self.kind, self.arguments) == (other.kind, other.arguments)
            && (self.input, self.output) == (other.input, other.output)
            && (self.weight, self.bias) == (other.weight, other.bias)
    }
}

impl core::fmt::Debug for Own {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Own")
            .field("kind", &self.kind)
            .field("arguments", &self.arguments)
            .field("input", &self.input)
            .field("output", &self.output)
            .field("weight", &self.weight)
            .field("bias", &self.bias)
            .finish_non_exhaustive()
    }
}

struct Unknown;

impl Layer for Unknown {
    fn forward(&self, _: Shape, _: Parameters<'_>, _: &[f32], _: &mut [f32]) {}
    fn backward(
        &self,
        _: Shape,
        _: Parameters<'_>,
        _: &[f32],
        _: &[f32],
        _: &mut [f32],
        _: Gradients<'_>,
    ) {
    }
    fn reference(&self, _: Shape, _: Parameters<'_, f64>, _: &[f64], _: &mut [f64]) {}
}

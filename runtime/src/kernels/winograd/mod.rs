//! Convolutions with kernels of 3×3 and stride 1 by Winograd's algorithm: fewer products than a
//! direct convolution has, between values that are transformed tile by tile.
//!
//! A tile of `M`×`M` outputs (`M` = 2 or 4) reads `N`×`N` inputs, `N = M + 2`. Both are transformed,
//! as in `transform`, to `N`² points, and at each point the numbers of all channels and tiles are
//! matrices to be multiplied: 4 products an output for `M` = 2, 2.25 for `M` = 4, in place of 9. The
//! weights are transformed once, by [`transform_weight`], for as many images as use them.
//!
//! Results are as close to exact ones as direct sums for `M` = 2, and have about six times their
//! error for `M` = 4 (some 1e-6 in norm). A number that is infinite or NaN makes all outputs of the
//! tiles that read it NaN.
//!
//! # Files
//! - `transform`: the maps of one axis; `tiles`: tiles between values and points; `weights`: the same
//!   for weights.
//! - `multiply`: the product of matrices; `forward` and `weight`: the passes around it.
//! - [`one_image`]: the forward pass with 16 channels side by side in place of 16 images.

mod forward;
mod multiply;
pub mod one_image;
mod tiles;
mod transform;
mod weight;
mod weights;

use std::sync::OnceLock;

use typenet_shape::{Activation, Conv2d, Conv2dKernel, Conv2dPass, Tiling};

use self::forward::Correlate;
use self::weight::Sums;
use self::weights::{Gradient, Weights};
use super::correlate::Plus;
use super::linear::BiasGradient;
use super::math::Fused;
use super::{Isa, Lanes, activation};

/// Whether nets use these kernels: yes, unless the environment variable `TYPENET_WINOGRAD` is `0` or
/// `off`. Decided at the first call.
pub fn is_enabled() -> bool {
    static CHOICE: OnceLock<bool> = OnceLock::new();
    *CHOICE.get_or_init(|| {
        let value = std::env::var("TYPENET_WINOGRAD").unwrap_or_default();
        !matches!(value.trim().to_ascii_lowercase().as_str(), "0" | "off")
    })
}

/// Transforms a weight in PyTorch's order for a pass: [`Conv2dPass::Forward`] or
/// [`Conv2dPass::BackwardData`]. The result is of [`Conv2dKernel::transformed_len`] numbers, whose
/// order depends on `isa`.
///
/// # Panics
/// When `kernel` is not one of Winograd's or cannot run `g`, a slice has a wrong length, `pass` uses no
/// weight, or this machine lacks `isa`.
pub fn transform_weight(
    isa: Isa,
    kernel: Conv2dKernel,
    g: &Conv2d,
    pass: Conv2dPass,
    weight: &[f32],
    transformed: &mut [f32],
) {
    let tiling = tiling(kernel, g, pass);
    let of_one = 9 * g.input.dim(0);
    let (out_step, in_step) = match pass {
        Conv2dPass::BackwardData => (9, of_one),
        _ => (of_one, 9),
    };
    let flip = pass == Conv2dPass::BackwardData;
    assert!(pass != Conv2dPass::BackwardWeight, "a pass that uses no weight");
    match tiling.tile {
        2 => isa.run(Weights::<4> { tiling, out_step, in_step, flip, weight, transformed }),
        _ => isa.run(Weights::<6> { tiling, out_step, in_step, flip, weight, transformed }),
    }
}

/// `y = f(w * x + b + other)`; overwrites `y`. `transformed` is by [`transform_weight`] for this `isa`, `kernel`
/// and pass; `scratch` is of [`Conv2dKernel::scratch_len`], with any contents.
///
/// # Panics
/// When `kernel` is not one of Winograd's or cannot run `g`, a slice has a wrong length, or this
/// machine lacks `isa`.
pub fn forward(
    isa: Isa,
    kernel: Conv2dKernel,
    g: &Conv2d,
    x: &[Lanes],
    transformed: &[f32],
    bias: Option<&[f32]>,
    other: Option<&[Lanes]>,
    f: Activation,
    y: &mut [Lanes],
    scratch: &mut [Lanes],
) {
    let tiling = tiling(kernel, g, Conv2dPass::Forward);
    if let Some(bias) = bias {
        assert_eq!(bias.len(), g.out_channels, "the bias's length");
    }
    let (fused, after) = Fused::split(f);
    let size = [g.input.dim(1), g.input.dim(2)];
    let start = g.padding.map(|padding| -(padding as isize));
    let of = (tiling, size, start);
    correlate(isa, of, x, transformed, (bias, Plus::value(other), fused), y, scratch);
    if let Some(f) = after {
        activation::forward_in_place(isa, f, y);
    }
}

/// The gradient of `x`; overwrites `dx`, or adds to it if it `accumulates`. `transformed` is by
/// [`transform_weight`] for this `isa`, `kernel` and pass.
///
/// # Panics
/// As [`forward`].
pub fn backward_data(
    isa: Isa,
    kernel: Conv2dKernel,
    g: &Conv2d,
    dy: &[Lanes],
    transformed: &[f32],
    accumulates: bool,
    dx: &mut [Lanes],
    scratch: &mut [Lanes],
) {
    let tiling = tiling(kernel, g, Conv2dPass::BackwardData);
    let output = super::conv2d::output(g);
    let size = [output.dim(1), output.dim(2)];
    // A correlation with the taps backwards: place i is read by outputs i + padding − 2 and the two
    // behind it.
    let start = g.padding.map(|padding| padding as isize - 2);
    let of = (tiling, size, start);
    let plus = if accumulates { Plus::Own } else { Plus::Nothing };
    correlate(isa, of, dy, transformed, (None, plus, Fused::Identity), dx, scratch);
}

/// Adds the gradients of the transformed weight to `sums` and that of the bias to `db`, summed over
/// the lanes. `sums` is of [`Conv2dKernel::weight_sums_len`], zeros at first; when all images
/// are added, [`add_weight_gradient`] makes the weight's gradient of it.
///
/// # Panics
/// As [`forward`].
pub fn backward_weight(
    isa: Isa,
    kernel: Conv2dKernel,
    g: &Conv2d,
    x: &[Lanes],
    dy: &[Lanes],
    sums: &mut [Lanes],
    db: Option<&mut [f32]>,
    scratch: &mut [Lanes],
) {
    let tiling = tiling(kernel, g, Conv2dPass::BackwardWeight);
    let size = [g.input.dim(1), g.input.dim(2)];
    let start = g.padding.map(|padding| -(padding as isize));
    match tiling.tile {
        2 => isa.run(Sums::<4> { tiling, size, start, x, dy, sums, scratch }),
        _ => isa.run(Sums::<6> { tiling, size, start, x, dy, sums, scratch }),
    }
    if let Some(db) = db {
        assert_eq!(db.len(), g.out_channels, "the bias gradient's length");
        isa.run(BiasGradient { dy, db });
    }
}

/// `dw +=` the gradient of the weight that [`backward_weight`] has summed up in `sums`.
///
/// # Panics
/// As [`forward`].
pub fn add_weight_gradient(
    isa: Isa,
    kernel: Conv2dKernel,
    g: &Conv2d,
    sums: &[Lanes],
    dw: &mut [f32],
) {
    let tiling = tiling(kernel, g, Conv2dPass::BackwardWeight);
    match tiling.tile {
        2 => isa.run(Gradient::<4> { tiling, sums, dw }),
        _ => isa.run(Gradient::<6> { tiling, sums, dw }),
    }
}

fn correlate(
    isa: Isa,
    (tiling, size, start): (Tiling, [usize; 2], [isize; 2]),
    x: &[Lanes],
    weights: &[f32],
    (bias, plus, fused): (Option<&[f32]>, Plus<'_>, Fused),
    y: &mut [Lanes],
    scratch: &mut [Lanes],
) {
    match tiling.tile {
        2 => isa.run(Correlate::<4> {
            tiling,
            size,
            start,
            x,
            weights,
            bias,
            plus,
            fused,
            y,
            scratch,
        }),
        _ => isa.run(Correlate::<6> {
            tiling,
            size,
            start,
            x,
            weights,
            bias,
            plus,
            fused,
            y,
            scratch,
        }),
    }
}

#[allow(clippy::panic)]
fn tiling(kernel: Conv2dKernel, g: &Conv2d, pass: Conv2dPass) -> Tiling {
    match kernel.tiling(g, pass) {
        Some(tiling) => tiling,
        None => panic!("{kernel:?} cannot run this convolution: {g:?}"),
    }
}

//! Transposed convolution: `y[o, i·s + u·d − p, j·s + v·d − p] += w[c, o, u, v] · x[c, i, j]` over
//! the input channels `c` of `o`'s group, and then `f(y + b[o] + other)` (Zeiler et al., *Deconvolutional
//! networks*, 2010; PyTorch's `ConvTranspose2d`).
//!
//! It is the data gradient of a convolution that leads from `y` back to `x`, with the same weight in
//! the same order, and that convolution is its own data gradient.

use typenet_shape::{Activation, Conv2d, ConvTranspose2d};

use super::conv_weight_gradient::WeightGradient;
use super::conv2d::{forward_axis, spread};
use super::correlate::{Correlate, Correlation};
use super::epilogue::{Finish, Plus};
use super::fused::Fused;
use super::linear::BiasGradient;
use super::team::Shared;
use super::{Isa, Lanes, activation};

/// Overwrites `y` with the result plus `other`.
///
/// # Panics
/// When the geometry breaks a rule of [`ConvTranspose2d::output`], a slice has not the length that it
/// asks for, or this machine lacks `isa`.
pub fn forward(
    isa: Isa,
    g: &ConvTranspose2d,
    x: &[Lanes],
    weight: &[f32],
    bias: Option<&[f32]>,
    other: Option<&[Lanes]>,
    f: Activation,
    y: &mut [Lanes],
) {
    let (fused, after) = Fused::split(f);
    let finish = Finish { bias, plus: Plus::value(other), fused };
    spread(isa, &back(g), g.input, x, weight, finish, y);
    if let Some(f) = after {
        activation::forward_in_place(isa, f, y);
    }
}

/// The sums of [`forward`] and the bias, added to `y`.
///
/// # Panics
/// As [`forward`].
pub fn accumulate(
    isa: Isa,
    g: &ConvTranspose2d,
    x: &[Lanes],
    weight: &[f32],
    bias: Option<&[f32]>,
    y: &mut [Lanes],
) {
    let finish = Finish { bias, plus: Plus::Own, fused: Fused::Identity };
    spread(isa, &back(g), g.input, x, weight, finish, y);
}

/// Adds the gradients of weight and bias, summed over the lanes:
/// `dw[c, o, u, v] += Σ x[c, i, j] · dy[o, i·s + u·d − p, j·s + v·d − p]`, `db[o] += Σ dy[o, i, j]`.
///
/// # Panics
/// As [`forward`].
pub fn backward_weight(
    isa: Isa,
    g: &ConvTranspose2d,
    x: &[Lanes],
    dy: &[Lanes],
    dw: &mut [f32],
    db: Option<&mut [f32]>,
) {
    let back = back(g);
    isa.run(WeightGradient {
        height: forward_axis(&back, g.input, 0),
        width: forward_axis(&back, g.input, 1),
        groups: g.groups,
        in_channels: g.out_channels / g.groups,
        out_channels: g.input.dim(0) / g.groups,
        x: dy,
        dy: x,
        dw,
    });
    if let Some(db) = db {
        assert_eq!(db.len(), g.out_channels, "the bias gradient's length");
        isa.run(BiasGradient { dy, db });
    }
}

/// `dx[c, i, j] = Σ w[c, o, u, v] · dy[o, i·s + u·d − p, j·s + v·d − p]`; overwrites `dx`.
///
/// # Panics
/// As [`forward`].
pub fn backward_data(
    isa: Isa,
    g: &ConvTranspose2d,
    dy: &[Lanes],
    weight: &[f32],
    dx: &mut [Lanes],
) {
    run_backward_data(isa, g, dy, weight, Plus::Nothing, dx);
}

/// [`backward_data`], added to `dx`.
///
/// # Panics
/// As [`forward`].
pub fn add_backward_data(
    isa: Isa,
    g: &ConvTranspose2d,
    dy: &[Lanes],
    weight: &[f32],
    dx: &mut [Lanes],
) {
    run_backward_data(isa, g, dy, weight, Plus::Own, dx);
}

fn run_backward_data(
    isa: Isa,
    g: &ConvTranspose2d,
    dy: &[Lanes],
    weight: &[f32],
    plus: Plus<'_>,
    dx: &mut [Lanes],
) {
    let back = back(g);
    let kernel = g.kernel[0] * g.kernel[1];
    let out_channels = g.out_channels / g.groups;
    let of = Correlation {
        height: forward_axis(&back, g.input, 0),
        width: forward_axis(&back, g.input, 1),
        groups: g.groups,
        in_channels: out_channels,
        out_channels: g.input.dim(0) / g.groups,
        kernel: g.kernel,
        output: [g.input.dim(1), g.input.dim(2)],
        weight_out: out_channels * kernel,
        weight_in: kernel,
        x: dy,
        weight,
        bias: None,
        fused: Fused::Identity,
    };
    isa.run(Correlate { of, plus, y: Shared::new(dx) });
}

/// The convolution from the output back to the input.
#[allow(clippy::panic)]
pub(super) fn back(g: &ConvTranspose2d) -> Conv2d {
    match g.output() {
        Ok(output) => g.transposed(output),
        Err(error) => panic!("no geometry of a transposed convolution: {error:?}"),
    }
}

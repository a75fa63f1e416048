//! Convolutions with kernels of 3×3 or 5×5 and stride 1 by Winograd's algorithm: fewer products than
//! a direct convolution has, between values that are transformed tile by tile.
//!
//! A tile of `M`×`M` outputs reads `N`×`N` inputs, `N = M + R − 1` for kernels of `R`×`R` taps. Both
//! are transformed, as in `transform`, to `N`² points, and at each point the numbers of all channels
//! and tiles are matrices to be multiplied. Products per output: for 3×3, 4 with `M` = 2 and 2.25 with
//! `M` = 4, in place of 9; for 5×5, 9 with `M` = 2, in place of 25. The weights are transformed once, by
//! [`transform_weight`], for as many images as use them.
//!
//! Results are as close to exact ones as direct sums for `N` = 4, and have about six times their
//! error for `N` = 6 (some 1e-6 in norm). A number that is infinite or NaN makes all outputs of the
//! tiles that read it NaN.
//!
//! # Files
//! - `transform`: the maps of one axis; `tiles`: tiles between values and points; `weights`: the same
//!   for weights.
//! - `forward` and `weight`: the passes around the product of matrices.
//! - [`blocked`]: the forward pass with 16 channels side by side in place of 16 images.

/// Runs a kernel of the size that a tiling asks for: inputs of a tile, and taps, along an axis.
macro_rules! run {
    ($isa:expr, $tiling:expr, $kernel:ident { $($field:tt)* }) => {
        match ($tiling.tile, $tiling.kernel) {
            (2, 3) => $isa.run($kernel::<4, 3> { $($field)* }),
            (2, _) => $isa.run($kernel::<6, 5> { $($field)* }),
            _ => $isa.run($kernel::<6, 3> { $($field)* }),
        }
    };
}

pub mod blocked;
mod blocked_weight;
mod forward;
mod tiles;
mod transform;
mod weight;
mod weights;

use std::sync::OnceLock;

use typenet_shape::{Conv2d, Conv2dKernel, Conv2dPass, Tiling};

use self::forward::Correlate;
use self::weight::Sums;
use self::weights::{Gradient, Weights};
use super::epilogue::{Epilogue, Finish, Plus};
use super::fused::Fused;
use super::statistics::Statistics;
use super::team::{Crew, Numbered, Shared, even_pairs, even_part};
use super::{Isa, Lanes, linear};

/// A constant, so that the compiler leaves out what is not used there.
const IN_WEBASSEMBLY: bool = cfg!(target_family = "wasm");

/// Whether nets use these kernels: yes, unless the environment variable `TYPENET_WINOGRAD` is `0` or
/// `off`. Decided at the first call. WebAssembly has none of them: each would add to the download.
pub fn is_enabled() -> bool {
    if IN_WEBASSEMBLY {
        return false;
    }
    static CHOICE: OnceLock<bool> = OnceLock::new();
    *CHOICE.get_or_init(|| {
        let value = std::env::var("TYPENET_WINOGRAD").unwrap_or_default();
        !matches!(value.trim().to_ascii_lowercase().as_str(), "0" | "off")
    })
}

/// Whether nets use a kernel that was chosen for a convolution: one of Winograd's only where these are
/// [enabled](is_enabled), any other always.
pub fn allows(kernel: Conv2dKernel) -> bool {
    matches!(kernel, Conv2dKernel::Direct | Conv2dKernel::Gemm) || is_enabled()
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
    let taps = tiling.kernel * tiling.kernel;
    let of_one = taps * g.input.dim(0);
    let (out_step, in_step) = match pass {
        Conv2dPass::BackwardData => (taps, of_one),
        _ => (of_one, taps),
    };
    let flip = pass == Conv2dPass::BackwardData;
    assert!(pass != Conv2dPass::BackwardWeight, "a pass that uses no weight");
    run!(isa, tiling, Weights { tiling, out_step, in_step, flip, weight, transformed });
}

/// The convolution, followed by the `epilogue`; overwrites `y`. `transformed` comes from [`transform_weight`]
/// for this `isa`, `kernel` and pass; `scratch` has the length [`Conv2dKernel::scratch_len`] and any
/// contents.
///
/// # Panics
/// When `kernel` is not one of Winograd's or cannot run `g`, a slice has a wrong length, the statistics are
/// not those of `y`, or this machine lacks `isa`.
pub fn forward(
    isa: Isa,
    kernel: Conv2dKernel,
    g: &Conv2d,
    x: &[Lanes],
    transformed: &[f32],
    epilogue: Epilogue<'_>,
    y: &mut [Lanes],
    scratch: &mut [Lanes],
) {
    forward_by(isa, &mut Crew::alone(scratch), kernel, g, x, transformed, epilogue, y);
}

/// [`forward`] by a crew, with its scratch memory. The result is the same to the bit, however many threads it has.
///
/// # Panics
/// As [`forward`].
pub fn forward_by(
    isa: Isa,
    crew: &mut Crew<'_>,
    kernel: Conv2dKernel,
    g: &Conv2d,
    x: &[Lanes],
    transformed: &[f32],
    epilogue: Epilogue<'_>,
    y: &mut [Lanes],
) {
    let tiling = tiling(kernel, g, Conv2dPass::Forward);
    let (finish, mut behind) = epilogue.split();
    if let Some(bias) = finish.bias {
        assert_eq!(bias.len(), g.out_channels, "the bias's length");
    }
    let size = [g.input.dim(1), g.input.dim(2)];
    let start = g.padding.map(|padding| -(padding as isize));
    let of = (tiling, size, start);
    let parts = crew.parts(products(&tiling));
    let statistics = if parts == 1 { behind.take_statistics() } else { None };
    correlate(isa, (crew, parts), of, x, transformed, finish, statistics, Shared::new(y));
    if parts == 1 {
        behind.run(isa, g.out_channels, y);
    } else {
        behind.run_by(isa, crew, g.out_channels, forward::bands(&tiling), y);
    }
}

/// The gradient of `x`; overwrites `dx`, or adds to it if it `accumulates`. `transformed` comes from
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
    backward_data_by(isa, &mut Crew::alone(scratch), kernel, g, dy, transformed, accumulates, dx);
}

/// [`backward_data`] by a crew, with its scratch memory. The result is the same to the bit, however many threads
/// it has.
///
/// # Panics
/// As [`forward`].
pub fn backward_data_by(
    isa: Isa,
    crew: &mut Crew<'_>,
    kernel: Conv2dKernel,
    g: &Conv2d,
    dy: &[Lanes],
    transformed: &[f32],
    accumulates: bool,
    dx: &mut [Lanes],
) {
    let tiling = tiling(kernel, g, Conv2dPass::BackwardData);
    let output = super::conv2d::output(g);
    let size = [output.dim(1), output.dim(2)];
    // A correlation with the taps reversed: the last output that reads place i is i + padding.
    let start = g.padding.map(|padding| padding as isize + 1 - tiling.kernel as isize);
    let of = (tiling, size, start);
    let finish = Finish { bias: None, plus: Plus::own_if(accumulates), fused: Fused::Identity };
    let parts = crew.parts(products(&tiling));
    correlate(isa, (crew, parts), of, dy, transformed, finish, None, Shared::new(dx));
}

/// Overwrites `sums` with the gradients of the transformed weight, or adds them if it `adds`, and adds that of the
/// bias to `db`, summed over the lanes. `sums` is of [`Conv2dKernel::weight_sums_len`]; when all images are added,
/// [`add_weight_gradient`] makes the weight's gradient of it.
///
/// # Panics
/// As [`forward`].
pub fn backward_weight(
    isa: Isa,
    kernel: Conv2dKernel,
    g: &Conv2d,
    x: &[Lanes],
    dy: &[Lanes],
    adds: bool,
    sums: &mut [Lanes],
    db: Option<&mut [f32]>,
    scratch: &mut [Lanes],
) {
    backward_weight_by(isa, &mut Crew::alone(scratch), kernel, g, x, dy, adds, sums, db);
}

/// [`backward_weight`] by a crew, with its scratch memory. The result is the same to the bit, however many threads
/// it has.
///
/// # Panics
/// As [`forward`].
pub fn backward_weight_by(
    isa: Isa,
    crew: &mut Crew<'_>,
    kernel: Conv2dKernel,
    g: &Conv2d,
    x: &[Lanes],
    dy: &[Lanes],
    adds: bool,
    sums: &mut [Lanes],
    db: Option<&mut [f32]>,
) {
    let tiling = tiling(kernel, g, Conv2dPass::BackwardWeight);
    let size = [g.input.dim(1), g.input.dim(2)];
    let start = g.padding.map(|padding| -(padding as isize));
    // Each part has some input channels; all parts transform the output's gradient.
    let parts = crew.parts(products(&tiling)).min(tiling.in_channels);
    let sums = Shared::new(sums);
    crew.for_each(Numbered(parts), |scratch, part, ()| {
        let ins = even_part(part, parts, tiling.in_channels);
        run!(isa, tiling, Sums { tiling, size, start, ins, x, dy, adds, sums, scratch });
    });
    if let Some(db) = db {
        linear::backward_bias_by(isa, crew, dy, db);
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
    run!(isa, tiling, Gradient { tiling, sums, dw });
}

fn correlate(
    isa: Isa,
    (crew, parts): (&mut Crew<'_>, usize),
    (tiling, size, start): (Tiling, [usize; 2], [isize; 2]),
    x: &[Lanes],
    weights: &[f32],
    finish: Finish<'_>,
    statistics: Option<Statistics<'_>>,
    y: Shared<'_, Lanes>,
) {
    let all = tiling.tiles[0] * tiling.tiles[1];
    if parts == 1 {
        let (tiles, scratch) = (0..all, crew.scratch());
        run!(
            isa,
            tiling,
            Correlate { tiling, tiles, size, start, x, weights, finish, statistics, y, scratch }
        );
        return;
    }
    let parts = parts.min(all.div_ceil(2));
    crew.for_each(Numbered(parts), |scratch, part, ()| {
        let tiles = even_pairs(part, parts, all);
        let statistics = None;
        run!(
            isa,
            tiling,
            Correlate { tiling, tiles, size, start, x, weights, finish, statistics, y, scratch }
        );
    });
}

/// Multiply-adds of one image.
fn products(tiling: &Tiling) -> usize {
    let tiles = tiling.tiles[0] * tiling.tiles[1];
    [tiling.points(), tiling.in_channels, tiling.out_channels]
        .into_iter()
        .fold(tiles, usize::saturating_mul)
}

#[allow(clippy::panic)]
fn tiling(kernel: Conv2dKernel, g: &Conv2d, pass: Conv2dPass) -> Tiling {
    match kernel.tiling(g, pass) {
        Some(tiling) if !IN_WEBASSEMBLY => tiling,
        _ => panic!("{kernel:?} cannot run this convolution: {g:?}"),
    }
}

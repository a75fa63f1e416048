//! The gradients of a depthwise convolution, with 16 channels side by side.
#![allow(unsafe_code)]

use typenet_shape::{Conv2d, Shape};

use super::super::conv2d::{forward_axis, output};
use super::super::depthwise::{self, BlockedWeightGradient, Taps};
use super::super::epilogue::{Bias, Plus};
use super::super::fused::Fused;
use super::super::simd::{Kernel, Simd};
use super::super::team::{Team, chunks, chunks_mut};
use super::super::{Isa, LANES, Lanes};
use super::layout::blocks;

/// How many [`Lanes`] of scratch memory [`depthwise_backward_weight`] needs.
pub const fn depthwise_weight_room(g: &Conv2d, images: usize) -> usize {
    images * blocks(g.out_channels) * g.kernel[0] * g.kernel[1]
}

/// How many [`Lanes`] the weight packed for [`depthwise_backward_data`] is.
pub const fn depthwise_data_packed_len(g: &Conv2d) -> usize {
    blocks(g.out_channels) * g.kernel[0] * g.kernel[1]
}

/// Packs the weight for [`depthwise_backward_data`].
///
/// # Panics
/// When a slice has a wrong length.
pub fn pack_depthwise_data(g: &Conv2d, weight: &[f32], packed: &mut [Lanes]) {
    let taps = g.kernel[0] * g.kernel[1];
    assert_eq!(weight.len(), g.out_channels * taps, "the weight's length");
    assert_eq!(packed.len(), depthwise_data_packed_len(g), "the packed length");
    packed.fill(Lanes::ZERO);
    for (channel, weight) in weight.chunks_exact(taps).enumerate() {
        let to = &mut packed[channel / LANES * taps..][..taps];
        for (tap, w) in weight.iter().enumerate() {
            let place = if is_flipped(g) { taps - 1 - tap } else { tap };
            to[place].0[channel % LANES] = *w;
        }
    }
}

/// Whether the data gradient is a correlation with the taps reversed.
fn is_flipped(g: &Conv2d) -> bool {
    depthwise::runs_backward_data(g) && g.stride == [1, 1]
}

/// `dx[c, i', j'] = Σ w[c, u, v] · dy[c, i, j]` over the places that read `x[c, i', j']`, of `images` images,
/// shared out among the team; overwrites `dx`, or adds to it if `accumulate`. `packed` comes from
/// [`pack_depthwise_data`].
///
/// # Panics
/// When the geometry breaks a rule of [`Conv2d::output`] or is not depthwise, a slice has a wrong length, or
/// this machine lacks `isa`.
pub fn depthwise_backward_data(
    isa: Isa,
    team: &Team,
    g: &Conv2d,
    images: usize,
    dy: &[Lanes],
    packed: &[Lanes],
    accumulate: bool,
    dx: &mut [Lanes],
) {
    let (output, [from, to]) = check(g, images, dx.len(), dy.len());
    assert_eq!(packed.len(), depthwise_data_packed_len(g), "the packed weight's length");
    let taps = g.kernel[0] * g.kernel[1];
    let of_block = &depthwise::of_block(g);
    let all = blocks(g.out_channels);
    let plus = if accumulate { Plus::Own } else { Plus::Nothing };
    team.for_each((chunks(dy, to), chunks_mut(dx, from)), |index, (dy, dx)| {
        let taps = Taps::Vectors(&packed[index % all * taps..][..taps]);
        if is_flipped(g) {
            let start = g.padding.map(|padding| padding as isize - (g.kernel[0] as isize - 1));
            isa.run(depthwise::Correlate {
                input: [output.dim(1), output.dim(2)],
                output: [g.input.dim(1), g.input.dim(2)],
                start,
                ..depthwise::forward(
                    of_block,
                    output,
                    (dy, taps, Bias::None),
                    (plus, Fused::Identity),
                    dx,
                )
            });
        } else if depthwise::runs_backward_data(g) {
            isa.run(depthwise::Spread { g: of_block, output, dy, taps, plus, dx });
        } else {
            let Taps::Vectors(taps) = taps else { return };
            if !accumulate {
                dx.fill(Lanes::ZERO);
            }
            isa.run(AnyData { g: of_block, output, dy, taps, dx });
        }
    });
}

/// `dw[c, u, v] = Σ dy[c, i, j] · x[c, i·s + u·d − p, j·s + v·d − p]` over all images, in their order, shared
/// out among the team; overwrites `dw`, or adds to it if `accumulate`. `room` has the length
/// [`depthwise_weight_room`] and any contents.
///
/// # Panics
/// As [`depthwise_backward_data`].
pub fn depthwise_backward_weight(
    isa: Isa,
    team: &Team,
    g: &Conv2d,
    images: usize,
    x: &[Lanes],
    dy: &[Lanes],
    room: &mut [Lanes],
    accumulate: bool,
    dw: &mut [f32],
) {
    let (output, [from, to]) = check(g, images, x.len(), dy.len());
    let taps = g.kernel[0] * g.kernel[1];
    assert_eq!(dw.len(), g.out_channels * taps, "the weight gradient's length");
    let sums = &mut room[..depthwise_weight_room(g, images)];
    let of_block = &depthwise::of_block(g);
    let parts = (chunks(x, from), chunks(dy, to), chunks_mut(sums, taps));
    team.for_each(parts, |_, (x, dy, sums)| {
        sums.fill(Lanes::ZERO);
        if depthwise::runs(g) {
            isa.run(BlockedWeightGradient { g: of_block, output, x, dy, sums });
        } else {
            isa.run(AnyWeight { g: of_block, output, x, dy, sums });
        }
    });
    let of_image = blocks(g.out_channels) * taps;
    for (channel, dw) in dw.chunks_exact_mut(taps).enumerate() {
        for (tap, dw) in dw.iter_mut().enumerate() {
            let place = channel / LANES * taps + tap;
            let own = sums[place..].iter().step_by(of_image);
            let sum: f64 = own.map(|sum| f64::from(sum.0[channel % LANES])).sum();
            *dw = if accumulate { *dw } else { 0.0 } + sum as f32;
        }
    }
}

/// The output's shape, and [`Lanes`] of a block of the input and of the output.
fn check(g: &Conv2d, images: usize, x: usize, dy: usize) -> (Shape, [usize; 2]) {
    let output = output(g);
    let channels = g.input.dim(0);
    assert!(g.groups == channels && g.out_channels == channels, "one group a channel");
    let areas = [g.input, output].map(|shape| shape.dim(1) * shape.dim(2));
    let planes = images * blocks(channels);
    assert_eq!(x, planes * areas[0], "the input's length");
    assert_eq!(dy, planes * areas[1], "the output gradient's length");
    (output, areas)
}

/// Calls `$body` for each tap and the outputs that it reads something for: `$x` and `$y` are the first places
/// of a row, `$count` how many there are, `$step` from one of `x` to the next.
macro_rules! each_row {
    ($g:expr, $output:expr, |$tap:ident, $x:ident, $y:ident, $count:ident, $step:ident| $body:block) => {
        let [height, width] = [0, 1].map(|axis| forward_axis($g, $output, axis));
        let $step = width.input_step;
        for u in 0..height.taps {
            for v in 0..width.taps {
                let $tap = u * width.taps + v;
                let (rows, columns) = (height.outputs_inside(u), width.outputs_inside(v));
                if columns.is_empty() {
                    continue;
                }
                let $count = columns.len();
                for row in rows {
                    let at = height.position(row, u) as usize * width.input;
                    let $x = at + width.position(columns.start, v) as usize;
                    let $y = row * width.outputs + columns.start;
                    $body
                }
            }
        }
    };
}

/// The data gradient of any geometry, added to `dx`.
struct AnyData<'a> {
    g: &'a Conv2d,
    output: Shape,
    dy: &'a [Lanes],
    taps: &'a [Lanes],
    dx: &'a mut [Lanes],
}

impl Kernel for AnyData<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let AnyData { g, output, dy, taps, dx } = self;
        each_row!(g, output, |tap, x, y, count, step| {
            for part in 0..S::PARTS {
                let w = s.load(&taps[tap], part);
                for k in 0..count {
                    let to = &mut dx[x + k * step];
                    let sum = s.fma(w, s.load(&dy[y + k], part), s.load(to, part));
                    s.store(to, part, sum);
                }
            }
        });
    }
}

/// The weight's gradient of any geometry, added to `sums`.
struct AnyWeight<'a> {
    g: &'a Conv2d,
    output: Shape,
    x: &'a [Lanes],
    dy: &'a [Lanes],
    sums: &'a mut [Lanes],
}

impl Kernel for AnyWeight<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let AnyWeight { g, output, x: from, dy, sums } = self;
        each_row!(g, output, |tap, x, y, count, step| {
            for part in 0..S::PARTS {
                let mut sum = s.splat(0.0);
                for k in 0..count {
                    let (x, d) = (s.load(&from[x + k * step], part), s.load(&dy[y + k], part));
                    sum = s.fma(x, d, sum);
                }
                let sum = s.add(s.load(&sums[tap], part), sum);
                s.store(&mut sums[tap], part, sum);
            }
        });
    }
}

//! Convolution: `y[o, i, j] = f(b[o] + Σ w[o, c, u, v] · x[c, i·s + u·d − p, j·s + v·d − p])`, over
//! the input channels `c` of `o`'s group (Goodfellow, Bengio and Courville, *Deep Learning*,
//! chapter 9: a cross-correlation, as PyTorch's `Conv2d`).

use std::ops::Range;

use typenet_shape::{Activation, Conv2d, Pool2d, Shape};

use super::batch_norm::Input;
use super::conv_weight_gradient::WeightGradient;
use super::correlate::{Axis, Correlate, Correlation};
use super::depthwise::{self, Taps};
use super::epilogue::{Bias, Epilogue, Finish, Plus};
use super::fused::Fused;
use super::statistics::{BAND, Statistics};
use super::team::{Crew, Numbered, Shared, chunks, chunks_mut, even_part};
use super::{Isa, Lanes, activation, linear, pool2d};

/// Output channels of a weight gradient's parts are a multiple of this, so that its tiles are full.
const OUTS: usize = 4;

/// The convolution, followed by the `epilogue`; overwrites `y`.
///
/// # Panics
/// When the geometry breaks a rule of [`Conv2d::output`], a slice has not the length that it asks
/// for, the statistics are not those of `y`, or this machine lacks `isa`.
pub fn forward(
    isa: Isa,
    g: &Conv2d,
    x: &[Lanes],
    weight: &[f32],
    epilogue: Epilogue<'_>,
    y: &mut [Lanes],
) {
    forward_by(isa, &mut Crew::alone(&mut []), g, x.into(), weight, epilogue, y);
}

/// [`forward`] by a crew. The result is the same to the bit, however many threads it has.
///
/// A norm can be applied to the input where [`Conv2d::has_depthwise_kernel`] says yes. The crew's scratch memory then
/// holds one channel of it, at least.
///
/// # Panics
/// As [`forward`], or where a norm cannot be applied.
pub fn forward_by(
    isa: Isa,
    crew: &mut Crew<'_>,
    g: &Conv2d,
    x: Input<'_>,
    weight: &[f32],
    epilogue: Epilogue<'_>,
    y: &mut [Lanes],
) {
    let output = output(g);
    let (finish, mut behind) = epilogue.split();
    let parts = crew.parts(multiply_adds(g, output));
    if depthwise::runs(g) {
        x.check(g.input);
        assert_eq!(weight.len(), g.weight().elements(), "the weight's length");
        assert_eq!(y.len(), output.elements(), "the output's length");
        finish.plus.check(y.len());
        let bias = finish.bias.map_or(g.out_channels, <[f32]>::len);
        assert_eq!(bias, g.out_channels, "the bias's length");
        // Channels of which each reads its own leave their statistics while they are in cache.
        let gathers = parts == 1 && g.out_channels == g.groups;
        let statistics = if gathers { behind.take_statistics() } else { None };
        let by_groups = ByGroups { isa, g, output, x, weight, finish };
        match statistics {
            Some(statistics) => by_groups.gather(crew.scratch(), statistics, y),
            None => by_groups.run(crew, parts, y),
        }
        if parts == 1 {
            return behind.run(isa, g.out_channels, y);
        }
        let pixels = output.dim(1) * output.dim(2);
        return behind.run_by(isa, crew, g.out_channels, std::iter::once(0..pixels), y);
    }
    assert!(x.norm.is_none(), "a norm is applied to depthwise input alone");
    let x = x.x;
    if parts > 1 {
        by_rows(isa, crew, (g, parts), (x, weight), finish, y);
        let bands =
            bands(g, output).map(|rows| rows.start * output.dim(2)..rows.end * output.dim(2));
        return behind.run_by(isa, crew, g.out_channels, bands, y);
    }
    match behind.take_statistics() {
        Some(statistics) => gather_by_rows(isa, g, (x, weight), finish, statistics, y),
        None => {
            let of = correlation(g, output, (x, weight, finish.bias), finish.fused);
            isa.run(Correlate { of, plus: finish.plus, y: Shared::new(y) });
        }
    }
    behind.run(isa, g.out_channels, y);
}

/// A depthwise convolution.
struct ByGroups<'a> {
    isa: Isa,
    g: &'a Conv2d,
    output: Shape,
    x: Input<'a>,
    weight: &'a [f32],
    finish: Finish<'a>,
}

impl ByGroups<'_> {
    /// By a crew: some channels for each part.
    fn run(&self, crew: &mut Crew<'_>, parts: usize, y: &mut [Lanes]) {
        let g = self.g;
        let count = g.groups.div_ceil(parts);
        let len = count * g.out_channels / g.groups * self.output.dim(1) * self.output.dim(2);
        crew.for_each(chunks_mut(y, len), |scratch, part, y| {
            self.some(part * count..g.groups.min((part + 1) * count), scratch, y);
        });
    }

    /// Some channels at a time, whose statistics are gathered while they are in cache.
    fn gather(&self, scratch: &mut [Lanes], mut statistics: Statistics<'_>, y: &mut [Lanes]) {
        let (isa, groups) = (self.isa, self.g.groups);
        let plane = self.output.dim(1) * self.output.dim(2);
        let channels = (BAND / plane).clamp(1, groups).next_multiple_of(4);
        for first in (0..groups).step_by(channels) {
            let range = first..(first + channels).min(groups);
            let y = &mut y[plane * range.start..plane * range.end];
            self.some(range.clone(), scratch, y);
            statistics.of(range).add(isa, y, plane, 0..plane);
        }
    }

    /// Some groups, whose part of the output `y` is.
    fn some(&self, groups: Range<usize>, scratch: &mut [Lanes], y: &mut [Lanes]) {
        let ByGroups { isa, g, output, x, weight, finish: Finish { bias, plus, fused } } = *self;
        let [ins, outs] = [g.input, output].map(|shape| shape.dim(1) * shape.dim(2));
        let (of_one, at_once) = (g.out_channels / g.groups * outs, at_once(&x, &groups));
        for (y, first) in y.chunks_mut(at_once * of_one).zip(groups.clone().step_by(at_once)) {
            let of = SomeGroups::new(g, first..groups.end.min(first + at_once));
            let bias = Bias::numbers(bias.map(|bias| &bias[of.outputs.clone()]));
            let plus = match plus {
                Plus::Value(value) => Plus::Value(&value[of.outputs.start * outs..][..y.len()]),
                plus => plus,
            };
            let x = x.channels(isa, of.inputs.clone(), ins, scratch);
            let read = (x, Taps::Numbers(of.weight(weight)), bias);
            isa.run(depthwise::forward(&of.g, output, read, (plus, fused), y));
        }
    }
}

/// How many of these groups a kernel takes together: where a norm is applied to their input, each by itself, since
/// there is room for one channel.
fn at_once(x: &Input<'_>, groups: &Range<usize>) -> usize {
    if x.norm.is_some() { 1 } else { groups.len() }
}

/// Any other, by a crew: some rows for each part.
fn by_rows(
    isa: Isa,
    crew: &mut Crew<'_>,
    (g, parts): (&Conv2d, usize),
    (x, weight): (&[Lanes], &[f32]),
    finish: Finish<'_>,
    y: &mut [Lanes],
) {
    let output = output(g);
    let whole = correlation(g, output, (x, weight, finish.bias), finish.fused);
    let (y, parts) = (Shared::new(y), parts.min(output.dim(1)));
    crew.for_each(Numbered(parts), |_, part, ()| {
        let rows = even_part(part, parts, output.dim(1));
        let of = Correlation { height: whole.height.part(&rows), ..whole };
        isa.run(Correlate { of, plus: finish.plus, y });
    });
}

/// Some of the groups of a convolution.
struct SomeGroups {
    g: Conv2d,
    outputs: Range<usize>,
    inputs: Range<usize>,
}

impl SomeGroups {
    fn new(g: &Conv2d, groups: Range<usize>) -> SomeGroups {
        let of = |channels: usize| {
            let each = channels / g.groups;
            each * groups.start..each * groups.end
        };
        let (inputs, outputs) = (of(g.input.dim(0)), of(g.out_channels));
        let size = [inputs.len(), g.input.dim(1), g.input.dim(2)];
        let (groups, out_channels) = (groups.len(), outputs.len());
        let g = Conv2d { input: Shape::new(&size), groups, out_channels, ..*g };
        SomeGroups { g, outputs, inputs }
    }

    /// Their weights.
    fn weight<'a>(&self, weight: &'a [f32]) -> &'a [f32] {
        let each = self.inputs.len() / self.g.groups * self.g.kernel[0] * self.g.kernel[1];
        &weight[self.outputs.start * each..self.outputs.end * each]
    }
}

/// The rows of the output in bands, after each of which statistics are gathered.
fn bands(g: &Conv2d, output: Shape) -> impl Iterator<Item = Range<usize>> + Clone + Sync + use<> {
    let (all, rows) = (output.dim(1), (BAND / (output.dim(2) * g.out_channels)).max(1));
    (0..all).step_by(rows).map(move |first| first..(first + rows).min(all))
}

/// Any other, some rows of all channels at a time.
fn gather_by_rows(
    isa: Isa,
    g: &Conv2d,
    (x, weight): (&[Lanes], &[f32]),
    Finish { bias, plus, fused }: Finish<'_>,
    mut statistics: Statistics<'_>,
    y: &mut [Lanes],
) {
    let output = output(g);
    let plane = output.dim(1) * output.dim(2);
    let whole = correlation(g, output, (x, weight, bias), fused);
    for range in bands(g, output) {
        let of = Correlation { height: whole.height.part(&range), ..whole };
        isa.run(Correlate { of, plus, y: Shared::new(y) });
        let range = range.start * output.dim(2)..range.end * output.dim(2);
        statistics.add(isa, y, plane, range);
    }
}

/// The maximum or average of `f(w * x + b)` over windows that do not overlap; overwrites `y`. The
/// convolution's own value passes through `band`: the rows that a row of windows reads, of all channels.
///
/// # Panics
/// As [`forward`], or when `pool` is not on `g`'s output or no [tiling](Pool2d::is_tiling).
pub fn forward_and_pool(
    isa: Isa,
    g: &Conv2d,
    x: &[Lanes],
    weight: &[f32],
    bias: Option<&[f32]>,
    f: Activation,
    (pool, is_max): (&Pool2d, bool),
    band: &mut [Lanes],
    y: &mut [Lanes],
) {
    let output = output(g);
    assert_eq!(pool.input, output, "the windows' input");
    let (fused, after) = Fused::split(f);
    let whole = correlation(g, output, (x, weight, bias), fused);
    let [window_height, _] = pool.kernel;
    for row in 0..pool2d::output(pool).dim(1) {
        let first = row * pool.stride[0];
        let rows = window_height.min(output.dim(1) - first);
        let of = Correlation {
            height: Axis { first_output: 0, ..whole.height.part(&(first..first + rows)) },
            output: [rows, output.dim(2)],
            ..whole
        };
        let band = &mut band[..rows * output.dim(2) * g.out_channels];
        isa.run(Correlate { of, plus: Plus::Nothing, y: Shared::new(band) });
        if let Some(f) = after {
            activation::forward_in_place(isa, f, band);
        }
        pool2d::forward_row(isa, pool, is_max, band, row, y);
    }
}

fn correlation<'a>(
    g: &Conv2d,
    output: Shape,
    (x, weight, bias): (&'a [Lanes], &'a [f32], Option<&'a [f32]>),
    fused: Fused,
) -> Correlation<'a> {
    let kernel = g.kernel[0] * g.kernel[1];
    let in_channels = g.input.dim(0) / g.groups;
    Correlation {
        height: forward_axis(g, output, 0),
        width: forward_axis(g, output, 1),
        groups: g.groups,
        in_channels,
        out_channels: g.out_channels / g.groups,
        kernel: g.kernel,
        output: [output.dim(1), output.dim(2)],
        weight_out: in_channels * kernel,
        weight_in: kernel,
        x,
        weight,
        bias,
        fused,
    }
}

/// Adds the gradients of weight and bias, summed over the lanes:
/// `dw[o, c, u, v] += Σ dy[o, i, j] · x[c, i·s + u·d − p, j·s + v·d − p]`, `db[o] += Σ dy[o, i, j]`.
///
/// # Panics
/// As [`forward`].
pub fn backward_weight(
    isa: Isa,
    g: &Conv2d,
    x: &[Lanes],
    dy: &[Lanes],
    dw: &mut [f32],
    db: Option<&mut [f32]>,
) {
    backward_weight_by(isa, &mut Crew::alone(&mut []), g, x.into(), dy, dw, db);
}

/// [`backward_weight`] by a crew. The result is the same to the bit, however many threads it has. A norm can be
/// applied to the input as in [`forward_by`].
///
/// # Panics
/// As [`forward_by`].
pub fn backward_weight_by(
    isa: Isa,
    crew: &mut Crew<'_>,
    g: &Conv2d,
    x: Input<'_>,
    dy: &[Lanes],
    dw: &mut [f32],
    db: Option<&mut [f32]>,
) {
    let output = output(g);
    let parts = crew.parts(multiply_adds(g, output));
    let is_depthwise = depthwise::runs(g);
    assert!(x.norm.is_none() || is_depthwise, "a norm is applied to depthwise input alone");
    x.check(g.input);
    assert_eq!(dy.len(), output.elements(), "the output gradient's length");
    assert_eq!(dw.len(), g.weight().elements(), "the weight gradient's length");
    let [ins, outs] = [g.input, output].map(|shape| shape.dim(1) * shape.dim(2));
    // Channels of the output with all of the input, or else groups with their own.
    let all = if g.groups == 1 { g.out_channels } else { g.groups };
    let count = all.div_ceil(parts).next_multiple_of(OUTS).min(all);
    let of_one = [g.out_channels / all * outs, dw.len() / all];
    let parts = (chunks(dy, count * of_one[0]), chunks_mut(dw, count * of_one[1]));
    crew.for_each(parts, |scratch, part, (dy, dw)| {
        if g.groups == 1 {
            let g = &Conv2d { out_channels: dy.len() / outs, ..*g };
            return weight_gradient(isa, g, false, x.x, dy, dw);
        }
        let groups = part * count..all.min((part + 1) * count);
        let at_once = at_once(&x, &groups);
        let some = dy.chunks(at_once * of_one[0]).zip(dw.chunks_mut(at_once * of_one[1]));
        for (first, (dy, dw)) in groups.clone().step_by(at_once).zip(some) {
            let of = SomeGroups::new(g, first..groups.end.min(first + at_once));
            let x = x.channels(isa, of.inputs.clone(), ins, scratch);
            weight_gradient(isa, &of.g, is_depthwise, x, dy, dw);
        }
    });
    if let Some(db) = db {
        linear::backward_bias_by(isa, crew, dy, db);
    }
}

fn weight_gradient(
    isa: Isa,
    g: &Conv2d,
    is_depthwise: bool,
    x: &[Lanes],
    dy: &[Lanes],
    dw: &mut [f32],
) {
    let output = output(g);
    if is_depthwise {
        isa.run(depthwise::WeightGradient { g, output, x, dy, dw });
    } else {
        isa.run(WeightGradient {
            height: forward_axis(g, output, 0),
            width: forward_axis(g, output, 1),
            groups: g.groups,
            in_channels: g.input.dim(0) / g.groups,
            out_channels: g.out_channels / g.groups,
            x,
            dy,
            dw,
        });
    }
}

/// `dx[c, i', j'] = Σ w[o, c, u, v] · dy[o, i, j]` over the places that read `x[c, i', j']`;
/// overwrites `dx`.
///
/// # Panics
/// As [`forward`].
pub fn backward_data(isa: Isa, g: &Conv2d, dy: &[Lanes], weight: &[f32], dx: &mut [Lanes]) {
    backward_data_by(isa, &mut Crew::alone(&mut []), g, dy, weight, false, dx);
}

/// [`backward_data`] by a crew; added to `dx` if it `accumulates`. The result is the same to the bit, however many
/// threads there are.
///
/// # Panics
/// As [`forward`].
pub fn backward_data_by(
    isa: Isa,
    crew: &mut Crew<'_>,
    g: &Conv2d,
    dy: &[Lanes],
    weight: &[f32],
    accumulates: bool,
    dx: &mut [Lanes],
) {
    let (output, plus) = (output(g), Plus::own_if(accumulates));
    let parts = crew.parts(multiply_adds(g, output));
    if !depthwise::runs_backward_data(g) {
        let finish = Finish { bias: None, plus, fused: Fused::Identity };
        return spread_by(isa, crew, (g, parts), output, dy, weight, finish, dx);
    }
    let count = g.groups.div_ceil(parts);
    let [ins, outs] = [g.input.dim(1) * g.input.dim(2), output.dim(1) * output.dim(2)];
    let parts = (
        chunks(dy, count * g.out_channels / g.groups * outs),
        chunks_mut(dx, count * g.input.dim(0) / g.groups * ins),
    );
    crew.for_each(parts, |_, part, (dy, dx)| {
        let of = SomeGroups::new(g, part * count..g.groups.min((part + 1) * count));
        let (g, weight) = (&of.g, of.weight(weight));
        if g.stride[0] == 1 {
            isa.run(depthwise::backward_data(g, output, dy, weight, plus, dx));
        } else {
            isa.run(depthwise::Spread { g, output, dy, taps: Taps::Numbers(weight), plus, dx });
        }
    });
}

/// [`backward_data`] from the first `output` places of the output: what a transposed convolution is.
pub(super) fn spread(
    isa: Isa,
    g: &Conv2d,
    output: Shape,
    dy: &[Lanes],
    weight: &[f32],
    finish: Finish<'_>,
    dx: &mut [Lanes],
) {
    spread_by(isa, &mut Crew::alone(&mut []), (g, 1), output, dy, weight, finish, dx);
}

fn spread_by(
    isa: Isa,
    crew: &mut Crew<'_>,
    (g, parts): (&Conv2d, usize),
    output: Shape,
    dy: &[Lanes],
    weight: &[f32],
    finish: Finish<'_>,
    dx: &mut [Lanes],
) {
    let dx = Shared::new(dx);
    crew.for_each(Numbered(parts), |_, part, ()| {
        spread_part(isa, g, output, dy, weight, finish, dx, (part, parts));
    });
}

/// Some of the rows.
fn spread_part(
    isa: Isa,
    g: &Conv2d,
    output: Shape,
    dy: &[Lanes],
    weight: &[f32],
    Finish { bias, plus, fused }: Finish<'_>,
    dx: Shared<'_, Lanes>,
    (part, parts): (usize, usize),
) {
    let kernel = g.kernel[0] * g.kernel[1];
    let out_channels = g.out_channels / g.groups;
    let in_channels = g.input.dim(0) / g.groups;
    // Places of x that differ by a multiple of the stride are read through the same taps, by
    // neighbouring outputs: so each such class is a correlation of dy with those taps, reversed.
    for top in 0..g.stride[0].min(g.input.dim(1)) {
        for left in 0..g.stride[1].min(g.input.dim(2)) {
            let height = backward_axis(g, output, 0, top);
            let rows = even_part(part, parts, height.outputs);
            let of = Correlation {
                height: height.part(&rows),
                width: backward_axis(g, output, 1, left),
                groups: g.groups,
                in_channels: out_channels,
                out_channels: in_channels,
                kernel: g.kernel,
                output: [g.input.dim(1), g.input.dim(2)],
                weight_out: kernel,
                weight_in: in_channels * kernel,
                x: dy,
                weight,
                bias,
                fused,
            };
            if !rows.is_empty() {
                isa.run(Correlate { of, plus, y: dx });
            }
        }
    }
}

/// Of one image.
fn multiply_adds(g: &Conv2d, output: Shape) -> usize {
    let each = g.input.dim(0) / g.groups * g.kernel[0] * g.kernel[1];
    output.elements().saturating_mul(each)
}

#[allow(clippy::panic)]
pub(super) fn output(g: &Conv2d) -> Shape {
    match g.output() {
        Ok(output) => output,
        Err(error) => panic!("no geometry of a convolution: {error:?}"),
    }
}

pub(super) fn forward_axis(g: &Conv2d, output: Shape, axis: usize) -> Axis {
    Axis {
        outputs: output.dim(axis + 1),
        first_output: 0,
        output_step: 1,
        input: g.input.dim(axis + 1),
        start: -(g.padding[axis] as isize),
        input_step: g.stride[axis],
        taps: g.kernel[axis],
        tap_step: g.dilation[axis],
        first_weight: 0,
        weight_step: 1,
    }
}

/// The axis of the data gradient for the places `phase + stride·k` of x.
///
/// Tap `u` reads place `i` for output `(i + padding − u·dilation) / stride`, if that is whole. For
/// the places of one phase this is so for every `stride / gcd(stride, dilation)`-th tap, and the
/// outputs of such taps lie `dilation / gcd` apart. The taps are taken from the last to the first,
/// so that the outputs ascend.
pub(super) fn backward_axis(g: &Conv2d, output: Shape, axis: usize, phase: usize) -> Axis {
    let (stride, dilation) = (g.stride[axis], g.dilation[axis]);
    let common = gcd(stride, dilation);
    let every = stride / common;
    let place = (phase + g.padding[axis]) as isize;
    let first = (0..every.min(g.kernel[axis]))
        .find(|u| (place - (u * dilation) as isize) % stride as isize == 0);
    let taps = first.map_or(0, |first| (g.kernel[axis] - 1 - first) / every + 1);
    let first = first.unwrap_or(0);
    let last = first + taps.saturating_sub(1) * every;
    Axis {
        outputs: (g.input.dim(axis + 1) - phase).div_ceil(stride),
        first_output: phase,
        output_step: stride,
        input: output.dim(axis + 1),
        start: (place - (last * dilation) as isize) / stride as isize,
        input_step: 1,
        taps,
        tap_step: dilation / common,
        first_weight: last,
        weight_step: -(every as isize),
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

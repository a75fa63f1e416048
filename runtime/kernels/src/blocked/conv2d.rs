//! Convolution of one image: tiles of some blocks of output channels by some positions.
#![allow(unsafe_code)]

use std::ops::Range;

use typenet_shape::{Activation, Conv2d, Shape};

use super::super::conv2d::{forward_axis, output};
use super::super::correlate::Axis;
use super::super::epilogue::Plus;
use super::super::fused::Fused;
use super::super::simd::{Kernel, Simd};
use super::super::team::{Shared, Team};
use super::super::{Isa, LANES, Lanes, activation};
use super::cut::{LARGE, Work};
use super::layout::{blocks, flat};
use super::narrow::{self, Row};
use super::pack::conv2d_packed_len;
use super::tile::{Ahead, At, Band, Steps, Tile};

/// The value of one image, or of several one after the other.
#[derive(Clone, Copy, Debug)]
pub enum Pixels<'a> {
    /// In the order channel, row, column, as a user gives it.
    Planar {
        /// From the first image's first number on.
        numbers: &'a [f32],
        /// From an image to the next.
        step: usize,
    },
    /// Blocks of 16 channels side by side.
    Blocked(&'a [Lanes]),
}

/// Whether [`conv2d`] or [`depthwise_conv2d`](super::depthwise_conv2d) can run this convolution:
/// the outputs of one block must be of one group, or each channel a group of its own.
pub const fn runs_conv2d(g: &Conv2d) -> bool {
    g.groups == 1 || is_depthwise(g) || (g.out_channels / g.groups).is_multiple_of(LANES)
}

const fn is_depthwise(g: &Conv2d) -> bool {
    g.groups == g.input.dim(0) && g.groups == g.out_channels
}

/// `y = f(w * x + b + other)` of as many images as `y` holds, shared out among the team; overwrites `y`;
/// `packed` comes from [`pack_conv2d`](super::pack_conv2d).
///
/// # Panics
/// When the geometry breaks a rule of [`Conv2d::output`] or [`runs_conv2d`] says no, a slice has a
/// wrong length, or this machine lacks `isa`.
pub fn conv2d(
    isa: Isa,
    team: &Team,
    g: &Conv2d,
    x: Pixels<'_>,
    packed: &[Lanes],
    other: Option<&[Lanes]>,
    f: Activation,
    y: &mut [Lanes],
) {
    run_conv2d(isa, team, g, x, packed, Plus::value(other), f, y);
}

/// The input gradient of a transposed convolution: the convolution `g` of its output's gradient `dy`, without
/// bias. Overwrites `dx`, or adds to it if `accumulate`; `packed` comes from
/// [`pack_conv2d`](super::pack_conv2d) of the transposed convolution's weight.
///
/// # Panics
/// As [`conv2d`].
pub fn conv_transpose2d_backward_data(
    isa: Isa,
    team: &Team,
    g: &Conv2d,
    dy: &[Lanes],
    packed: &[Lanes],
    accumulate: bool,
    dx: &mut [Lanes],
) {
    let (x, f) = (Pixels::Blocked(dy), Activation::Identity);
    run_conv2d(isa, team, g, x, packed, Plus::own_if(accumulate), f, dx);
}

fn run_conv2d(
    isa: Isa,
    team: &Team,
    g: &Conv2d,
    x: Pixels<'_>,
    packed: &[Lanes],
    plus: Plus<'_>,
    f: Activation,
    y: &mut [Lanes],
) {
    let output = output(g);
    assert!(runs_conv2d(g) && (g.groups == 1 || !is_depthwise(g)), "another kernel's geometry");
    let area = output.dim(1) * output.dim(2);
    let images = images(y.len(), blocks(g.out_channels) * area);
    let (x, steps) = x.with_steps(g.input, images);
    assert_eq!(packed.len(), conv2d_packed_len(g), "the packed weight's length");
    plus.check(y.len());
    let (bias, weight) = packed.split_at(blocks(g.out_channels));
    let (fused, after) = Fused::split(f);
    let (mut height, mut width) = (forward_axis(g, output, 0), forward_axis(g, output, 1));
    let (kernel, size) = (g.kernel, rows_and_columns(g, output, team.threads()));
    if is_pointwise(g) {
        height = Axis { input: size[0], outputs: size[0], ..height };
        width = Axis { input: size[1], outputs: size[1], ..width };
    }
    let (groups, channels) = (g.groups, g.input.dim(0) / g.groups);
    let products = channels * kernel[0] * kernel[1];
    let side_by_side = steps.pixel == 1 && g.stride[1] == 1 && groups == 1 && plus.is_nothing();
    let narrow = side_by_side && narrow::pays(g.out_channels, products);
    let narrow = narrow.then_some(g.out_channels);
    let of = Forward {
        groups,
        channels,
        kernel,
        height,
        width,
        images,
        x,
        steps,
        weight,
        bias,
        plus,
        fused,
        narrow,
    };
    of.run(isa, team, size, y);
    if let Some(f) = after {
        activation::forward_in_place(isa, f, y);
    }
}

/// How evenly [`conv2d`] of `images` images is shared out among `threads` threads: the largest share of the
/// outputs that one thread gets, times `threads`. A function of sizes alone; 1 is even.
///
/// # Panics
/// When the geometry breaks a rule of [`Conv2d::output`].
pub fn conv2d_balance(g: &Conv2d, images: usize, threads: usize) -> f64 {
    let output = output(g);
    let [rows, columns] = rows_and_columns(g, output, threads);
    let products = g.input.dim(0) / g.groups * g.kernel[0] * g.kernel[1];
    let all = [images, rows, blocks(g.out_channels)];
    Work { all, columns, products }.balance(threads)
}

/// How many images a value of this length holds.
pub(super) fn images(len: usize, of_one: usize) -> usize {
    let images = len.checked_div(of_one).unwrap_or(0);
    assert!(images > 0 && images * of_one == len, "the output's length");
    images
}

/// Whether each output reads the number at its own place.
fn is_pointwise(g: &Conv2d) -> bool {
    matches!((g.kernel, g.stride, g.padding, g.extra), ([1, 1], [1, 1], [0, 0], [0, 0]))
}

/// The output's rows and columns as its kernel sees them on `threads` threads.
fn rows_and_columns(g: &Conv2d, output: Shape, threads: usize) -> [usize; 2] {
    let size = [output.dim(1), output.dim(2)];
    let together = if is_pointwise(g) { rows_together(size, threads) } else { 1 };
    [size[0] / together, size[1] * together]
}

/// How many rows a convolution of 1×1 takes as one, since short ones fill no tile: fewer where many threads
/// would have too few rows to share.
fn rows_together([height, width]: [usize; 2], threads: usize) -> usize {
    let together = |enough: usize| {
        (1..=height)
            .find(|&rows| height.is_multiple_of(rows) && rows * width >= enough)
            .unwrap_or(height)
    };
    let rows = together(24);
    if threads >= 4 && height / rows.max(1) < threads { together(7) } else { rows }
}

impl<'a> Pixels<'a> {
    /// The numbers, and how far apart they stand.
    pub(super) fn with_steps(self, shape: Shape, images: usize) -> (&'a [f32], Steps) {
        let plane = shape.dim(1) * shape.dim(2);
        match self {
            Pixels::Planar { numbers, step } => {
                let len = (images - 1) * step + shape.elements();
                assert!(step >= shape.elements() && numbers.len() >= len, "the input's length");
                (numbers, Steps { channel: plane, block: LANES * plane, pixel: 1, image: step })
            }
            Pixels::Blocked(x) => {
                let len = blocks(shape.dim(0)) * plane;
                assert_eq!(x.len(), images * len, "the input's length");
                let steps =
                    Steps { channel: 1, block: LANES * plane, pixel: LANES, image: LANES * len };
                (flat(x), steps)
            }
        }
    }
}

/// A correlation along two axes. The weights of each block of output channels stand in the order input
/// channel, row, column.
#[derive(Clone, Copy)]
pub(super) struct Forward<'a> {
    pub(super) groups: usize,
    /// Input channels of a group.
    pub(super) channels: usize,
    /// How many taps there are: those of the axes.
    pub(super) kernel: [usize; 2],
    pub(super) height: Axis,
    pub(super) width: Axis,
    pub(super) images: usize,
    pub(super) x: &'a [f32],
    pub(super) steps: Steps,
    pub(super) weight: &'a [Lanes],
    pub(super) bias: &'a [Lanes],
    pub(super) plus: Plus<'a>,
    pub(super) fused: Fused,
    /// How many output channels there are, where 16 columns should stand side by side.
    pub(super) narrow: Option<usize>,
}

impl Forward<'_> {
    /// Computes it into `y` of this height and width, shared out among the team.
    pub(super) fn run(self, isa: Isa, team: &Team, size: [usize; 2], y: &mut [Lanes]) {
        let all = [self.images, self.height.outputs, self.bias.len()];
        let products = self.channels * self.kernel[0] * self.kernel[1];
        let work = Work { all, columns: self.width.outputs, products };
        let a_task = work.task(team.threads());
        let [images, rows, blocks] = [0, 1, 2].map(|i| all[i].div_ceil(a_task[i]));
        let part = |i: usize, index: usize| index * a_task[i]..all[i].min((index + 1) * a_task[i]);
        let y = Shared::new(y);
        team.share(images * rows * blocks, &|task| {
            let blocks_at = task % blocks;
            let (images, rows) = (part(0, task / blocks / rows), part(1, task / blocks % rows));
            let blocks = part(2, blocks_at);
            isa.run(Tiles { of: self, size, images, blocks, rows, y });
        });
    }
}

/// [`Lanes`] of the input that stay in cache while all weights pass.
const BAND: usize = (128 << 10) / size_of::<Lanes>();

/// Numbers of a task's input that do not stay in the second-level cache while weights pass.
const FAR: usize = (1 << 20) / size_of::<f32>();

/// Some images, blocks of output channels and rows of a correlation. Nobody else writes them.
struct Tiles<'a> {
    of: Forward<'a>,
    size: [usize; 2],
    images: Range<usize>,
    blocks: Range<usize>,
    rows: Range<usize>,
    y: Shared<'a, Lanes>,
}

/// What to fetch meanwhile: the weights of the next blocks, as many for each position, and the next band's
/// input.
struct Next<'a> {
    weights: &'a [Lanes],
    of_position: usize,
    x: Band,
}

impl<'a> Next<'a> {
    fn new(weights: &'a [Lanes], positions: usize) -> Self {
        // More would drive out what these blocks read.
        let weights = if weights.len() <= LARGE { weights } else { &[] };
        let of_position = weights.len().div_ceil(positions.max(1));
        Next { weights, of_position, x: Band::NONE }
    }

    /// What to fetch during the next `positions`.
    fn take(&mut self, positions: usize) -> Ahead<'a> {
        let some = (positions * self.of_position).min(self.weights.len());
        let (weights, left) = self.weights.split_at(some);
        self.weights = left;
        Ahead { weights, x: self.x }
    }
}

/// The most positions of a tile.
const POSITIONS: usize = 12;

/// How many blocks of channels a tile takes, and the most positions beside them.
fn tile_size<S: Simd>(blocks: usize, columns: usize) -> (usize, usize) {
    let most = S::ACCUMULATORS.min(POSITIONS * 2);
    let count = match blocks {
        // Short rows fill a tile only with many channels.
        4.. if columns <= most / 4 => 4,
        2.. => 2,
        _ => 1,
    };
    (count, (most / count).min(POSITIONS))
}

/// How many of the positions that are left the next tile takes: as even as possible.
fn positions<S: Simd>(left: usize, most: usize) -> usize {
    let even = left.div_ceil(left.div_ceil(most));
    if !S::WIDE {
        let sizes: &[usize] =
            if S::FALLBACK { &[1, 2, 4, 6, 8, 12] } else { &[1, 2, 4, 6, 8, 10, 12] };
        let mut best = 1;
        for &size in sizes {
            if size <= left && size <= most && best < even {
                best = size;
            }
        }
        return best;
    }
    even
}

impl Kernel for Tiles<'_> {
    type Output = ();

    /// Loops, from the outside in: tiles of channels whose weights stay in the second-level cache, image, band
    /// of rows, tile of channels, row, tile of columns.
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Forward { height, width, steps, .. } = self.of;
        let a_group = self.of.bias.len() / self.of.groups;
        let a_block = self.of.weight.len() / self.of.bias.len();
        let row_step = height.input_step * width.input * steps.pixel;
        // An input that stays in cache needs no fetching.
        let in_blocks = blocks(self.of.channels * self.of.groups);
        let band = (BAND * LANES / (in_blocks * row_step).max(1)).max(4);
        let is_far = self.images.len() * in_blocks * self.rows.len() * row_step > FAR;
        let columns = width.interior();
        let tile_from = |block: usize| {
            let left = (a_group - block % a_group).min(self.blocks.end - block);
            tile_size::<S>(left, columns.len())
        };
        let tiles_from = |first: usize| {
            let (mut end, mut tiles) = (first, 0);
            while end < self.blocks.end {
                let (count, _) = tile_from(end);
                if tiles > 0 && (end + count - first) * a_block > LARGE {
                    break;
                }
                (end, tiles) = (end + count, tiles + 1);
            }
            (first..end, tiles)
        };
        let (mut now, mut tiles) = tiles_from(self.blocks.start);
        while tiles > 0 {
            let (next, next_tiles) = tiles_from(now.end);
            let weights = &self.of.weight[next.start * a_block..next.end * a_block];
            let positions = self.images.len() * self.rows.len() * width.outputs;
            let mut ahead = Next::new(weights, tiles * positions);
            for image in self.images.clone() {
                for row in self.rows.clone().step_by(band) {
                    let rows = row..(row + band).min(self.rows.end);
                    let start = self.rows.start;
                    let band_ahead = match (rows.end < self.rows.end, image + 1) {
                        (true, _) => Some((image, rows.end)),
                        (false, other) if other < self.images.end => Some((other, start)),
                        _ => (next_tiles > 0).then_some((self.images.start, start)),
                    };
                    let from = |(image, row): (usize, usize)| image * steps.image + row * row_step;
                    let step = band_ahead.map(|to| from(to).wrapping_sub(from((image, row))));
                    let (mut block, mut turn) = (now.start, 0);
                    while block < now.end {
                        let (count, most) = tile_from(block);
                        // Tiles of a group read the same channels.
                        let turns = tiles.min(a_group.div_ceil(count));
                        let band = |step| Band { step, turn: turn % turns, turns };
                        ahead.x = step.filter(|_| is_far).map_or(Band::NONE, band);
                        self.strip(s, image, [block, count, most], rows.clone(), &mut ahead);
                        block += count;
                        turn += 1;
                    }
                }
            }
            (now, tiles) = (next, next_tiles);
        }
    }
}

impl Tiles<'_> {
    /// Some rows of a tile of channels. At the left and right border, where taps lie outside, the tiles run
    /// down a column, so that their positions lack the same taps.
    #[inline(always)]
    fn strip<S: Simd>(
        &self,
        s: S,
        image: usize,
        [block, count, most]: [usize; 3],
        rows: Range<usize>,
        ahead: &mut Next<'_>,
    ) {
        let Forward { height, width, .. } = self.of;
        let (inner, columns) = (height.interior(), width.interior());
        for row in rows.clone() {
            if let Some(out_channels) = self.of.narrow.filter(|_| columns.len() >= LANES) {
                self.narrow_row(s, out_channels, image, row, columns.clone());
                continue;
            }
            let mut column = columns.start;
            while column < columns.end {
                let positions = positions::<S>(columns.end - column, most);
                self.tile(
                    s,
                    image,
                    [block, count],
                    [row, column],
                    positions,
                    false,
                    ahead.take(positions),
                );
                column += positions;
            }
        }
        for column in (0..columns.start).chain(columns.end..width.outputs) {
            let mut row = rows.start;
            while row < rows.end {
                let inside = inner.contains(&row);
                let end = inner.end.min(rows.end);
                let positions = if inside { positions::<S>(end - row, most) } else { 1 };
                self.tile(
                    s,
                    image,
                    [block, count],
                    [row, column],
                    positions,
                    true,
                    ahead.take(positions),
                );
                row += positions;
            }
        }
    }

    /// All `columns`, whose taps lie inside, of a row of one block of channels.
    #[inline(always)]
    fn narrow_row<S: Simd>(
        &self,
        s: S,
        out_channels: usize,
        image: usize,
        row: usize,
        columns: Range<usize>,
    ) {
        let Forward { channels, kernel, height, width, x, steps, weight, bias, fused, .. } =
            self.of;
        let rows = height.taps_inside(row);
        let mut x_at = image * steps.image;
        if !rows.is_empty() {
            let at = [height.position(row, rows.start), width.position(columns.start, 0)];
            x_at += at[0] as usize * width.input + at[1] as usize;
        }
        let of = Row {
            x: &x[x_at..],
            channels,
            x_channel: steps.channel,
            x_row: height.tap_step * width.input,
            x_tap: width.tap_step,
            weight,
            kernel,
            rows: (rows.start, rows.end),
            bias: &bias[0],
            fused,
        };
        let y_at = (image * self.size[0] + row) * self.size[1] + columns.start;
        let y = self.y.part(y_at..y_at + columns.len());
        // SAFETY: nobody else writes this task's rows.
        of.run(s, out_channels, unsafe { y.into_slice() });
    }

    /// One tile: `count` blocks from `block` on, `positions` to the right of `[row, column]` or, if
    /// `upright`, below. The taps that the first position has inside are those of all.
    #[inline(always)]
    fn tile<S: Simd>(
        &self,
        s: S,
        image: usize,
        [block, count]: [usize; 2],
        [row, column]: [usize; 2],
        positions: usize,
        upright: bool,
        ahead: Ahead<'_>,
    ) {
        let Forward { groups, channels, kernel, height, width, x, steps, .. } = self.of;
        let row_step = width.input * steps.pixel;
        let (rows, taps) = (height.taps_inside(row), width.taps_inside(column));
        let (rows, taps) =
            if rows.is_empty() || taps.is_empty() { (0..0, 0..0) } else { (rows, taps) };
        let per_block = self.of.weight.len() / self.of.bias.len();
        let first = block / (self.of.bias.len() / groups) * channels;
        let mut x_at = image * steps.image;
        if !rows.is_empty() {
            let (x_row, x_column) =
                (height.position(row, rows.start), width.position(column, taps.start));
            x_at += x_row as usize * row_step + x_column as usize * steps.pixel;
        }
        let [y_height, y_width] = self.size;
        let y_row = height.first_output + row * height.output_step;
        let y_column = width.first_output + column * width.output_step;
        let (x_position, y_position) = if upright {
            (height.input_step * row_step, height.output_step * y_width)
        } else {
            (width.input_step * steps.pixel, width.output_step)
        };
        let y_block = image * self.of.bias.len() + block;
        let y_at = (y_block * y_height + y_row) * y_width + y_column;
        let at = At {
            x: &x[x_at..],
            steps,
            channels: first..first + channels,
            x_row: height.tap_step * row_step,
            x_tap: width.tap_step * steps.pixel,
            x_position,
            weight: &self.of.weight[block * per_block..],
            weight_block: per_block,
            kernel,
            rows,
            taps,
            ahead,
            bias: &self.of.bias[block..block + count],
            plus: self.of.plus.from(y_at),
            fused: self.of.fused,
            y: self.y.from(y_at),
            y_block: y_height * y_width,
            y_position,
        };
        macro_rules! sizes {
            ($($blocks:literal: $($positions:literal)*;)*) => {
                match (count, positions) {
                    $($(
                        ($blocks, $positions) => {
                            // The step of a usual convolution is known to the compiler.
                            if !S::FALLBACK {
                                if at.x_position == LANES && at.steps.channel == 1 {
                                    s.run(Tile::<'_, '_, $blocks, $positions, true>(&at));
                                    return;
                                }
                            }
                            s.run(Tile::<'_, '_, $blocks, $positions, false>(&at))
                        }
                    )*)*
                    _ => unreachable!("no tile of {count} blocks by {positions} positions"),
                }
            };
        }
        if S::WIDE {
            sizes! {
                1: 1 2 3 4 5 6 7 8 9 10 11 12;
                2: 1 2 3 4 5 6 7 8 9 10 11 12;
                4: 1 2 3 4 5 6;
            }
        } else if S::FALLBACK {
            sizes! { 1: 1 2 4 6 8 12; 2: 1 2 4 6; 4: 1 2; }
        } else {
            sizes! { 1: 1 2 4 6 8 10 12; 2: 1 2 4 6; 4: 1 2; }
        }
    }
}

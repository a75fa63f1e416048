//! The gradient of a convolution's weight, over a batch of images with 16 channels side by side.
//!
//! The lanes are 16 output channels. A tile's sums are some blocks of output channels by some numbers that
//! stand side by side in `x`: input channels or, where the image is planar, taps of a kernel's row. The loop
//! runs over positions: a few vectors of `dy`, each multiplied with every one of these numbers. Rows are
//! taken in bands whose `dy` stays in the first-level cache, small images several together; a band's sums are
//! added to those of the bands before it. So the order of each sum depends on sizes alone, whoever computes
//! it.
#![allow(unsafe_code)]

use std::ops::Range;

use typenet_shape::Conv2d;

use super::super::conv2d::{forward_axis, output};
use super::super::correlate::Axis;
use super::super::simd::{Kernel, Simd, even_tile, unrolled};
use super::super::team::{Numbered, Shared, Team, chunks_mut};
use super::super::{Isa, LANES, Lanes};
use super::conv2d::Pixels;
use super::layout::{blocks, flat, flat_mut};

/// [`Lanes`] of `dy` in a band of rows, and in one of whole images: the sums come from farther than `dy`.
const BAND: usize = (24 << 10) / size_of::<Lanes>();
const IMAGES: usize = (96 << 10) / size_of::<Lanes>();

/// The most blocks of output channels of a tile.
const BLOCKS: usize = 3;

/// How many [`Lanes`] of scratch memory [`conv2d_backward_weight`] needs.
pub fn conv2d_weight_gradient_room(g: &Conv2d, images: usize, is_planar: bool) -> usize {
    let padded = if is_planar { images * Bordered::new(g).len() } else { 0 };
    sums_len(g) + padded.div_ceil(LANES)
}

fn sums_len(g: &Conv2d) -> usize {
    blocks(g.out_channels) * (g.input.dim(0) / g.groups) * g.kernel[0] * g.kernel[1]
}

/// `dw[o, c, u, v] = Σ dy[o, i, j] · x[c, i·s + u·d − p, j·s + v·d − p]` over all images, shared out among
/// the team; overwrites `dw`, or adds to it if `accumulate`. `x` and `dy` are those of all images, one after
/// the other; `room` has the length [`conv2d_weight_gradient_room`] and any contents.
///
/// # Panics
/// When the geometry breaks a rule of [`Conv2d::output`] or [`runs_conv2d`](super::runs_conv2d) says no, it
/// is depthwise, a slice has a wrong length, or this machine lacks `isa`.
pub fn conv2d_backward_weight(
    isa: Isa,
    team: &Team,
    g: &Conv2d,
    images: usize,
    x: Pixels<'_>,
    dy: &[Lanes],
    room: &mut [Lanes],
    accumulate: bool,
    dw: &mut [f32],
) {
    let output = output(g);
    let out_blocks = blocks(g.out_channels);
    let per_group = g.out_channels / g.groups;
    assert!(g.groups == 1 || per_group.is_multiple_of(LANES), "blocks of one group each");
    let channels = g.input.dim(0) / g.groups;
    let area = output.dim(1) * output.dim(2);
    assert_eq!(dy.len(), images * out_blocks * area, "the output gradient's length");
    assert_eq!(dw.len(), g.weight().elements(), "the weight gradient's length");
    let (sums, rest) = room.split_at_mut(sums_len(g));
    let [height, width] = [0, 1].map(|axis| forward_axis(g, output, axis));
    let plane = g.input.dim(1) * g.input.dim(2);
    let of = match x {
        Pixels::Planar { numbers, step } => {
            assert!(g.groups == 1, "one group");
            let of_one = g.input.elements();
            let whole = step >= of_one && numbers.len() >= (images - 1) * step + of_one;
            assert!(whole, "the input's length");
            let border = Bordered::new(g);
            let len = border.len();
            let padded = &mut flat_mut(rest)[..images * len];
            team.for_each(chunks_mut(padded, len), |image, padded| {
                border.fill(g, &numbers[image * step..][..of_one], padded);
            });
            let padded = &padded[..];
            WeightGradient {
                images,
                x: padded,
                x_image: len,
                layout: Layout::Planar { channel: border.rows * border.columns },
                height: Axis { input: border.rows, start: 0, ..height },
                width: Axis { input: border.columns, start: 0, ..width },
                channels,
                groups: 1,
                dy,
                area,
                out_blocks,
            }
        }
        Pixels::Blocked(x) => {
            let image = blocks(g.input.dim(0)) * plane;
            assert_eq!(x.len(), images * image, "the input's length");
            WeightGradient {
                images,
                x: flat(x),
                x_image: image * LANES,
                layout: Layout::Blocked,
                height,
                width,
                channels,
                groups: g.groups,
                dy,
                area,
                out_blocks,
            }
        }
    };
    of.run(isa, team, sums, accumulate, dw);
}

/// An image with zeros around it, so that no tap lies outside.
struct Bordered {
    channels: usize,
    rows: usize,
    columns: usize,
}

impl Bordered {
    fn new(g: &Conv2d) -> Bordered {
        let output = output(g);
        let [rows, columns] = [0, 1].map(|axis| {
            (output.dim(axis + 1) - 1) * g.stride[axis]
                + (g.kernel[axis] - 1) * g.dilation[axis]
                + 1
        });
        Bordered { channels: g.input.dim(0), rows, columns }
    }

    fn len(&self) -> usize {
        self.channels * self.rows * self.columns
    }

    fn fill(&self, g: &Conv2d, x: &[f32], padded: &mut [f32]) {
        let [height, width] = [g.input.dim(1), g.input.dim(2)];
        let planes = x.chunks_exact(height * width);
        for (x, padded) in planes.zip(padded.chunks_exact_mut(self.rows * self.columns)) {
            for (row, to) in padded.chunks_exact_mut(self.columns).enumerate() {
                let from = row.wrapping_sub(g.padding[0]);
                if from >= height {
                    to.fill(0.0);
                    continue;
                }
                let left = g.padding[1].min(self.columns);
                let count = width.min(self.columns - left);
                to[..left].fill(0.0);
                to[left..left + count].copy_from_slice(&x[from * width..][..count]);
                to[left + count..].fill(0.0);
            }
        }
    }
}

/// How the numbers of `x` that a tile takes together are laid out.
#[derive(Clone, Copy)]
enum Layout {
    /// Channels of a block, of one tap.
    Blocked,
    /// Taps of a kernel's row, of one channel; `channel` is the step between channels.
    Planar { channel: usize },
}

/// The sums over all images.
#[derive(Clone, Copy)]
struct WeightGradient<'a> {
    images: usize,
    x: &'a [f32],
    /// Numbers of an image of `x`.
    x_image: usize,
    layout: Layout,
    height: Axis,
    width: Axis,
    /// Input channels of a group.
    channels: usize,
    groups: usize,
    dy: &'a [Lanes],
    /// Positions of `dy`.
    area: usize,
    out_blocks: usize,
}

impl WeightGradient<'_> {
    /// Overwrites `sums`: for each block of output channels one [`Lanes`] for each tap and input channel;
    /// `dw` is these in the weight's order.
    fn run(self, isa: Isa, team: &Team, sums: &mut [Lanes], accumulate: bool, dw: &mut [f32]) {
        // First blocks of output channels are shared out, then rows of the kernel and input channels. Each
        // sum is in one task, so that the cut may depend on the threads.
        let a_group = self.out_blocks / self.groups;
        let a_set = even(a_group, if a_group > 4 { BLOCKS } else { 2 });
        let sets_a_group = a_group.div_ceil(a_set);
        let sets = self.groups * sets_a_group;
        let wanted = if team.threads() == 1 { 1 } else { 4 * team.threads() };
        let rows = if sets < wanted { self.height.taps } else { 1 };
        let pieces = match self.layout {
            Layout::Blocked => self.channels.div_ceil(LANES),
            Layout::Planar { .. } => self.channels,
        };
        let parts = wanted.div_ceil(sets * rows).min(pieces);
        let (sums, dw) = (Shared::new(sums), Shared::new(dw));
        team.for_each(Numbered(sets * rows * parts), |task, ()| {
            let (set, rest) = (task % sets, task / sets);
            let (row, part) = (rest % rows, rest / rows);
            let (group, set) = (set / sets_a_group, set % sets_a_group);
            let first = group * a_group + set * a_set;
            isa.run(Task {
                of: self,
                blocks: first..(first + a_set).min((group + 1) * a_group),
                taps: if rows == 1 { 0..self.height.taps } else { row..row + 1 },
                pieces: part * pieces / parts..(part + 1) * pieces / parts,
                sums,
                accumulate,
                dw,
            });
        });
    }
}

/// The size of a set, such that all sets are as even as possible.
fn even(all: usize, most: usize) -> usize {
    all.div_ceil(all.div_ceil(most))
}

/// Some blocks of output channels of one group, rows of the kernel, and blocks of input channels (single
/// ones of a planar image). Nobody else writes their sums.
struct Task<'a> {
    of: WeightGradient<'a>,
    blocks: Range<usize>,
    taps: Range<usize>,
    pieces: Range<usize>,
    sums: Shared<'a, Lanes>,
    accumulate: bool,
    dw: Shared<'a, f32>,
}

/// The values of some images, from the task's first block of output channels on, and its sums.
#[derive(Clone, Copy)]
struct Values<'a> {
    images: usize,
    x: &'a [f32],
    dy: &'a [Lanes],
    sums: Shared<'a, Lanes>,
    /// Whether something stands there already.
    adds: bool,
}

/// Numbers of `x` that are multiplied together, and the outputs of a row that read the first of them.
struct Numbers {
    /// Where the first of them stands, for the first output and the row's first number.
    x: usize,
    count: usize,
    columns: Range<usize>,
    /// Its sum, among those of a block.
    sum: usize,
}

/// How many of the `left` numbers a tile takes next, with `blocks` blocks.
fn next<S: Simd>(blocks: usize, left: usize) -> usize {
    let sizes: &[usize] = if S::FALLBACK {
        &[1, 2, 4]
    } else if S::WIDE || blocks == 1 {
        &[1, 2, 3, 4, 5, 6, 7, 8]
    } else {
        &[1, 2, 3, 4]
    };
    even_tile(left, sizes)
}

impl Kernel for Task<'_> {
    type Output = ();

    /// Loops, from the outside in: image, band of rows, piece of the input's channels, row of the kernel.
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let WeightGradient { images, height, width, channels, area, out_blocks, .. } = self.of;
        let (count, row) = (self.blocks.len(), channels * height.taps * width.taps);
        let own = self.sums.part(self.blocks.start * row..self.blocks.end * row);
        let all = |axis: &Axis, taps: Range<usize>| {
            taps.into_iter().all(|tap| !axis.outputs_inside(tap).is_empty())
        };
        // Else the first to come overwrites what stands there.
        if !(all(&height, self.taps.clone()) && all(&width, 0..width.taps)) {
            self.clear(own);
        }
        let a_row = width.outputs * count;
        let rows_a_band = (BAND / a_row).clamp(1, height.outputs);
        let is_whole = rows_a_band == height.outputs;
        let together = if is_whole { (IMAGES / (a_row * height.outputs)).max(1) } else { 1 };
        for first in (0..images).step_by(together) {
            let together = together.min(images - first);
            let x = &self.of.x[first * self.of.x_image..][..together * self.of.x_image];
            let dy = &self.of.dy[(first * out_blocks + self.blocks.start) * area..];
            let dy = &dy[..((together - 1) * out_blocks + count) * area];
            for band in (0..height.outputs).step_by(rows_a_band) {
                let band = band..(band + rows_a_band).min(height.outputs);
                for piece in self.pieces.clone() {
                    for u in self.taps.clone() {
                        let inside = height.outputs_inside(u);
                        let rows = inside.start.max(band.start)..inside.end.min(band.end);
                        if rows.is_empty() {
                            continue;
                        }
                        let adds = first > 0 || inside.start < band.start;
                        let values = Values { images: together, x, dy, sums: own, adds };
                        self.kernel_row(s, values, piece, u, rows);
                    }
                }
            }
        }
        self.unpack(s, own);
    }
}

impl<'a> Task<'a> {
    /// The input channels of a group that are this task's.
    fn channels(&self) -> Range<usize> {
        match self.of.layout {
            Layout::Blocked => {
                self.pieces.start * LANES..self.of.channels.min(self.pieces.end * LANES)
            }
            Layout::Planar { .. } => self.pieces.clone(),
        }
    }

    /// Zeros in this task's sums.
    fn clear(&self, own: Shared<'_, Lanes>) {
        let WeightGradient { height, width, channels, .. } = self.of;
        let range = self.channels();
        for block in 0..self.blocks.len() {
            for tap in self.taps.start * width.taps..self.taps.end * width.taps {
                let start = (block * height.taps * width.taps + tap) * channels;
                // SAFETY: nobody else writes this task's sums.
                unsafe { own.part(start + range.start..start + range.end).into_slice() }
                    .fill(Lanes::ZERO);
            }
        }
    }

    /// This task's sums in the weight's order: 16 of a row at a time.
    #[inline(always)]
    fn unpack<S: Simd>(&self, s: S, own: Shared<'_, Lanes>) {
        let WeightGradient { height, width, channels, .. } = self.of;
        let taps = height.taps * width.taps;
        let own_taps = self.taps.len() * width.taps;
        let range = self.channels();
        let row = channels * taps;
        let count = range.len() * own_taps;
        for block in 0..self.blocks.len() {
            let first = (self.blocks.start + block) * LANES;
            // SAFETY: nobody else writes this task's sums.
            let sums = unsafe { &*own.part(block * row..(block + 1) * row).into_slice() };
            let outs = LANES.min(self.dw.len() / row - first);
            for start in (0..count).step_by(LANES) {
                let some = LANES.min(count - start);
                let (mut lanes, mut turned) = ([Lanes::ZERO; LANES], [Lanes::ZERO; LANES]);
                let mut places = [0; LANES];
                for i in 0..some {
                    let (channel, tap) = ((start + i) / own_taps, (start + i) % own_taps);
                    let (channel, tap) =
                        (range.start + channel, self.taps.start * width.taps + tap);
                    lanes[i] = sums[tap * channels + channel];
                    places[i] = channel * taps + tap;
                }
                s.transpose(&lanes, &mut turned);
                let is_run = some == LANES && places[LANES - 1] == places[0] + LANES - 1;
                for (o, turned) in turned.iter().enumerate().take(outs) {
                    let dw = self.dw.part((first + o) * row..(first + o + 1) * row);
                    // SAFETY: nobody else writes the places of this task's sums in these rows.
                    unsafe {
                        let dw = dw.as_mut_ptr();
                        if is_run {
                            let dw = std::slice::from_raw_parts_mut(dw.add(places[0]), LANES);
                            write(self.accumulate, &turned.0, dw);
                        } else {
                            for (&place, d) in places[..some].iter().zip(&turned.0) {
                                let dw = std::slice::from_mut(&mut *dw.add(place));
                                write(self.accumulate, std::slice::from_ref(d), dw);
                            }
                        }
                    }
                }
            }
        }
    }

    /// All that the kernel's row `u` adds for some rows of outputs and one piece of the input's channels.
    #[inline(always)]
    fn kernel_row<S: Simd>(
        &self,
        s: S,
        values: Values<'a>,
        piece: usize,
        u: usize,
        rows: Range<usize>,
    ) {
        let WeightGradient { height, width, channels, groups, out_blocks, .. } = self.of;
        let count = self.blocks.len();
        let x_row = height.position(rows.start, u) as usize;
        let line = u * width.taps;
        match self.of.layout {
            Layout::Blocked => {
                let first = self.blocks.start / (out_blocks / groups) * channels;
                let own = piece * LANES..channels.min((piece + 1) * LANES);
                for v in 0..width.taps {
                    let columns = width.outputs_inside(v);
                    if columns.is_empty() {
                        continue;
                    }
                    let column = width.position(columns.start, v) as usize;
                    let mut channel = own.start;
                    while channel < own.end {
                        let (block, lane) = ((first + channel) / LANES, (first + channel) % LANES);
                        let left = (own.end - channel).min(LANES - lane);
                        let numbers = Numbers {
                            x: ((block * height.input + x_row) * width.input + column) * LANES
                                + lane,
                            count: next::<S>(count, left),
                            columns: columns.clone(),
                            sum: (line + v) * channels + channel,
                        };
                        channel += numbers.count;
                        self.tile(s, values, &rows, numbers);
                    }
                }
            }
            Layout::Planar { channel } => {
                let mut v = 0;
                while v < width.taps {
                    // Taps that lie apart are no neighbours.
                    let left = if width.tap_step == 1 { width.taps - v } else { 1 };
                    let numbers = Numbers {
                        x: piece * channel + x_row * width.input + width.position(0, v) as usize,
                        count: next::<S>(count, left),
                        columns: 0..width.outputs,
                        sum: (line + v) * channels + piece,
                    };
                    v += numbers.count;
                    self.tile(s, values, &rows, numbers);
                }
            }
        }
    }

    #[inline(always)]
    fn tile<S: Simd>(&self, s: S, values: Values<'a>, rows: &Range<usize>, numbers: Numbers) {
        let WeightGradient { height, width, channels, area, out_blocks, .. } = self.of;
        let taps = height.taps * width.taps;
        let (pixel, number_step) = match self.of.layout {
            Layout::Blocked => (LANES, 1),
            Layout::Planar { .. } => (1, channels),
        };
        let count = self.blocks.len();
        let at = At {
            images: values.images,
            x: &values.x[numbers.x..],
            x_image: self.of.x_image,
            x_row: height.input_step * width.input * pixel,
            x_position: width.input_step * pixel,
            dy: &values.dy[rows.start * width.outputs + numbers.columns.start..],
            dy_image: out_blocks * area,
            dy_block: area,
            dy_row: width.outputs,
            rows: rows.len(),
            columns: numbers.columns.len(),
            sums: values.sums.from(numbers.sum),
            sums_block: channels * taps,
            sums_number: number_step,
            adds: values.adds,
        };
        macro_rules! sizes {
            ($($blocks:literal: $($numbers:literal)*;)*) => {
                match (count, numbers.count) {
                    $($(($blocks, $numbers) => s.run(Tile::<'_, '_, $blocks, $numbers> { at: &at }),)*)*
                    (blocks, numbers) => unreachable!("no tile of {blocks} blocks by {numbers}"),
                }
            };
        }
        if S::FALLBACK {
            sizes! { 1: 1 2 4; 2: 1 2 4; 3: 1 2 4; }
        } else if S::WIDE {
            sizes! { 1: 1 2 3 4 5 6 7 8; 2: 1 2 3 4 5 6 7 8; 3: 1 2 3 4 5 6 7 8; }
        } else {
            sizes! { 1: 1 2 3 4 5 6 7 8; 2: 1 2 3 4; 3: 1 2 3 4; }
        }
    }
}

/// A tile's place: its first numbers, and steps: of `x` in numbers, else in [`Lanes`].
struct At<'a> {
    images: usize,
    x: &'a [f32],
    x_image: usize,
    x_row: usize,
    x_position: usize,
    dy: &'a [Lanes],
    dy_image: usize,
    dy_block: usize,
    dy_row: usize,
    /// Positions: none of them is zero.
    rows: usize,
    columns: usize,
    sums: Shared<'a, Lanes>,
    sums_block: usize,
    sums_number: usize,
    adds: bool,
}

impl At<'_> {
    /// The only place that the safety of a tile of so many blocks and numbers rests on. Compiled once for all
    /// sizes.
    #[inline(never)]
    fn check(&self, blocks: usize, numbers: usize) {
        let At { images, rows, columns, .. } = *self;
        assert!(images > 0 && rows > 0 && columns > 0, "positions");
        let [x, dy] = [self.x_image, self.dy_image].map(|step| (images - 1) * step);
        let x = x + (rows - 1) * self.x_row + (columns - 1) * self.x_position + numbers;
        assert!(x <= self.x.len(), "the inputs");
        let dy = dy + (blocks - 1) * self.dy_block + (rows - 1) * self.dy_row + columns;
        assert!(dy <= self.dy.len(), "the gradients");
        let sums = (blocks - 1) * self.sums_block + (numbers - 1) * self.sums_number;
        assert!(sums < self.sums.len(), "the sums");
    }
}

/// `B` blocks of output channels by `K` neighbouring numbers of `x`.
struct Tile<'a, 'b, const B: usize, const K: usize> {
    at: &'a At<'b>,
}

impl<const B: usize, const K: usize> Kernel for Tile<'_, '_, B, K> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let at = self.at;
        at.check(B, K);
        for part in 0..S::PARTS {
            let shift = part * S::WIDTH;
            let mut sums = [[s.splat(0.0); B]; K];
            // SAFETY: `check` has compared the farthest of all these places with the lengths, and nobody
            // else writes this task's sums.
            unsafe {
                let dy_block = at.dy_block * LANES;
                for row in 0..at.images * at.rows {
                    let (image, row) = (row / at.rows, row % at.rows);
                    let mut x = at.x.as_ptr().add(image * at.x_image + row * at.x_row);
                    let dy = at.dy.as_ptr().add(image * at.dy_image + row * at.dy_row);
                    let mut dy = dy.cast::<f32>().add(shift);
                    for _ in 0..at.columns {
                        let mut d = [s.splat(0.0); B];
                        for b in 0..B {
                            d[b] = s.read(dy.wrapping_add(b * dy_block));
                        }
                        for k in 0..K {
                            let v = s.splat(*x.add(k));
                            for b in 0..B {
                                sums[k][b] = s.fma(v, d[b], sums[k][b]);
                            }
                        }
                        x = x.wrapping_add(at.x_position);
                        dy = dy.wrapping_add(LANES);
                    }
                }
                unrolled!(k < K, {
                    let sums = sums[k];
                    for b in 0..B {
                        let to = at.sums.as_mut_ptr().add(b * at.sums_block + k * at.sums_number);
                        let to = to.cast::<f32>().add(shift);
                        let before = if at.adds { s.read(to) } else { s.splat(0.0) };
                        s.write(to, s.add(before, sums[b]));
                    }
                });
            }
        }
    }
}

fn write(accumulate: bool, d: &[f32], dw: &mut [f32]) {
    if accumulate {
        dw.iter_mut().zip(d).for_each(|(dw, d)| *dw += d);
    } else {
        dw.copy_from_slice(d);
    }
}

//! Convolutions whose output channels read one input channel each, with kernels of 3×3 or 5×5 and
//! stride 1 or 2. Such a layer has few products for each number that it reads; so neighbouring
//! outputs of a row are computed together, and a number read once serves all taps of a kernel's row.
//!
//! The vectors are those of 16 images, or, with a weight for each of its lanes, of 16 channels of
//! one image.
#![allow(unsafe_code)]

use typenet_shape::{Conv2d, Shape};

use super::epilogue::{Bias, Plus};
use super::fused::Fused;
use super::simd::{Kernel, Simd, unrolled};
use super::{LANES, Lanes};

/// Whether these kernels run a convolution's forward pass and its weight's gradient.
pub(super) fn runs(g: &Conv2d) -> bool {
    let [size, width] = g.kernel;
    let [stride, across] = g.stride;
    let padding = (0..2).all(|axis| g.padding[axis] + g.extra[axis] < size);
    g.groups > 1
        && g.groups == g.input.dim(0)
        && g.dilation == [1, 1]
        && (size, stride) == (width, across)
        && matches!((size, stride), (3 | 5, 1 | 2))
        && padding
}

/// Whether they run the data gradient of such a convolution too.
pub(super) fn runs_backward_data(g: &Conv2d) -> bool {
    runs(g) && (g.stride[0] == 1 || g.padding == [g.kernel[0] / 2; 2])
}

/// The convolution of one block of channels, whose vectors are channels rather than images.
pub(super) fn of_block(g: &Conv2d) -> Conv2d {
    let input = Shape::new(&[1, g.input.dim(1), g.input.dim(2)]);
    Conv2d { input, groups: 1, out_channels: 1, ..*g }
}

/// The weights of all channels.
#[derive(Clone, Copy, Debug)]
pub(super) enum Taps<'a> {
    /// A number for each tap.
    Numbers(&'a [f32]),
    /// A vector for each tap.
    Vectors(&'a [Lanes]),
}

/// `y[o] = f(b[o] + plus + Σ w[o · reads + r] * x[(o · reads + r) / shared])` over `r < reads`, where
/// `*` is a correlation.
#[derive(Debug)]
pub(super) struct Correlate<'a> {
    /// Height and width of the kernel.
    pub(super) size: usize,
    pub(super) stride: usize,
    /// Whether the taps are taken from the last to the first.
    pub(super) flip: bool,
    /// Input channels of one output channel.
    pub(super) reads: usize,
    /// Output channels that read the same input channel.
    pub(super) shared: usize,
    /// Output channels.
    pub(super) channels: usize,
    /// Height and width of `x`, and of `y`.
    pub(super) input: [usize; 2],
    pub(super) output: [usize; 2],
    /// The row and column that the first output's first tap reads.
    pub(super) start: [isize; 2],
    pub(super) x: &'a [Lanes],
    pub(super) taps: Taps<'a>,
    pub(super) bias: Bias<'a>,
    pub(super) plus: Plus<'a>,
    pub(super) fused: Fused,
    pub(super) y: &'a mut [Lanes],
}

/// The correlation of a forward pass.
pub(super) fn forward<'a>(
    g: &Conv2d,
    output: Shape,
    (x, taps, bias): (&'a [Lanes], Taps<'a>, Bias<'a>),
    (plus, fused): (Plus<'a>, Fused),
    y: &'a mut [Lanes],
) -> Correlate<'a> {
    Correlate {
        size: g.kernel[0],
        stride: g.stride[0],
        flip: false,
        reads: 1,
        shared: g.out_channels / g.groups,
        channels: g.out_channels,
        input: [g.input.dim(1), g.input.dim(2)],
        output: [output.dim(1), output.dim(2)],
        start: g.padding.map(|padding| -(padding as isize)),
        x,
        taps,
        bias,
        plus,
        fused,
        y,
    }
}

/// The correlation of a data gradient with stride 1: with the taps backwards.
pub(super) fn backward_data<'a>(
    g: &Conv2d,
    output: Shape,
    dy: &'a [Lanes],
    weight: &'a [f32],
    plus: Plus<'a>,
    dx: &'a mut [Lanes],
) -> Correlate<'a> {
    Correlate {
        flip: true,
        reads: g.out_channels / g.groups,
        shared: 1,
        channels: g.groups,
        input: [output.dim(1), output.dim(2)],
        output: [g.input.dim(1), g.input.dim(2)],
        start: g.padding.map(|padding| padding as isize - (g.kernel[0] as isize - 1)),
        ..forward(g, output, (dy, Taps::Numbers(weight), Bias::None), (plus, Fused::Identity), dx)
    }
}

impl Correlate<'_> {
    /// The only place that the rows' safety rests on.
    fn check(&self) {
        let Correlate { size, reads, shared, channels, .. } = *self;
        let planes = (channels * reads).div_ceil(shared);
        assert_eq!(self.x.len(), planes * self.input[0] * self.input[1], "the input's length");
        assert_eq!(self.y.len(), channels * self.output[0] * self.output[1], "the output's length");
        let taps = match self.taps {
            Taps::Numbers(taps) => taps.len(),
            Taps::Vectors(taps) => taps.len(),
        };
        assert_eq!(taps, channels * reads * size * size, "the weight's length");
        let bias = match self.bias {
            Bias::None => channels,
            Bias::Numbers(bias) => bias.len(),
            Bias::Vectors(bias) => bias.len(),
        };
        assert_eq!(bias, channels, "the bias's length");
        if let Plus::Value(value) = self.plus {
            assert_eq!(value.len(), self.y.len(), "the added value's length");
        }
        for axis in 0..2 {
            // Only taps next to the border may read outside: see `Row`.
            let last = self.start[axis] + ((self.output[axis] - 1) * self.stride + size) as isize;
            let outside = last - self.input[axis] as isize;
            assert!(self.start[axis] > -(size as isize) && outside < size as isize, "the padding");
        }
    }
}

impl Kernel for Correlate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        self.check();
        macro_rules! sizes {
            ($($size:literal $stride:literal: $outputs:literal;)*) => {
                match (self.size, self.stride) {
                    $(($size, $stride) => planes::<S, $size, $stride, $outputs>(s, self),)*
                    (size, stride) => unreachable!("no kernel of {size} with stride {stride}"),
                }
            };
        }
        if S::WIDE {
            sizes! { 3 1: 8; 3 2: 8; 5 1: 8; 5 2: 4; }
        } else {
            sizes! { 3 1: 4; 3 2: 4; 5 1: 4; 5 2: 2; }
        }
    }
}

/// All channels, in rows of blocks of up to `P` outputs.
#[inline(always)]
fn planes<S: Simd, const K: usize, const T: usize, const P: usize>(s: S, of: Correlate<'_>) {
    let [height, width] = of.input;
    let [rows, columns] = of.output;
    // The taps as they are taken, of one channel.
    let mut numbers = [0.0; 25];
    for channel in 0..of.channels {
        for read in 0..of.reads {
            let kernel = channel * of.reads + read;
            let x = of.x[kernel / of.shared * height * width..].as_ptr().cast::<f32>();
            let (taps, laned) = match of.taps {
                Taps::Numbers(taps) => {
                    numbers[..K * K].copy_from_slice(&taps[kernel * K * K..][..K * K]);
                    if of.flip {
                        numbers[..K * K].reverse();
                    }
                    (numbers.as_ptr(), false)
                }
                Taps::Vectors(taps) => (taps[kernel * K * K..].as_ptr().cast::<f32>(), true),
            };
            let bias = if read > 0 { Lanes::ZERO } else { of.bias.of(channel) };
            for i in 0..rows {
                let top = of.start[0] + (i * T) as isize;
                let first = (-top).clamp(0, K as isize) as usize;
                let end = (height as isize - top).clamp(first as isize, K as isize) as usize;
                let x_row = (top + first as isize) * width as isize;
                let y_row = (channel * rows + i) * columns;
                let y: *mut f32 = of.y[y_row..].as_mut_ptr().cast();
                let row = Row {
                    x: x.wrapping_offset(x_row * LANES as isize),
                    width,
                    left: of.start[1],
                    rows: end - first,
                    taps: taps.wrapping_add(first * K * if laned { LANES } else { 1 }),
                    bias: &bias,
                    plus: match of.plus {
                        _ if read > 0 => y,
                        Plus::Nothing => std::ptr::null(),
                        Plus::Value(value) => value[y_row..].as_ptr().cast(),
                        Plus::Own => y,
                    },
                    fused: if read + 1 == of.reads { of.fused } else { Fused::Identity },
                    y,
                    columns,
                };
                // SAFETY: `check` has compared all lengths with the geometry; `first` to `end` are
                // the rows that lie inside.
                unsafe {
                    if laned {
                        row.run::<S, K, T, P, true>(s)
                    } else {
                        row.run::<S, K, T, P, false>(s)
                    }
                }
            }
        }
    }
}

/// A row of outputs.
#[derive(Clone, Copy)]
struct Row<'a> {
    /// Column 0 of the first row of `x` that is read.
    x: *const f32,
    /// Columns of `x`.
    width: usize,
    /// The column that the first output's first tap reads.
    left: isize,
    /// Rows of `x`, and so of the kernel, that are read.
    rows: usize,
    /// The taps of the first of them.
    taps: *const f32,
    bias: &'a Lanes,
    /// What is added, or null.
    plus: *const f32,
    fused: Fused,
    y: *mut f32,
    columns: usize,
}

impl Row<'_> {
    /// The outputs behind so many.
    #[inline(always)]
    fn after(self, outputs: usize, stride: usize) -> Self {
        let on = |place: *const f32| place.wrapping_add(outputs * LANES);
        Row {
            left: self.left + (outputs * stride) as isize,
            plus: if self.plus.is_null() { self.plus } else { on(self.plus) },
            y: self.y.wrapping_add(outputs * LANES),
            ..self
        }
    }

    /// # Safety
    /// The rows of `x` can be read, `columns` numbers of [`Lanes`] of `plus` too, and those of `y`
    /// written. Only the first and the last `K - 1` numbers that a block of outputs reads may lie
    /// outside the columns of `x`.
    #[inline(always)]
    unsafe fn run<S: Simd, const K: usize, const T: usize, const P: usize, const LANED: bool>(
        self,
        s: S,
    ) {
        let mut done = 0;
        macro_rules! blocks {
            ($($size:literal)*) => {
                $(
                    // A constant by itself: see `Simd::WIDE`.
                    if const { $size <= P && !($size == 2 && P == 4 && S::FALLBACK) } {
                        let count = (self.columns - done) / $size;
                        if count > 0 {
                            let row = self.after(done, T);
                            s.run(Blocks::<'_, K, T, $size, LANED> { row, count });
                            done += count * $size;
                        }
                    }
                )*
                debug_assert_eq!(done, self.columns);
            };
        }
        blocks!(8 4 2 1);
    }
}

/// The most numbers of a row that a block reads.
const MOST: usize = 20;

/// `count` blocks of `P` outputs. Only [`Row::run`] makes one, and its caller vouches for the places.
struct Blocks<'a, const K: usize, const T: usize, const P: usize, const LANED: bool> {
    row: Row<'a>,
    count: usize,
}

impl<const K: usize, const T: usize, const P: usize, const LANED: bool> Kernel
    for Blocks<'_, K, T, P, LANED>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Blocks { row, count } = self;
        for block in 0..count {
            let left = row.left + (block * P * T) as isize;
            let at = block * P * LANES;
            for part in 0..S::PARTS {
                let shift = part * S::WIDTH;
                // SAFETY: `Row::run`'s caller vouches for the places.
                unsafe {
                    let mut sums = [s.load(row.bias, part); P];
                    let mut x = row.x.wrapping_offset(left * LANES as isize).wrapping_add(shift);
                    let mut taps = row.taps;
                    for _ in 0..row.rows {
                        let xs = numbers::<S, K, T, P>(s, x, left, row.width);
                        for t in 0..K {
                            let w = if LANED {
                                s.read(taps.add(t * LANES + shift))
                            } else {
                                s.splat(*taps.add(t))
                            };
                            for p in 0..P {
                                sums[p] = s.fma(w, xs[p * T + t], sums[p]);
                            }
                        }
                        x = x.wrapping_add(row.width * LANES);
                        taps = taps.wrapping_add(if LANED { K * LANES } else { K });
                    }
                    if !row.plus.is_null() {
                        for p in 0..P {
                            sums[p] = s.add(sums[p], s.read(row.plus.add(at + p * LANES + shift)));
                        }
                    }
                    let sums = row.fused.apply_to_all(s, sums);
                    for p in 0..P {
                        s.write(row.y.add(at + p * LANES + shift), sums[p]);
                    }
                }
            }
        }
    }
}

/// The numbers of a row that `P` neighbouring outputs read, from column `left` on, where `x` points;
/// zeros where they lie outside.
///
/// # Safety
/// Those inside can be read, and none but the first and last `K - 1` lies outside.
#[inline(always)]
unsafe fn numbers<S: Simd, const K: usize, const T: usize, const P: usize>(
    s: S,
    x: *const f32,
    left: isize,
    width: usize,
) -> [S::V; MOST] {
    let mut xs = [s.splat(0.0); MOST];
    let count = (P - 1) * T + K;
    for l in 0..count {
        let is_edge = l + 1 < K || l + K > count;
        if !is_edge || (0..width as isize).contains(&(left + l as isize)) {
            // SAFETY: it is inside, and the caller vouches for those.
            xs[l] = unsafe { s.read(x.wrapping_add(l * LANES)) };
        }
    }
    xs
}

/// The data gradient with stride 2 and a padding of half the kernel: each output's gradient is
/// spread over the places that it reads.
#[derive(Debug)]
pub(super) struct Spread<'a> {
    pub(super) g: &'a Conv2d,
    pub(super) output: Shape,
    pub(super) dy: &'a [Lanes],
    pub(super) weight: &'a [f32],
    pub(super) plus: Plus<'a>,
    pub(super) dx: &'a mut [Lanes],
}

impl Kernel for Spread<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        match self.g.kernel[0] {
            3 => self.planes::<S, 3>(s),
            _ => self.planes::<S, 5>(s),
        }
    }
}

impl Spread<'_> {
    #[inline(always)]
    fn planes<S: Simd, const K: usize>(self, s: S) {
        let Spread { g, output, dy, weight, plus, dx } = self;
        let reads = g.out_channels / g.groups;
        let [height, width] = [g.input.dim(1), g.input.dim(2)];
        let [rows, columns] = [output.dim(1), output.dim(2)];
        assert_eq!(g.kernel, [K, K], "the kernel's size");
        assert!(g.stride == [2, 2] && g.padding == [K / 2; 2], "a geometry of this kernel");
        assert_eq!(dy.len(), g.out_channels * rows * columns, "the output gradient's length");
        assert_eq!(weight.len(), g.out_channels * K * K, "the weight's length");
        assert_eq!(dx.len(), g.groups * height * width, "the input gradient's length");
        assert!(rows >= height.div_ceil(2) && columns >= width.div_ceil(2), "the output's size");
        if let Plus::Value(value) = plus {
            assert_eq!(value.len(), dx.len(), "the added value's length");
        }
        for channel in 0..g.groups {
            for read in 0..reads {
                let kernel = channel * reads + read;
                for i in 0..height {
                    let at = (channel * height + i) * width;
                    let dx: *mut f32 = dx[at..].as_mut_ptr().cast();
                    let row = SpreadRow {
                        dy: dy[kernel * rows * columns..].as_ptr().cast(),
                        rows,
                        columns,
                        taps: &weight[kernel * K * K..][..K * K],
                        place: i,
                        width,
                        plus: match plus {
                            _ if read > 0 => dx,
                            Plus::Nothing => std::ptr::null(),
                            Plus::Value(value) => value[at..].as_ptr().cast(),
                            Plus::Own => dx,
                        },
                        dx,
                    };
                    // Pairs of places.
                    let pairs = width.div_ceil(2);
                    let whole = width / 2 / 4 * 4;
                    s.run(SpreadBlocks::<'_, K, 4> { row: &row, pairs: 0..whole });
                    s.run(SpreadBlocks::<'_, K, 1> { row: &row, pairs: whole..pairs });
                }
            }
        }
    }
}

/// A row of an input's gradient.
struct SpreadRow<'a> {
    /// The first row of the output's gradient.
    dy: *const f32,
    rows: usize,
    columns: usize,
    taps: &'a [f32],
    /// Which row of the input it is.
    place: usize,
    width: usize,
    plus: *const f32,
    dx: *mut f32,
}

/// Blocks of `P` pairs of places. Only [`Spread`] makes one, and vouches for the places.
struct SpreadBlocks<'a, const K: usize, const P: usize> {
    row: &'a SpreadRow<'a>,
    pairs: std::ops::Range<usize>,
}

impl<const K: usize, const P: usize> Kernel for SpreadBlocks<'_, K, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let row = self.row;
        let half = K / 2;
        // Place 2j + r is read through tap v by output j + (r + half − v) / 2, where that is whole:
        // outputs from j − before to j + after.
        let (before, after) = (half / 2, half.div_ceil(2));
        for pair in self.pairs.step_by(P) {
            for part in 0..S::PARTS {
                let shift = part * S::WIDTH;
                let mut sums = [[s.splat(0.0); P]; 2];
                for u in 0..K {
                    let from = row.place + half;
                    if from < u || !(from - u).is_multiple_of(2) || (from - u) / 2 >= row.rows {
                        continue;
                    }
                    let dy_row = (from - u) / 2 * row.columns;
                    let mut ds = [s.splat(0.0); MOST];
                    for l in 0..P + before + after {
                        let column = pair as isize + l as isize - before as isize;
                        let is_edge = l < before || l >= P + before;
                        if !is_edge || (0..row.columns as isize).contains(&column) {
                            let at = (dy_row as isize + column) * LANES as isize;
                            // SAFETY: this row and column are inside the output's gradient.
                            ds[l] = unsafe { s.read(row.dy.wrapping_offset(at).add(shift)) };
                        }
                    }
                    for v in 0..K {
                        let w = s.splat(row.taps[u * K + v]);
                        let r = (v + half) % 2;
                        let first = (r + half + 2 * before - v) / 2;
                        for p in 0..P {
                            sums[r][p] = s.fma(w, ds[first + p], sums[r][p]);
                        }
                    }
                }
                for p in 0..P {
                    for r in 0..2 {
                        let column = 2 * (pair + p) + r;
                        if P == 1 && column >= row.width {
                            continue;
                        }
                        // SAFETY: whole blocks end inside the row, and so do single places that are
                        // not left out.
                        unsafe {
                            let at = column * LANES + shift;
                            let mut sum = sums[r][p];
                            if !row.plus.is_null() {
                                sum = s.add(sum, s.read(row.plus.add(at)));
                            }
                            s.write(row.dx.add(at), sum);
                        }
                    }
                }
            }
        }
    }
}

/// Adds the gradient of the weight: `dw[o, u, v] += Σ dy[o, i, j] · x[o / shared, i·T + u − p, …]`.
#[derive(Debug)]
pub(super) struct WeightGradient<'a> {
    pub(super) g: &'a Conv2d,
    pub(super) output: Shape,
    pub(super) x: &'a [Lanes],
    pub(super) dy: &'a [Lanes],
    pub(super) dw: &'a mut [f32],
}

impl Kernel for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        match (self.g.kernel[0], self.g.stride[0]) {
            (3, 1) => self.planes::<S, 3, 1, 3>(s),
            (3, _) => self.planes::<S, 3, 2, 3>(s),
            (_, 1) => self.planes::<S, 5, 1, 1>(s),
            _ => self.planes::<S, 5, 2, 1>(s),
        }
    }
}

/// Outputs after which the lanes of a sum are added up.
const BLOCK: usize = 1024;

impl WeightGradient<'_> {
    /// Kernels of `K` rows, `R` of them at a time, with stride `T`.
    #[inline(always)]
    fn planes<S: Simd, const K: usize, const T: usize, const R: usize>(self, s: S) {
        let WeightGradient { g, output, x, dy, dw } = self;
        let [height, width] = [g.input.dim(1), g.input.dim(2)];
        let [rows, columns] = [output.dim(1), output.dim(2)];
        assert!(runs(g) && g.kernel == [K, K] && g.stride == [T, T], "a geometry of this kernel");
        assert_eq!(x.len(), g.groups * height * width, "the input's length");
        assert_eq!(dy.len(), g.out_channels * rows * columns, "the output gradient's length");
        assert_eq!(dw.len(), g.out_channels * K * K, "the weight gradient's length");
        let shared = g.out_channels / g.groups;
        let block = BLOCK.div_ceil(columns);
        for (channel, dw) in dw.chunks_exact_mut(K * K).enumerate() {
            let x = x[channel / shared * height * width..].as_ptr().cast::<f32>();
            let dy = dy[channel * rows * columns..].as_ptr().cast::<f32>();
            for first in (0..K).step_by(R) {
                for start in (0..rows).step_by(block) {
                    s.run(Sums::<'_, K, T, R> {
                        x,
                        size: [height, width],
                        dy,
                        columns,
                        padding: g.padding,
                        first,
                        rows: start..(start + block).min(rows),
                        dw: &mut dw[first * K..][..R * K],
                    });
                }
            }
        }
    }
}

/// `R` rows of a kernel, over some rows of outputs. Only [`WeightGradient`] makes one, and has compared
/// the lengths with the geometry.
struct Sums<'a, const K: usize, const T: usize, const R: usize> {
    x: *const f32,
    size: [usize; 2],
    dy: *const f32,
    columns: usize,
    padding: [usize; 2],
    /// The first of the kernel's rows.
    first: usize,
    rows: std::ops::Range<usize>,
    dw: &'a mut [f32],
}

impl<const K: usize, const T: usize, const R: usize> Kernel for Sums<'_, K, T, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let mut sums = [[s.splat(0.0); K]; R];
        for part in 0..S::PARTS {
            for i in self.rows.clone() {
                let mut j = 0;
                while j + 4 <= self.columns {
                    self.add::<S, 4>(s, part, [i, j], &mut sums);
                    j += 4;
                }
                while j < self.columns {
                    self.add::<S, 1>(s, part, [i, j], &mut sums);
                    j += 1;
                }
            }
        }
        // Four at a time.
        let mut all = [s.splat(0.0); 12];
        for r in 0..R {
            for t in 0..K {
                all[r * K + t] = sums[r][t];
            }
        }
        for (at, dw) in self.dw.chunks_mut(4).enumerate() {
            let four = [0, 1, 2, 3].map(|i| all[(at * 4 + i).min(11)]);
            for (dw, sum) in dw.iter_mut().zip(s.sums(four)) {
                *dw += sum;
            }
        }
    }
}

impl<const K: usize, const T: usize, const R: usize> Sums<'_, K, T, R> {
    /// Adds the products of `P` outputs.
    #[inline(always)]
    fn add<S: Simd, const P: usize>(
        &self,
        s: S,
        part: usize,
        [i, j]: [usize; 2],
        sums: &mut [[S::V; K]; R],
    ) {
        let [height, width] = self.size;
        let shift = part * S::WIDTH;
        let mut ds = [s.splat(0.0); P];
        for p in 0..P {
            // SAFETY: these are outputs.
            ds[p] = unsafe { s.read(self.dy.add((i * self.columns + j + p) * LANES + shift)) };
        }
        let left = (j * T) as isize - self.padding[1] as isize;
        let top = (i * T + self.first) as isize - self.padding[0] as isize;
        unrolled!(r < R, {
            let row = top + r as isize;
            if (0..height as isize).contains(&row) {
                let at = (row * width as isize + left) * LANES as isize;
                let x = self.x.wrapping_offset(at).wrapping_add(shift);
                // SAFETY: the row is inside, and the padding is less than the kernel.
                let xs = unsafe { numbers::<S, K, T, P>(s, x, left, width) };
                for t in 0..K {
                    for p in 0..P {
                        sums[r][t] = s.fma(ds[p], xs[p * T + t], sums[r][t]);
                    }
                }
            }
        });
    }
}

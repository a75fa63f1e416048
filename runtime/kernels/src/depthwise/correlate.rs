//! The correlation of each channel by itself: the forward pass, and the data gradient with stride 1.
#![allow(unsafe_code)]

use typenet_shape::{Conv2d, Shape};

use super::super::epilogue::{Bias, Plus};
use super::super::fused::Fused;
use super::super::simd::{Kernel, Simd};
use super::super::{LANES, Lanes};
use super::read::numbers;

/// The weights of all channels.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Taps<'a> {
    /// A number for each tap.
    Numbers(&'a [f32]),
    /// A vector for each tap.
    Vectors(&'a [Lanes]),
}

/// `y[o] = f(b[o] + plus + Σ w[o · reads + r] * x[(o · reads + r) / shared])` over `r < reads`, where
/// `*` is a correlation.
#[derive(Debug)]
pub(in super::super) struct Correlate<'a> {
    /// Height and width of the kernel.
    pub(in super::super) size: usize,
    pub(in super::super) stride: usize,
    /// Whether the taps are taken from the last to the first.
    pub(in super::super) flip: bool,
    /// Input channels of one output channel.
    pub(in super::super) reads: usize,
    /// Output channels that read the same input channel.
    pub(in super::super) shared: usize,
    /// Output channels.
    pub(in super::super) channels: usize,
    /// Height and width of `x`, and of `y`.
    pub(in super::super) input: [usize; 2],
    pub(in super::super) output: [usize; 2],
    /// The row and column that the first output's first tap reads.
    pub(in super::super) start: [isize; 2],
    pub(in super::super) x: &'a [Lanes],
    pub(in super::super) taps: Taps<'a>,
    pub(in super::super) bias: Bias<'a>,
    pub(in super::super) plus: Plus<'a>,
    pub(in super::super) fused: Fused,
    pub(in super::super) y: &'a mut [Lanes],
}

/// The correlation of a forward pass.
pub(in super::super) fn forward<'a>(
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

/// The correlation of a data gradient with stride 1: with the taps reversed.
pub(in super::super) fn backward_data<'a>(
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
    /// The outputs after the first `outputs`.
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

//! Convolutions of 1×1 as products of matrices: the weights as they are, and some positions of all
//! channels that are packed before they are multiplied. Unpacked, the channels of one position stand a plane
//! apart; with planes of 32×32 they fall into the same sets of each cache.
//!
//! For the weight's gradient the input is packed with 16 channels side by side in place of 16 images, so
//! that sums over images and positions are those of whole vectors.
#![allow(unsafe_code)]

use std::ops::Range;
use std::slice::from_mut;

use typenet_shape::{Conv2d, Conv2dKernel, Conv2dPass};

use super::batch_norm::{BatchNorm, Input, SideBySide, copy_some};
use super::conv2d::output;
use super::epilogue::{Epilogue, Finish, Plus};
use super::fused::Fused;
use super::gemm::{Ahead, Numbers, Product, Vectors, even, most_rows, multiply};
use super::simd::{Kernel, Simd};
use super::statistics::{Gather, Statistics};
use super::team::{Crew, Numbered, Shared, chunks, chunks_mut, even_pairs};
use super::{Isa, LANES, Lanes, linear};

/// Output channels of a weight gradient's parts are a multiple of this, so that its tiles are full.
const OUTS: usize = 12;

/// The convolution, followed by the `epilogue`; overwrites `y`. `scratch` has the length
/// [`Conv2dKernel::scratch_len`] and any contents.
///
/// # Panics
/// When [`Conv2dKernel::Gemm`] cannot run `g`, a slice has a wrong length, the statistics are not those of
/// `y`, or this machine lacks `isa`.
pub fn forward(
    isa: Isa,
    g: &Conv2d,
    x: &[Lanes],
    weight: &[f32],
    epilogue: Epilogue<'_>,
    y: &mut [Lanes],
    scratch: &mut [Lanes],
) {
    forward_by(isa, &mut Crew::alone(scratch), g, x.into(), weight, epilogue, y);
}

/// [`forward`] by a crew, with its scratch memory, of a value or of one that a norm is applied to. The result is the
/// same to the bit, however many threads it has.
///
/// # Panics
/// As [`forward`].
pub fn forward_by(
    isa: Isa,
    crew: &mut Crew<'_>,
    g: &Conv2d,
    x: Input<'_>,
    weight: &[f32],
    epilogue: Epilogue<'_>,
    y: &mut [Lanes],
) {
    let (finish, mut behind) = epilogue.split();
    let (rows, depth) = (g.out_channels, g.input.dim(0));
    x.check(g.input);
    let (x, together) = (Places::new(g, &x), check(g, Conv2dPass::Forward));
    let parts = crew.parts(weight.len().saturating_mul(x.positions));
    let statistics = if parts == 1 { behind.take_statistics() } else { None };
    let positions = 0..x.positions;
    let to = Shared::new(&mut *y);
    let steps = [depth, 1];
    let whole = Multiply { rows, depth, together, weight, steps, x, positions, finish, y: to };
    whole.run_by(isa, crew, parts, statistics);
    if parts == 1 {
        behind.run(isa, rows, y);
    } else {
        behind.run_by(isa, crew, rows, x.blocks(together, 0..x.positions), y);
    }
}

/// The gradient of `x`; overwrites `dx`, or adds to it if it `accumulates`.
///
/// # Panics
/// As [`forward`], or when `g` has a stride.
pub fn backward_data(
    isa: Isa,
    g: &Conv2d,
    dy: &[Lanes],
    weight: &[f32],
    accumulates: bool,
    dx: &mut [Lanes],
    scratch: &mut [Lanes],
) {
    backward_data_by(isa, &mut Crew::alone(scratch), g, dy, weight, accumulates, dx);
}

/// [`backward_data`] by a crew, with its scratch memory. The result is the same to the bit, however many threads
/// it has.
///
/// # Panics
/// As [`backward_data`].
pub fn backward_data_by(
    isa: Isa,
    crew: &mut Crew<'_>,
    g: &Conv2d,
    dy: &[Lanes],
    weight: &[f32],
    accumulates: bool,
    dx: &mut [Lanes],
) {
    let plus = Plus::own_if(accumulates);
    let x = Places::neighbours(g, dy);
    let whole = Multiply {
        rows: g.input.dim(0),
        depth: g.out_channels,
        together: check(g, Conv2dPass::BackwardData),
        weight,
        steps: [1, g.input.dim(0)],
        x,
        positions: 0..x.positions,
        finish: Finish { bias: None, plus, fused: Fused::Identity },
        y: Shared::new(dx),
    };
    let parts = crew.parts(weight.len().saturating_mul(x.positions));
    whole.run_by(isa, crew, parts, None);
}

/// Adds the gradients of weight and bias, summed over the lanes.
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
    scratch: &mut [Lanes],
) {
    backward_weight_by(isa, &mut Crew::alone(scratch), g, x.into(), dy, dw, db);
}

/// [`backward_weight`] by a crew, with its scratch memory. The result is the same to the bit, however many threads
/// it has.
///
/// # Panics
/// As [`forward`].
pub fn backward_weight_by(
    isa: Isa,
    crew: &mut Crew<'_>,
    g: &Conv2d,
    x: Input<'_>,
    dy: &[Lanes],
    dw: &mut [f32],
    db: Option<&mut [f32]>,
) {
    let (ins, together) = (g.input.dim(0), check(g, Conv2dPass::BackwardWeight));
    x.check(g.input);
    let (x, dy_places) = (Places::new(g, &x), Places::neighbours(g, dy));
    assert_eq!(dw.len(), ins * g.out_channels, "the weight gradient's length");
    assert_eq!(dy.len(), g.out_channels * x.positions, "the output gradient's length");
    // Each part has some output channels; all parts pack the input.
    let parts = crew.parts(dw.len().saturating_mul(x.positions));
    let outs = g.out_channels.div_ceil(parts).next_multiple_of(OUTS);
    let parts = (chunks(dy, outs * x.positions), chunks_mut(dw, outs * ins));
    crew.for_each(parts, |packed, _, (numbers, dw)| {
        let (outs, dy) = (dw.len() / ins, Places { numbers, ..dy_places });
        isa.run(WeightGradient { ins, outs, together, x, dy, dw, packed });
    });
    if let Some(db) = db {
        linear::backward_bias_by(isa, crew, dy, db);
    }
}

/// How many positions a pass packs together.
fn check(g: &Conv2d, pass: Conv2dPass) -> usize {
    let kernel = Conv2dKernel::Gemm;
    assert!(kernel.runs_pass(g, pass), "no convolution of 1×1 for a product: {g:?}");
    Conv2dKernel::positions(g, pass)
}

/// The numbers of all channels at each position of the output.
#[derive(Clone, Copy, Debug)]
struct Places<'a> {
    numbers: &'a [Lanes],
    /// What is applied to them when they are packed.
    norm: Option<&'a BatchNorm<'a>>,
    /// Of the numbers.
    plane: usize,
    width: usize,
    stride: [usize; 2],
    /// Of the output.
    positions: usize,
    columns: usize,
}

impl<'a> Places<'a> {
    /// Those of the input.
    fn new(g: &Conv2d, x: &'a Input<'a>) -> Places<'a> {
        let output = output(g);
        Places {
            numbers: x.x,
            norm: x.norm.as_ref(),
            plane: g.input.dim(1) * g.input.dim(2),
            width: g.input.dim(2),
            stride: g.stride,
            positions: output.dim(1) * output.dim(2),
            columns: output.dim(2),
        }
    }

    /// Those of the output itself.
    fn neighbours(g: &Conv2d, numbers: &'a [Lanes]) -> Places<'a> {
        let output = output(g);
        let positions = output.dim(1) * output.dim(2);
        let columns = output.dim(2);
        let (norm, plane, width, stride) = (None, positions, columns, [1; 2]);
        Places { numbers, norm, plane, width, stride, positions, columns }
    }

    /// The number of positions in each of the blocks, the last of which may be shorter.
    fn block(&self, together: usize) -> usize {
        even(self.positions, together).next_multiple_of(2).min(together)
    }

    /// Some of the positions in blocks.
    fn blocks(
        &self,
        together: usize,
        positions: Range<usize>,
    ) -> impl Iterator<Item = Range<usize>> + Clone + Sync + use<> {
        let block = self.block(together);
        let end = positions.end;
        positions.step_by(block).map(move |first| first..(first + block).min(end))
    }

    /// Where a position's number stands in its channel.
    #[inline(always)]
    fn at(&self, position: usize) -> usize {
        if self.stride == [1, 1] {
            return position;
        }
        let (row, column) = (position / self.columns, position % self.columns);
        row * self.stride[0] * self.width + column * self.stride[1]
    }

    /// Copies `count` positions of all channels, the next channel's `step` further.
    #[inline(always)]
    fn pack<S: Simd>(&self, s: S, first: usize, count: usize, step: usize, packed: &mut [Lanes]) {
        let channels = self.numbers.chunks(self.plane).zip(packed.chunks_mut(step));
        for (channel, (x, packed)) in channels.enumerate() {
            let packed = &mut packed[..count];
            if self.stride == [1, 1] {
                copy_some(s, self.norm, channel, &x[first..first + count], packed);
                continue;
            }
            for (k, to) in packed.iter_mut().enumerate() {
                copy_some(s, self.norm, channel, &x[self.at(first + k)..][..1], from_mut(to));
            }
        }
    }

    /// Copies `count` positions with channels side by side: channels `16 b` to `16 b + 15` of image `l` at
    /// position `k` go to `turned[(b · count + k) · 16 + l]`. Missing channels become zeros.
    #[inline(always)]
    fn turn<S: Simd>(
        &self,
        s: S,
        channels: usize,
        first: usize,
        count: usize,
        turned: &mut [Lanes],
    ) {
        let (turned, _) = turned.as_chunks_mut::<LANES>();
        for (b, turned) in turned.chunks_mut(count).enumerate().take(channels.div_ceil(LANES)) {
            let present = LANES.min(channels - b * LANES);
            let x = &self.numbers[b * LANES * self.plane..];
            for (k, turned) in turned.iter_mut().enumerate() {
                let x = &x[self.at(first + k)..];
                if present == LANES {
                    assert!(x.len() > (LANES - 1) * self.plane, "16 channels");
                    // SAFETY: the assertion: the last of 16 rows is in `x`.
                    unsafe { s.transpose_strided(x.as_ptr().cast(), self.plane * LANES, turned) }
                } else {
                    let mut numbers = [Lanes::ZERO; LANES];
                    for (c, to) in numbers.iter_mut().enumerate().take(present) {
                        *to = x[c * self.plane];
                    }
                    s.transpose(&numbers, turned);
                }
            }
            if let Some(norm) = self.norm {
                s.run(SideBySide { norm, first: b * LANES, numbers: turned });
            }
        }
    }
}

/// `y[r][p] = f(b[r] + Σ w[r][k] · x[k][p] + plus)`
#[derive(Clone, Debug)]
struct Multiply<'a> {
    rows: usize,
    depth: usize,
    together: usize,
    weight: &'a [f32],
    /// From a weight to that of the next row, and of the next `k`; one of them is 1.
    steps: [usize; 2],
    x: Places<'a>,
    /// Those that are computed.
    positions: Range<usize>,
    finish: Finish<'a>,
    /// Nobody else writes these positions.
    y: Shared<'a, Lanes>,
}

impl Multiply<'_> {
    /// All positions, in so many parts.
    fn run_by(
        self,
        isa: Isa,
        crew: &mut Crew<'_>,
        parts: usize,
        statistics: Option<Statistics<'_>>,
    ) {
        if parts == 1 {
            isa.run(MultiplyIn { of: self, statistics, packed: crew.scratch() });
            return;
        }
        let all = self.x.positions;
        let parts = parts.min(all.div_ceil(2));
        crew.for_each(Numbered(parts), |packed, part, ()| {
            let positions = even_pairs(part, parts, all);
            isa.run(MultiplyIn {
                of: Multiply { positions, ..self.clone() },
                statistics: None,
                packed,
            });
        });
    }
}

/// A product in scratch memory, with the statistics of all of `y` where this computes it all.
#[derive(Debug)]
struct MultiplyIn<'a, 'b> {
    of: Multiply<'a>,
    statistics: Option<Statistics<'b>>,
    packed: &'b mut [Lanes],
}

impl Kernel for MultiplyIn<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let MultiplyIn { of, mut statistics, packed } = self;
        let Multiply { rows, depth, together, weight, steps, x, finish, y, .. } = of;
        let Finish { bias, plus, fused } = finish;
        let (positions, step) = (x.positions, together + 1);
        assert_eq!(weight.len(), rows * depth, "the weight's length");
        assert_eq!(x.numbers.len(), depth * x.plane, "the input's length");
        assert_eq!(y.len(), rows * positions, "the output's length");
        assert!(packed.len() >= depth * step, "room for the packed positions");
        assert!(bias.is_none_or(|bias| bias.len() == rows), "the bias's length");
        if let Plus::Value(value) = plus {
            assert_eq!(value.len(), y.len(), "the added value's length");
        }
        for range in x.blocks(together, of.positions) {
            let (first, count) = (range.start, range.len());
            x.pack(s, first, count, step, &mut packed[..depth * step]);
            let mut row = 0;
            while row < rows {
                let some = even(rows - row, most_rows::<S>());
                let at = row * positions + first;
                let to: *mut f32 = y.from(at).as_mut_ptr().cast();
                let product = Product {
                    a: Numbers {
                        first: weight[row * steps[0]..].as_ptr(),
                        row: steps[0],
                        depth: steps[1],
                        point: 0,
                    },
                    b: Vectors {
                        first: packed.as_ptr().cast(),
                        row: step * LANES,
                        block: LANES,
                        point: 0,
                    },
                    c: Vectors { first: to, row: positions * LANES, block: LANES, point: 0 },
                    depth,
                    points: 1,
                    ahead: Ahead::NOTHING,
                    bias: bias.map_or(std::ptr::null(), |bias| bias[row..].as_ptr()),
                    plus: match plus {
                        Plus::Nothing => std::ptr::null(),
                        Plus::Value(value) => value[at..].as_ptr().cast(),
                        Plus::Own => to,
                    },
                    fused,
                };
                // SAFETY: the assertions compare the lengths: `some` rows from `row` on have `depth`
                // weights each and `count` positions from `first` on, and `packed` has as many of each
                // of `depth` channels.
                unsafe { multiply(s, some, count, &product) };
                row += some;
            }
            if let Some(Statistics { images, numbers }) = &mut statistics {
                // SAFETY: nobody else writes `y`, whose positions this computes all, nor this as long as it is read.
                let y: &[Lanes] = unsafe { y.into_slice() };
                s.run(Gather { images: *images, pixels: positions, range, y, numbers });
            }
        }
    }
}

/// `dw[o][c] += Σ dy[o][p][l] · x[c][p][l]` over positions and lanes.
#[derive(Debug)]
struct WeightGradient<'a> {
    ins: usize,
    outs: usize,
    together: usize,
    x: Places<'a>,
    dy: Places<'a>,
    dw: &'a mut [f32],
    packed: &'a mut [Lanes],
}

impl Kernel for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let WeightGradient { ins, outs, together, x, dy, dw, packed } = self;
        let (positions, step) = (x.positions, together + 1);
        let blocks = ins.div_ceil(LANES);
        assert_eq!(dw.len(), outs * ins, "the weight gradient's length");
        assert_eq!(x.numbers.len(), ins * x.plane, "the input's length");
        assert_eq!(dy.numbers.len(), outs * positions, "the output gradient's length");
        let turned_len = blocks * LANES * together;
        assert!(packed.len() >= outs * step + turned_len, "room for the packed positions");
        let (packed, turned) = packed.split_at_mut(outs * step);
        let block = x.block(together);
        // Sums of the last input channels, where these fill no vector.
        let mut last = [Lanes::ZERO; LANES];
        for first in (0..positions).step_by(block) {
            let count = block.min(positions - first);
            dy.pack(s, first, count, step, packed);
            let turned = &mut turned[..blocks * LANES * count];
            x.turn(s, ins, first, count, turned);
            let mut row = 0;
            while row < outs {
                let rows = even(outs - row, most_rows::<S>());
                let of = |first_block: usize, blocks: usize, to: (*mut f32, usize), adds| {
                    let dy = (packed[row * step..].as_ptr().cast(), step * LANES);
                    let x = turned[first_block * LANES * count..].as_ptr().cast();
                    let product = Product::of_weight_gradient(dy, x, count * LANES, to, adds);
                    // SAFETY: the assertions compare the lengths: there are `rows` rows of `count` Lanes
                    // in `packed`, and `blocks` blocks of as many numbers in `turned`; the sums are in
                    // `dw`, a row of whole vectors for each channel, or in `last`, one vector for each.
                    unsafe { multiply(s, rows, blocks, &product) };
                };
                if ins >= LANES {
                    let to = dw[row * ins..].as_mut_ptr();
                    of(0, ins / LANES, (to, ins), true);
                }
                let left = ins % LANES;
                if left > 0 {
                    of(blocks - 1, 1, (last.as_mut_ptr().cast(), LANES), false);
                    for (r, sums) in last[..rows].iter().enumerate() {
                        let end = (row + r + 1) * ins;
                        for (dw, sum) in dw[end - left..end].iter_mut().zip(&sums.0) {
                            *dw += sum;
                        }
                    }
                }
                row += rows;
            }
        }
    }
}

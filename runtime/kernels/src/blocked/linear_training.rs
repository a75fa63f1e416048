//! A linear layer while training, of images whose numbers stand in order, row by row.
//!
//! The lanes are 16 inputs of the layer, which stand side by side in its weight as well as in `x`. So the
//! weight is read, and its gradient written, without packing.
#![allow(unsafe_code)]

use std::ops::Range;

use typenet_shape::Activation;

use super::super::simd::{Kernel, Simd, even_tile, unrolled};
use super::super::team::{Numbered, Shared, Team};
use super::super::{Isa, LANES, Lanes, activation};
use super::layout::{blocks, flat};

/// Fewer products than this are not shared out.
const SHARED: usize = 1 << 18;

/// `y = f(W x + b + other)` of all images, shared out among the team; overwrites `y`. `x`, `y` and `other` are
/// rows of whole [`Lanes`] for each image, `weight` is `[outputs][inputs]`.
///
/// # Panics
/// When a slice has a wrong length, or this machine lacks `isa`.
pub fn linear_forward(
    isa: Isa,
    team: &Team,
    [inputs, outputs]: [usize; 2],
    x: &[Lanes],
    (weight, bias): (&[f32], Option<&[f32]>),
    other: Option<&[Lanes]>,
    f: Activation,
    y: &mut [Lanes],
) {
    let images = images(x, inputs);
    assert_eq!(y.len(), images * blocks(outputs), "the output's length");
    assert_eq!(weight.len(), inputs * outputs, "the weight's length");
    assert!(bias.is_none_or(|bias| bias.len() == outputs), "the bias's length");
    assert!(other.is_none_or(|other| other.len() == y.len()), "the added value's length");
    let (x, other) = (flat(x), other.map(flat));
    let tasks = tasks(team, images * inputs * outputs, blocks(outputs));
    let all = blocks(outputs);
    let to = Shared::new(y);
    team.for_each(Numbered(tasks), |task, ()| {
        let own = task * all / tasks..(task + 1) * all / tasks;
        let size = [inputs, outputs];
        isa.run(Product { images, size, blocks: own, x, weight, bias, other, y: to });
    });
    activation::forward_in_place(isa, f, y);
}

/// `dW[o][i] = Σ dy[o] · x[i]` over all images, shared out among the team; overwrites `dw`, or adds to it if
/// `accumulate`. `x` and `dy` are rows of whole [`Lanes`] for each image, `dw` is `[outputs][inputs]`.
///
/// # Panics
/// When a slice has a wrong length, or this machine lacks `isa`.
pub fn linear_backward_weight(
    isa: Isa,
    team: &Team,
    [inputs, outputs]: [usize; 2],
    x: &[Lanes],
    dy: &[Lanes],
    accumulate: bool,
    dw: &mut [f32],
) {
    let images = images(x, inputs);
    assert_eq!(dy.len(), images * blocks(outputs), "the output gradient's length");
    assert_eq!(dw.len(), inputs * outputs, "the weight gradient's length");
    let (x, dy, dw) = (flat(x), flat(dy), Shared::new(dw));
    team.for_each(Numbered(tasks(team, images * inputs * outputs, outputs)), |task, ()| {
        let tasks = tasks(team, images * inputs * outputs, outputs);
        let outs = task * outputs / tasks..(task + 1) * outputs / tasks;
        isa.run(Weight { images, inputs, outputs, outs, x, dy, accumulate, dw });
    });
}

/// `db[o] = Σ dy[o]` over all images, in their order; overwrites `db`, or adds to it if `accumulate`.
///
/// # Panics
/// When `dy` is no rows of whole [`Lanes`] for so many numbers.
pub fn linear_backward_bias(dy: &[Lanes], accumulate: bool, db: &mut [f32]) {
    let images = images(dy, db.len());
    let row = blocks(db.len()) * LANES;
    for (o, db) in db.iter_mut().enumerate() {
        let sum: f64 = (0..images).map(|image| f64::from(flat(dy)[image * row + o])).sum();
        *db = if accumulate { *db } else { 0.0 } + sum as f32;
    }
}

/// `dx[i] = Σ W[o][i] · dy[o]` of each image, shared out among the team; overwrites `dx`, or adds to it if
/// `accumulate`. `weight` is `[outputs][inputs]`.
///
/// # Panics
/// As [`linear_backward_weight`].
pub fn linear_backward_data(
    isa: Isa,
    team: &Team,
    [inputs, outputs]: [usize; 2],
    dy: &[Lanes],
    weight: &[f32],
    accumulate: bool,
    dx: &mut [Lanes],
) {
    let images = images(dy, outputs);
    assert_eq!(dx.len(), images * blocks(inputs), "the input gradient's length");
    assert_eq!(weight.len(), inputs * outputs, "the weight's length");
    let dy = flat(dy);
    let all = blocks(inputs);
    let tasks = tasks(team, images * inputs * outputs, all);
    let dx = Shared::new(dx);
    team.for_each(Numbered(tasks), |task, ()| {
        let own = task * all / tasks..(task + 1) * all / tasks;
        isa.run(Data { images, inputs, outputs, blocks: own, dy, weight, accumulate, dx });
    });
}

fn images(lanes: &[Lanes], numbers: usize) -> usize {
    let images = lanes.len().checked_div(blocks(numbers)).unwrap_or(0);
    assert!(images > 0 && images * blocks(numbers) == lanes.len(), "a row for each image");
    images
}

fn tasks(team: &Team, products: usize, most: usize) -> usize {
    if products < SHARED { 1 } else { (2 * team.threads()).min(most) }
}

/// Some blocks of outputs of all images. Nobody else writes them.
struct Product<'a> {
    images: usize,
    size: [usize; 2],
    blocks: Range<usize>,
    x: &'a [f32],
    weight: &'a [f32],
    bias: Option<&'a [f32]>,
    other: Option<&'a [f32]>,
    y: Shared<'a, Lanes>,
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let [_, outputs] = self.size;
        for block in self.blocks.clone() {
            let outs = block * LANES..outputs.min((block + 1) * LANES);
            let mut image = 0;
            while image < self.images {
                let count = even_tile(self.images - image, &[1, 2, 4]);
                // SAFETY: nobody else writes this block, of which these are the lanes of each image.
                let y = |n: usize| unsafe {
                    let at = (image + n) * blocks(outputs) + block;
                    &mut self.y.part(at..at + 1).into_slice()[0].0
                };
                for n in 0..count {
                    y(n)[outs.len()..].fill(0.0);
                }
                let mut out = outs.start;
                while out < outs.end {
                    let rows = if outs.end - out >= 4 { 4 } else { 1 };
                    let at = (&self, image, out);
                    let sums = match (count, rows) {
                        (1, 4) => s.run(Dots::<1, 4>(at)),
                        (2, 4) => s.run(Dots::<2, 4>(at)),
                        (_, 4) => s.run(Dots::<4, 4>(at)),
                        (1, _) => s.run(Dots::<1, 1>(at)),
                        (2, _) => s.run(Dots::<2, 1>(at)),
                        _ => s.run(Dots::<4, 1>(at)),
                    };
                    for n in 0..count {
                        for o in 0..rows {
                            let own = out + o;
                            let mut sum = sums[o][n];
                            if let Some(bias) = self.bias {
                                sum += bias[own];
                            }
                            if let Some(other) = self.other {
                                sum += other[(image + n) * blocks(outputs) * LANES + own];
                            }
                            y(n)[own % LANES] = sum;
                        }
                    }
                    out += rows;
                }
                image += count;
            }
        }
    }
}

/// The dot products of `N` images, from a given one on, with the weights of `O` outputs, from a given one on.
struct Dots<'a, const N: usize, const O: usize>((&'a Product<'a>, usize, usize));

impl<const N: usize, const O: usize> Kernel for Dots<'_, N, O> {
    type Output = [[f32; 4]; 4];

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> [[f32; 4]; 4] {
        let (of, image, out) = self.0;
        let [inputs, _] = of.size;
        let row = blocks(inputs) * LANES;
        let mut sums = [[s.splat(0.0); 4]; O];
        let whole = inputs / S::WIDTH * S::WIDTH;
        let x_rows: [&[f32]; N] = std::array::from_fn(|n| &of.x[(image + n) * row..][..inputs]);
        let w_rows: [&[f32]; O] =
            std::array::from_fn(|o| &of.weight[(out + o) * inputs..][..inputs]);
        for start in (0..whole).step_by(S::WIDTH) {
            let (mut x, mut w) = ([s.splat(0.0); N], [s.splat(0.0); O]);
            // SAFETY: each row has `inputs` numbers, and WIDTH of them from `start` on.
            unsafe {
                for n in 0..N {
                    x[n] = s.read(x_rows[n].as_ptr().add(start));
                }
                for o in 0..O {
                    w[o] = s.read(w_rows[o].as_ptr().add(start));
                }
            }
            for o in 0..O {
                for n in 0..N {
                    sums[o][n] = s.fma(w[o], x[n], sums[o][n]);
                }
            }
        }
        if whole < inputs {
            for n in 0..N {
                let x = s.load(&rest(&x_rows[n][whole..]), 0);
                for o in 0..O {
                    let w = s.load(&rest(&w_rows[o][whole..]), 0);
                    sums[o][n] = s.fma(w, x, sums[o][n]);
                }
            }
        }
        let mut result = [[0.0; 4]; 4];
        for o in 0..O {
            result[o] = s.sums(sums[o]);
        }
        result
    }
}

/// Fewer than 16 numbers, and zeros after them.
fn rest(numbers: &[f32]) -> Lanes {
    let mut lanes = Lanes::ZERO;
    lanes.0[..numbers.len()].copy_from_slice(numbers);
    lanes
}

/// The gradients of some outputs' weights. Nobody else writes them.
struct Weight<'a> {
    images: usize,
    inputs: usize,
    outputs: usize,
    outs: Range<usize>,
    x: &'a [f32],
    dy: &'a [f32],
    accumulate: bool,
    dw: Shared<'a, f32>,
}

impl Kernel for Weight<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let own = self.outs.clone();
        let mut out = own.start;
        while out < own.end {
            let count = even_tile(own.end - out, &[1, 2, 3, 4]);
            match count {
                1 => s.run(WeightRows::<1>(&self, out)),
                2 => s.run(WeightRows::<2>(&self, out)),
                3 => s.run(WeightRows::<3>(&self, out)),
                _ => s.run(WeightRows::<4>(&self, out)),
            }
            out += count;
        }
    }
}

/// The weights of `O` outputs from this one on, which are the task's.
struct WeightRows<'a, const O: usize>(&'a Weight<'a>, usize);

impl<const O: usize> Kernel for WeightRows<'_, O> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (of, out) = (self.0, self.1);
        let (x_row, dy_row) = (blocks(of.inputs) * LANES, blocks(of.outputs) * LANES);
        for start in (0..of.inputs).step_by(S::WIDTH) {
            let count = S::WIDTH.min(of.inputs - start);
            let mut sums = [s.splat(0.0); O];
            for image in 0..of.images {
                let x = &of.x[image * x_row + start..][..S::WIDTH];
                let dy = &of.dy[image * dy_row + out..][..O];
                // SAFETY: these are WIDTH numbers.
                let x = unsafe { s.read(x.as_ptr()) };
                for o in 0..O {
                    sums[o] = s.fma(s.splat(dy[o]), x, sums[o]);
                }
            }
            unrolled!(o < O, {
                let at = (out + o) * of.inputs + start;
                // SAFETY: nobody else writes this task's rows.
                let dw = unsafe { of.dw.part(at..at + count).into_slice() };
                if count == S::WIDTH {
                    // SAFETY: these are WIDTH numbers.
                    unsafe {
                        let before = if of.accumulate { s.read(dw.as_ptr()) } else { s.splat(0.0) };
                        s.write(dw.as_mut_ptr(), s.add(before, sums[o]));
                    }
                } else {
                    let mut lanes = Lanes::ZERO;
                    s.store(&mut lanes, 0, sums[o]);
                    for (dw, d) in dw.iter_mut().zip(&lanes.0) {
                        *dw = if of.accumulate { *dw } else { 0.0 } + d;
                    }
                }
            });
        }
    }
}

/// The gradients of some blocks of inputs. Nobody else writes them.
struct Data<'a> {
    images: usize,
    inputs: usize,
    outputs: usize,
    blocks: Range<usize>,
    dy: &'a [f32],
    weight: &'a [f32],
    accumulate: bool,
    dx: Shared<'a, Lanes>,
}

impl Kernel for Data<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let all = blocks(self.inputs);
        for block in self.blocks.clone() {
            let mut image = 0;
            while image < self.images {
                let count = even_tile(self.images - image, &[1, 2, 4, 8]);
                let at = (&self, block, image);
                // The last block's rows may end before 16 numbers do.
                let is_whole = (block + 1) * LANES <= self.inputs || block + 1 < all;
                macro_rules! tile {
                    ($n:literal) => {
                        if is_whole {
                            s.run(DataTile::<$n, true>(at))
                        } else {
                            s.run(DataTile::<$n, false>(at))
                        }
                    };
                }
                match count {
                    1 => tile!(1),
                    2 => tile!(2),
                    4 => tile!(4),
                    _ => tile!(8),
                }
                image += count;
            }
        }
    }
}

/// A block of inputs, of `N` images from one on.
struct DataTile<'a, const N: usize, const WHOLE: bool>((&'a Data<'a>, usize, usize));

impl<const N: usize, const WHOLE: bool> Kernel for DataTile<'_, N, WHOLE> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (of, block, image) = self.0;
        let dy_row = blocks(of.outputs) * LANES;
        let count = LANES.min(of.inputs - block * LANES);
        for part in 0..S::PARTS {
            let shift = part * S::WIDTH;
            let mut sums = [s.splat(0.0); N];
            for o in 0..of.outputs {
                let weight = &of.weight[o * of.inputs + block * LANES..][..count];
                let w = if WHOLE {
                    // SAFETY: the block is 16 numbers.
                    unsafe { s.read(weight.as_ptr().add(shift)) }
                } else {
                    let mut lanes = Lanes::ZERO;
                    lanes.0[..count].copy_from_slice(weight);
                    s.load(&lanes, part)
                };
                for n in 0..N {
                    let d = s.splat(of.dy[(image + n) * dy_row + o]);
                    sums[n] = s.fma(d, w, sums[n]);
                }
            }
            unrolled!(n < N, {
                let at = (image + n) * blocks(of.inputs) + block;
                // SAFETY: nobody else writes this task's blocks.
                let dx = unsafe { of.dx.part(at..at + 1).into_slice() };
                let before = if of.accumulate { s.load(&dx[0], part) } else { s.splat(0.0) };
                s.store(&mut dx[0], part, s.add(before, sums[n]));
            });
        }
    }
}

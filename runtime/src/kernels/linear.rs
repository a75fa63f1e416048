//! Linear layers: `y = f(W x + b)`, W `[out][in]`.
#![allow(unsafe_code)]

use typenet_shape::Activation;

use super::math::Fused;
use super::simd::{Kernel, Simd};
use super::{Isa, LANES, Lanes, activation};

/// `y = f(W x + b)`; overwrites `y`; W is `[y.len()][x.len()]`.
///
/// # Panics
/// When a slice has a wrong length, or this machine lacks `isa`.
pub fn forward(
    isa: Isa,
    x: &[Lanes],
    weight: &[f32],
    bias: Option<&[f32]>,
    f: Activation,
    y: &mut [Lanes],
) {
    let (fused, after) = Fused::split(f);
    let (out_step, in_step) = (x.len(), 1);
    isa.run(Product { x, weight, out_step, in_step, bias, fused, y });
    if let Some(f) = after {
        activation::forward_in_place(isa, f, y);
    }
}

/// Adds the gradients of weight and bias, summed over the lanes: `dW[o][i] += Σ dy[o] · x[i]`,
/// `db[o] += Σ dy[o]`.
///
/// # Panics
/// As [`forward`].
pub fn backward_weight(
    isa: Isa,
    x: &[Lanes],
    dy: &[Lanes],
    dw: &mut [f32],
    db: Option<&mut [f32]>,
) {
    isa.run(WeightGradient { x, dy, dw });
    if let Some(db) = db {
        assert_eq!(db.len(), dy.len(), "the bias gradient's length");
        isa.run(BiasGradient { dy, db });
    }
}

/// `dx = Wᵀ dy`; overwrites `dx`.
///
/// # Panics
/// As [`forward`].
pub fn backward_data(isa: Isa, dy: &[Lanes], weight: &[f32], dx: &mut [Lanes]) {
    let (out_step, in_step) = (1, dx.len());
    let fused = Fused::Identity;
    isa.run(Product { x: dy, weight, out_step, in_step, bias: None, fused, y: dx });
}

/// `y[o] = f(b[o] + Σ weight[o · out_step + i · in_step] · x[i])`
struct Product<'a> {
    x: &'a [Lanes],
    weight: &'a [f32],
    out_step: usize,
    in_step: usize,
    bias: Option<&'a [f32]>,
    fused: Fused,
    y: &'a mut [Lanes],
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (inputs, outputs) = (self.x.len(), self.y.len());
        assert_eq!(self.weight.len(), inputs * outputs, "the weight's length");
        if let Some(bias) = self.bias {
            assert_eq!(bias.len(), outputs, "the bias's length");
        }
        if inputs == 0 || outputs == 0 {
            assert_eq!(outputs, 0, "a linear layer needs inputs");
            return;
        }
        let last = (outputs - 1) * self.out_step + (inputs - 1) * self.in_step;
        assert_eq!(last + 1, self.weight.len(), "the weight's steps");
        let mut o = 0;
        while o < outputs {
            // As even as can be: 84 outputs are 7 tiles of 12, 10 are one.
            let left = outputs - o;
            let count = left.div_ceil(left.div_ceil(12));
            let tile = ProductAt {
                x: self.x,
                weight: self.weight[o * self.out_step..].as_ptr(),
                out_step: self.out_step,
                in_step: self.in_step,
                bias: self.bias.map(|bias| &bias[o..o + count]),
                fused: self.fused,
                y: &mut self.y[o..o + count],
            };
            macro_rules! sizes {
                ($($count:literal)*) => {
                    match (count, self.out_step) {
                        $(
                            ($count, 1) => s.run(ProductTile::<'_, $count, true>(tile)),
                            ($count, _) => s.run(ProductTile::<'_, $count, false>(tile)),
                        )*
                        _ => unreachable!("no tile of {count} outputs"),
                    }
                };
            }
            sizes!(1 2 3 4 5 6 7 8 9 10 11 12);
            o += count;
        }
    }
}

/// A tile's place. `weight` points to its first weight in a slice that holds all that the steps
/// lead to, for each number of `x` and of `y`.
struct ProductAt<'a> {
    x: &'a [Lanes],
    weight: *const f32,
    out_step: usize,
    in_step: usize,
    bias: Option<&'a [f32]>,
    fused: Fused,
    y: &'a mut [Lanes],
}

/// `N` outputs; `UNIT` when the weights of neighbouring outputs are neighbours.
struct ProductTile<'a, const N: usize, const UNIT: bool>(ProductAt<'a>);

impl<const N: usize, const UNIT: bool> Kernel for ProductTile<'_, N, UNIT> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let ProductAt { x, weight, out_step, in_step, bias, fused, y } = self.0;
        // One of the two steps is always 1.
        let (out_step, in_step) = if UNIT { (1, in_step) } else { (out_step, 1) };
        for part in 0..S::PARTS {
            let mut sums = [s.splat(0.0); N];
            if let Some(bias) = bias {
                for o in 0..N {
                    sums[o] = s.splat(bias[o]);
                }
            }
            for (i, x) in x.iter().enumerate() {
                let x = s.load(x, part);
                for o in 0..N {
                    // SAFETY: `ProductAt` promises a weight for each pair of input and output.
                    let w = unsafe { *weight.add(i * in_step + o * out_step) };
                    sums[o] = s.fma(s.splat(w), x, sums[o]);
                }
            }
            for o in 0..N {
                s.store(&mut y[o], part, fused.apply(s, sums[o]));
            }
        }
    }
}

/// `db[o] += Σ dy[o]` over lanes and `dy.len() / db.len()` positions.
pub(super) struct BiasGradient<'a> {
    pub(super) dy: &'a [Lanes],
    pub(super) db: &'a mut [f32],
}

impl Kernel for BiasGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        if self.db.is_empty() {
            return;
        }
        assert!(self.dy.len().is_multiple_of(self.db.len()), "the output gradient's length");
        let positions = (self.dy.len() / self.db.len()).max(1);
        for (db, dy) in self.db.iter_mut().zip(self.dy.chunks_exact(positions)) {
            // Four sums, so that additions need not wait for each other.
            let mut sums = [s.splat(0.0); 4];
            let four = dy.chunks_exact(4);
            for part in 0..S::PARTS {
                for (sum, dy) in sums.iter_mut().zip(four.remainder()) {
                    *sum = s.add(*sum, s.load(dy, part));
                }
                for dy in four.clone() {
                    for k in 0..4 {
                        sums[k] = s.add(sums[k], s.load(&dy[k], part));
                    }
                }
            }
            let [a, b, c, d] = s.sums(sums);
            *db += (a + b) + (c + d);
        }
    }
}

/// `dW[o][i] += Σ dy[o] · x[i]` over the lanes.
struct WeightGradient<'a> {
    x: &'a [Lanes],
    dy: &'a [Lanes],
    dw: &'a mut [f32],
}

/// Transposed blocks of `x`: number `i` of `BLOCKS[b][l]` is input `16 b + i` of image `l`.
type Blocks = [[Lanes; LANES]; 4];

impl Kernel for WeightGradient<'_> {
    type Output = ();

    /// Puts 16 inputs side by side in place of 16 images: so the sum over the images is one of
    /// whole vectors.
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let inputs = self.x.len();
        assert_eq!(self.dw.len(), inputs * self.dy.len(), "the weight gradient's length");
        let mut blocks: Blocks = [[Lanes::ZERO; LANES]; 4];
        for first in (0..inputs).step_by(4 * LANES) {
            let x = &self.x[first..(first + 4 * LANES).min(inputs)];
            for (block, x) in blocks.iter_mut().zip(x.chunks(LANES)) {
                match x.try_into() {
                    Ok(x) => s.transpose(x, block),
                    Err(_) => {
                        let mut padded = [Lanes::ZERO; LANES];
                        padded[..x.len()].copy_from_slice(x);
                        s.transpose(&padded, block);
                    }
                }
            }
            let mut o = 0;
            while o < self.dy.len() {
                let left = self.dy.len() - o;
                let count = left.div_ceil(left.div_ceil(6));
                let dy = &self.dy[o..o + count];
                let dw = &mut self.dw[o * inputs..(o + count) * inputs];
                macro_rules! sizes {
                    ($($count:literal)*) => {
                        match count {
                            $($count => outer::<S, $count>(s, &blocks, dy, dw, first, inputs),)*
                            _ => unreachable!("no tile of {count} outputs"),
                        }
                    };
                }
                sizes!(1 2 3 4 5 6);
                o += count;
            }
        }
    }
}

/// Adds to `O` rows of the gradient, from column `first` on, up to the end of the blocks.
#[inline(always)]
fn outer<S: Simd, const O: usize>(
    s: S,
    blocks: &Blocks,
    dy: &[Lanes],
    dw: &mut [f32],
    first: usize,
    inputs: usize,
) {
    let columns = (inputs - first).min(4 * LANES);
    let mut column = 0;
    while column < columns {
        let vectors = (columns - column) / S::WIDTH;
        if S::ACCUMULATORS >= 24 && vectors >= 4 {
            let to = &mut dw[first + column..];
            s.run(Outer::<'_, O, 4> { blocks, column, dy, dw: to, inputs });
            column += 4 * S::WIDTH;
        } else if vectors >= 2 {
            let to = &mut dw[first + column..];
            s.run(Outer::<'_, O, 2> { blocks, column, dy, dw: to, inputs });
            column += 2 * S::WIDTH;
        } else {
            // One vector, maybe past the last input: what belongs to an input is added.
            let mut sums = [0.0; 6 * LANES];
            s.run(Outer::<'_, O, 1> { blocks, column, dy, dw: &mut sums, inputs: LANES });
            let count = S::WIDTH.min(columns - column);
            for o in 0..O {
                let to = &mut dw[o * inputs + first + column..][..count];
                for (to, sum) in to.iter_mut().zip(&sums[o * LANES..]) {
                    *to += sum;
                }
            }
            column += S::WIDTH;
        }
    }
}

/// Adds to `O` rows of `I` vectors each; the rows of `dw` stand `inputs` apart.
struct Outer<'a, const O: usize, const I: usize> {
    blocks: &'a Blocks,
    /// Where the columns start in the blocks.
    column: usize,
    dy: &'a [Lanes],
    dw: &'a mut [f32],
    inputs: usize,
}

impl<const O: usize, const I: usize> Kernel for Outer<'_, O, I> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Outer { blocks, column, dy, dw, inputs } = self;
        assert!(dy.len() == O && dw.len() >= (O - 1) * inputs + I * S::WIDTH, "rows of a tile");
        assert!(column + I * S::WIDTH <= 4 * LANES, "columns of a tile");
        let (blocks, dw) = (blocks.as_ptr().cast::<f32>(), dw.as_mut_ptr());
        let mut sums = [[s.splat(0.0); I]; O];
        // SAFETY: the assertions above; column c of image l is number c % 16 of its row l in
        // block c / 16, and a vector does not cross the end of a block, because `column` is a
        // multiple of its width.
        unsafe {
            for l in 0..LANES {
                let mut xs = [s.splat(0.0); I];
                for i in 0..I {
                    let c = column + i * S::WIDTH;
                    xs[i] = s.read(blocks.add((c / LANES * LANES + l) * LANES + c % LANES));
                }
                for o in 0..O {
                    let dy = s.splat(dy[o].0[l]);
                    for i in 0..I {
                        sums[o][i] = s.fma(dy, xs[i], sums[o][i]);
                    }
                }
            }
            // Only now, so that nothing has to wait for this memory.
            for o in 0..O {
                for i in 0..I {
                    let dw = dw.add(o * inputs + i * S::WIDTH);
                    s.write(dw, s.add(s.read(dw), sums[o][i]));
                }
            }
        }
    }
}

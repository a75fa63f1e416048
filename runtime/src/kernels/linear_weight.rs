//! The weight gradient of a linear layer: a matrix product over the images.
#![allow(unsafe_code)]

use std::ops::Range;

use super::simd::{Kernel, Simd};
use super::{LANES, Lanes};

/// The inputs and the output gradients of a layer for some groups of images. Those of the first
/// group stand at the start of the slices, each next group's `step` further on.
#[derive(Clone, Copy, Debug)]
pub struct Groups<'a> {
    /// The inputs.
    pub x: &'a [Lanes],
    /// The gradients of the outputs.
    pub dy: &'a [Lanes],
    /// From a group to the next.
    pub step: usize,
    /// How many groups.
    pub count: usize,
    /// Inputs of the layer.
    pub inputs: usize,
    /// Outputs of the layer.
    pub outputs: usize,
}

impl<'a> Groups<'a> {
    fn x(&self, group: usize) -> &'a [Lanes] {
        &self.x[group * self.step..][..self.inputs]
    }

    pub(super) fn dy(&self, group: usize) -> &'a [Lanes] {
        &self.dy[group * self.step..][..self.outputs]
    }
}

/// `dW[o][i] += Σ dy[o] · x[i]` over lanes and groups, for the outputs `rows`.
pub(super) struct WeightGradient<'a> {
    pub(super) groups: &'a Groups<'a>,
    pub(super) rows: Range<usize>,
    pub(super) dw: &'a mut [f32],
}

/// So many groups go into one sum before it is added to memory.
const AT_ONCE: usize = 8;

/// Transposed blocks of `x`: number `i` of `BLOCKS[b][l]` is input `16 b + i` of image `l`.
type Blocks = [[Lanes; LANES]; 4];

impl Kernel for WeightGradient<'_> {
    type Output = ();

    /// Puts 16 inputs side by side in place of 16 images: so the sum over the images is one of
    /// whole vectors.
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let WeightGradient { groups, rows, dw } = self;
        let inputs = groups.inputs;
        assert_eq!(dw.len(), inputs * rows.len(), "the weight gradient's length");
        let mut blocks: [Blocks; AT_ONCE] = [[[Lanes::ZERO; LANES]; 4]; AT_ONCE];
        for first_group in (0..groups.count).step_by(AT_ONCE) {
            let count = AT_ONCE.min(groups.count - first_group);
            for first in (0..inputs).step_by(4 * LANES) {
                for (group, blocks) in blocks[..count].iter_mut().enumerate() {
                    let x = groups.x(first_group + group);
                    turn(s, &x[first..(first + 4 * LANES).min(inputs)], blocks);
                }
                let mut o = 0;
                while o < rows.len() {
                    let left = rows.len() - o;
                    let tile = left.div_ceil(left.div_ceil(6));
                    let mut dy: [&[Lanes]; AT_ONCE] = [&[]; AT_ONCE];
                    for (group, dy) in dy[..count].iter_mut().enumerate() {
                        *dy = &groups.dy(first_group + group)[rows.start + o..][..tile];
                    }
                    let of = Of { blocks: &blocks[..count], dy: &dy[..count] };
                    let dw = &mut dw[o * inputs..(o + tile) * inputs];
                    macro_rules! sizes {
                        ($($count:literal)*) => {
                            match tile {
                                $($count => outer::<S, $count>(s, of, dw, first, inputs),)*
                                _ => unreachable!("no tile of {tile} outputs"),
                            }
                        };
                    }
                    sizes!(1 2 3 4 5 6);
                    o += tile;
                }
            }
        }
    }
}

/// Up to 64 inputs of 16 images, the other way round; inputs missing become zeros.
#[inline(always)]
fn turn<S: Simd>(s: S, x: &[Lanes], blocks: &mut Blocks) {
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
}

/// Blocks of inputs and some output gradients, of the same groups.
#[derive(Clone, Copy)]
struct Of<'a> {
    blocks: &'a [Blocks],
    dy: &'a [&'a [Lanes]],
}

/// Adds to `O` rows of the gradient, from column `first` on, up to the end of the blocks.
#[inline(always)]
fn outer<S: Simd, const O: usize>(s: S, of: Of<'_>, dw: &mut [f32], first: usize, inputs: usize) {
    let columns = (inputs - first).min(4 * LANES);
    let mut column = 0;
    while column < columns {
        let vectors = (columns - column) / S::WIDTH;
        if S::ACCUMULATORS >= 24 && vectors >= 4 {
            let to = &mut dw[first + column..];
            s.run(Outer::<'_, O, 4> { of, column, dw: to, inputs });
            column += 4 * S::WIDTH;
        } else if vectors >= 2 {
            let to = &mut dw[first + column..];
            s.run(Outer::<'_, O, 2> { of, column, dw: to, inputs });
            column += 2 * S::WIDTH;
        } else {
            // One vector, maybe past the last input: what belongs to an input is added.
            let mut sums = [0.0; 6 * LANES];
            s.run(Outer::<'_, O, 1> { of, column, dw: &mut sums, inputs: LANES });
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
    of: Of<'a>,
    /// Where the columns start in the blocks.
    column: usize,
    dw: &'a mut [f32],
    inputs: usize,
}

impl<const O: usize, const I: usize> Kernel for Outer<'_, O, I> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Outer { of, column, dw, inputs } = self;
        assert!(dw.len() >= (O - 1) * inputs + I * S::WIDTH, "rows of a tile");
        assert!(column + I * S::WIDTH <= 4 * LANES, "columns of a tile");
        let dw = dw.as_mut_ptr();
        let mut sums = [[s.splat(0.0); I]; O];
        // SAFETY: the assertions above; column c of image l is number c % 16 of its row l in
        // block c / 16, and a vector does not cross the end of a block, because `column` is a
        // multiple of its width.
        unsafe {
            for (blocks, dy) in of.blocks.iter().zip(of.dy) {
                assert_eq!(dy.len(), O, "output gradients of a tile");
                let blocks = blocks.as_ptr().cast::<f32>();
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

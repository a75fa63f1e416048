//! The weight gradient of a linear layer: a matrix product over the images.
#![allow(unsafe_code)]

use std::ops::Range;

use super::simd::{Kernel, Simd};
use super::team::{Parts, Shared};
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

/// A weight gradient `[outputs][inputs]` in tiles, which several threads may write.
#[derive(Debug)]
pub(super) struct TilesMut<'a> {
    dw: Shared<'a, f32>,
    inputs: usize,
    outputs: usize,
}

/// Rows and columns of a weight gradient, to write. Nobody else has them.
#[derive(Debug)]
pub(super) struct TileMut<'a> {
    dw: Shared<'a, f32>,
    /// From a row to the next.
    inputs: usize,
    rows: Range<usize>,
    columns: Range<usize>,
}

/// The most rows of a tile: enough that transposing the inputs takes little of its time.
const ROWS: usize = 128;

/// The columns of each tile but the last.
const COLUMNS: usize = 4 * LANES;

impl<'a> TilesMut<'a> {
    pub(super) fn new(dw: &'a mut [f32], groups: &Groups<'_>) -> TilesMut<'a> {
        let Groups { inputs, outputs, .. } = *groups;
        assert_eq!(dw.len(), inputs * outputs, "the weight gradient's length");
        TilesMut { dw: Shared::new(dw), inputs, outputs }
    }
}

impl<'a> Parts for TilesMut<'a> {
    type Part = TileMut<'a>;

    fn count(&self) -> usize {
        self.outputs.div_ceil(ROWS) * self.inputs.div_ceil(COLUMNS)
    }
    unsafe fn part(&self, index: usize) -> TileMut<'a> {
        let bands = self.outputs.div_ceil(ROWS);
        let rows = self.outputs.div_ceil(bands);
        let (row, column) = (index % bands * rows, index / bands * COLUMNS);
        TileMut {
            dw: self.dw,
            inputs: self.inputs,
            rows: row..self.outputs.min(row + rows),
            columns: column..self.inputs.min(column + COLUMNS),
        }
    }
}

/// `dW[o][i] = Σ dy[o] · x[i]` over lanes and groups, or that added to it, in one tile.
pub(super) struct WeightGradient<'a> {
    pub(super) groups: &'a Groups<'a>,
    pub(super) accumulate: bool,
    pub(super) tile: TileMut<'a>,
}

/// How many groups go into one sum before it is added to memory.
const AT_ONCE: usize = 8;

/// Transposed blocks of `x`: number `i` of `BLOCKS[b][l]` is input `16 b + i` of image `l`.
type Blocks = [[Lanes; LANES]; COLUMNS / LANES];

impl Kernel for WeightGradient<'_> {
    type Output = ();

    /// Puts 16 inputs side by side in place of 16 images: so the sum over the images is one of
    /// whole vectors.
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let WeightGradient { groups, accumulate, tile } = self;
        let columns = tile.columns.clone();
        let mut blocks: [Blocks; AT_ONCE] = [[[Lanes::ZERO; LANES]; COLUMNS / LANES]; AT_ONCE];
        for first_group in (0..groups.count.max(1)).step_by(AT_ONCE) {
            let count = AT_ONCE.min(groups.count - first_group);
            for (group, blocks) in blocks[..count].iter_mut().enumerate() {
                turn(s, &groups.x(first_group + group)[columns.clone()], blocks);
            }
            let mut o = 0;
            while o < tile.rows.len() {
                let left = tile.rows.len() - o;
                let rows = left.div_ceil(left.div_ceil(6));
                let mut dy: [&[Lanes]; AT_ONCE] = [&[]; AT_ONCE];
                for (group, dy) in dy[..count].iter_mut().enumerate() {
                    *dy = &groups.dy(first_group + group)[tile.rows.start + o..][..rows];
                }
                let of = Of {
                    blocks: &blocks[..count],
                    dy: &dy[..count],
                    adds: accumulate || first_group > 0,
                };
                macro_rules! sizes {
                    ($($count:literal)*) => {
                        match rows {
                            $($count => outer::<S, $count>(s, of, &tile, o),)*
                            _ => unreachable!("no tile of {rows} outputs"),
                        }
                    };
                }
                sizes!(1 2 3 4 5 6);
                o += rows;
            }
        }
    }
}

/// Up to 64 inputs of 16 images, transposed; missing inputs become zeros.
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
    /// Whether the sums are added to what is there.
    adds: bool,
}

/// `O` rows of a tile, from its row `o` on.
#[inline(always)]
fn outer<S: Simd, const O: usize>(s: S, of: Of<'_>, tile: &TileMut<'_>, o: usize) {
    let (inputs, columns) = (tile.inputs, tile.columns.len());
    assert!(o + O <= tile.rows.len(), "rows of the tile");
    let start = tile.dw.from((tile.rows.start + o) * inputs + tile.columns.start).as_mut_ptr();
    let mut column = 0;
    while column < columns {
        let vectors = (columns - column) / S::WIDTH;
        // SAFETY: this column is one of the tile's, which lies in the gradient.
        let dw = unsafe { start.add(column) };
        if S::WIDE && vectors >= 4 {
            s.run(Outer::<'_, O, 4> { of, column, dw, step: inputs });
            column += 4 * S::WIDTH;
        } else if vectors >= 2 {
            s.run(Outer::<'_, O, 2> { of, column, dw, step: inputs });
            column += 2 * S::WIDTH;
        } else {
            // One vector, maybe past the last input: what belongs to an input is taken.
            let mut sums = [0.0; 6 * LANES];
            let (dw, step) = (sums.as_mut_ptr(), LANES);
            s.run(Outer::<'_, O, 1> { of: Of { adds: false, ..of }, column, dw, step });
            let count = S::WIDTH.min(columns - column);
            for o in 0..O {
                // SAFETY: so do all numbers of the rows up to the last column, and they are this thread's.
                let dw = unsafe {
                    std::slice::from_raw_parts_mut(start.add(o * inputs + column), count)
                };
                for (dw, sum) in dw.iter_mut().zip(&sums[o * LANES..]) {
                    *dw = if of.adds { *dw + sum } else { *sum };
                }
            }
            column += S::WIDTH;
        }
    }
}

/// `O` rows of `I` vectors each.
struct Outer<'a, const O: usize, const I: usize> {
    of: Of<'a>,
    /// Where the columns start in the blocks.
    column: usize,
    /// Where they start in the first row; the rows stand `step` apart. Nobody else has them.
    dw: *mut f32,
    step: usize,
}

impl<const O: usize, const I: usize> Kernel for Outer<'_, O, I> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Outer { of, column, dw, step } = self;
        assert!(column + I * S::WIDTH <= COLUMNS, "columns of a tile");
        let mut sums = [[s.splat(0.0); I]; O];
        // SAFETY: `outer` vouches for the rows; column c of image l is number c % 16 of its row l in
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
            if of.adds {
                for o in 0..O {
                    for i in 0..I {
                        sums[o][i] = s.add(s.read(dw.add(o * step + i * S::WIDTH)), sums[o][i]);
                    }
                }
            }
            for o in 0..O {
                for i in 0..I {
                    s.write(dw.add(o * step + i * S::WIDTH), sums[o][i]);
                }
            }
        }
    }
}

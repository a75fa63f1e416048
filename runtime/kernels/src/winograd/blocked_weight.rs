//! The gradient of a weight by Winograd's algorithm, over a batch of images with 16 channels side by side.
//!
//! Tiles of the input and of the output's gradient are transformed, a *chunk* of them at a time; at each
//! point their numbers are two matrices, the product of which, over the tiles, is the gradient of the
//! transformed weight. A point's product is one thread's, which so reads both matrices once. Chunks are cut by
//! sizes alone, and each sum adds up in their order.
#![allow(unsafe_code)]

use std::ops::Range;

use typenet_shape::{Conv2d, Conv2dKernel, Conv2dPass, Tiling};

use super::super::blocked::blocks;
use super::super::gemm::{Product, even, most_rows, multiply};
use super::super::simd::{Kernel, Simd};
use super::super::team::{Numbered, Shared, Team};
use super::super::{Isa, LANES, Lanes};
use super::tiles::{BlockedOutputGradient, Input, MOST_TOGETHER, Tiles};
use super::weights::gradient_of_taps;

/// Bytes of the transformed tiles of a chunk.
const CHUNK: usize = 4 << 20;

/// Input channels whose gradients are written together.
const TOGETHER: usize = 16;

/// How many [`Lanes`] [`backward_weight`] needs for itself.
///
/// # Panics
/// When `kernel` is not one of Winograd's or cannot run `g`.
pub fn weight_room_len(kernel: Conv2dKernel, g: &Conv2d, images: usize) -> usize {
    let of = Sizes::new(&super::tiling(kernel, g, Conv2dPass::BackwardWeight), images);
    of.points * (of.chunk * (of.ins + of.outs) + of.channels * of.outs)
}

/// `dw[o, c, u, v] = Σ dy[o, i, j] · x[c, i + u − p, j + v − p]` over all images, shared out among the team;
/// overwrites `dw`, or adds to it if it is to `accumulate`. `room` is of [`weight_room_len`], with any
/// contents.
///
/// # Panics
/// As [`weight_room_len`], or when a slice has a wrong length, or this machine lacks `isa`.
pub fn backward_weight(
    isa: Isa,
    team: &Team,
    kernel: Conv2dKernel,
    g: &Conv2d,
    images: usize,
    x: &[Lanes],
    dy: &[Lanes],
    room: &mut [Lanes],
    accumulate: bool,
    dw: &mut [f32],
) {
    let tiling = super::tiling(kernel, g, Conv2dPass::BackwardWeight);
    let sizes = Sizes::new(&tiling, images);
    let size = [g.input.dim(1), g.input.dim(2)];
    let [height, width] = tiling.outputs;
    assert_eq!(x.len(), images * sizes.ins * size[0] * size[1], "the input's length");
    assert_eq!(dy.len(), images * sizes.outs * height * width, "the output gradient's length");
    assert_eq!(dw.len(), g.weight().elements(), "the weight gradient's length");
    let (values, sums) = room.split_at_mut(sizes.points * sizes.chunk * (sizes.ins + sizes.outs));
    let sums = &mut sums[..sizes.points * sizes.channels * sizes.outs];
    let (v, d) = values.split_at_mut(sizes.points * sizes.chunk * sizes.ins);
    let start = g.padding.map(|padding| -(padding as isize));
    let of = Of { tiling, sizes, size, start, x, dy };
    let (v, d, all) = (Shared::new(v), Shared::new(d), Shared::new(sums));
    let mut first = 0;
    while first < sizes.tiles {
        let count = even(sizes.tiles - first, sizes.chunk);
        let tasks = count.div_ceil(MOST_TOGETHER);
        team.for_each(Numbered(tasks), |task, ()| {
            let tiles = task * count / tasks..(task + 1) * count / tasks;
            run!(isa, tiling, Transform { of: &of, first, tiles, v, d });
        });
        // Each point is a task, or some blocks of its outputs where there are many threads.
        let sets = (3 * team.threads()).div_ceil(sizes.points).min(sizes.outs.div_ceil(2));
        team.for_each(Numbered(sizes.points * sets), |task, ()| {
            let (point, set) = (task / sets, task % sets);
            let pairs = sizes.outs.div_ceil(2);
            let outs = 2 * (set * pairs / sets)..sizes.outs.min(2 * ((set + 1) * pairs / sets));
            let adds = first > 0;
            isa.run(Multiply { sizes: &sizes, count, point, outs, adds, v, d, sums: all });
        });
        first += count;
    }
    let sums: &[Lanes] = sums;
    let dw = Shared::new(dw);
    let pieces = sizes.channels.div_ceil(TOGETHER);
    team.for_each(Numbered(sizes.outs * pieces), |task, ()| {
        let (block, first) = (task % sizes.outs, task / sizes.outs * TOGETHER);
        run!(isa, tiling, Finish { of: &of, block, first, sums, accumulate, dw });
    });
}

/// How much there is of all.
#[derive(Clone, Copy)]
struct Sizes {
    points: usize,
    /// Tiles of all images, and of a chunk.
    tiles: usize,
    chunk: usize,
    /// Input channels.
    channels: usize,
    /// Blocks of input channels, and of output channels.
    ins: usize,
    outs: usize,
}

impl Sizes {
    fn new(tiling: &Tiling, images: usize) -> Sizes {
        let (ins, outs) = (blocks(tiling.in_channels), blocks(tiling.out_channels));
        let points = tiling.points();
        let tiles = images * tiling.tiles[0] * tiling.tiles[1];
        let most = CHUNK / (points * (ins + outs) * size_of::<Lanes>());
        let chunk = even(tiles, most.max(MOST_TOGETHER));
        Sizes { points, tiles, chunk, channels: tiling.in_channels, ins, outs }
    }
}

struct Of<'a> {
    tiling: Tiling,
    sizes: Sizes,
    /// Height and width of `x`.
    size: [usize; 2],
    /// Row and column that the first output's first tap reads.
    start: [isize; 2],
    x: &'a [Lanes],
    dy: &'a [Lanes],
}

/// Transforms some tiles of the chunk that begins with tile `first`. Nobody else writes them.
struct Transform<'a, const N: usize, const R: usize> {
    of: &'a Of<'a>,
    first: usize,
    tiles: Range<usize>,
    v: Shared<'a, Lanes>,
    d: Shared<'a, Lanes>,
}

impl<const N: usize, const R: usize> Kernel for Transform<'_, N, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Transform { of, first, tiles, v, d } = self;
        let Of { tiling, sizes, size, start, x, dy } = of;
        let Sizes { chunk, ins, outs, .. } = *sizes;
        let a_image = tiling.tiles[0] * tiling.tiles[1];
        let (x_len, dy_len) =
            (ins * size[0] * size[1], outs * tiling.outputs[0] * tiling.outputs[1]);
        let mut at = tiles.start;
        while at < tiles.end {
            let (image, tile) = ((first + at) / a_image, (first + at) % a_image);
            let count = (tiles.end - at).min(a_image - tile).min(MOST_TOGETHER);
            let tiles = Tiles::new(tiling, tile, count);
            s.run(Input::<N> {
                x: &x[image * x_len..][..x_len],
                channels: ins,
                size: *size,
                start: *start,
                tiles,
                v: v.from(at * ins),
                step: chunk * ins,
                channel_step: 1,
                tile_step: ins,
            });
            s.run(BlockedOutputGradient::<N, R> {
                dy: &dy[image * dy_len..][..dy_len],
                channels: outs,
                size: tiling.outputs,
                tiles,
                d: d.from(at * outs),
                step: chunk * outs,
                tile_step: outs,
            });
            at += count;
        }
    }
}

/// The products of a point with some blocks of output channels, over the tiles of a chunk. Nobody else
/// writes their sums, and nobody writes what is read.
struct Multiply<'a> {
    sizes: &'a Sizes,
    count: usize,
    point: usize,
    outs: Range<usize>,
    adds: bool,
    v: Shared<'a, Lanes>,
    d: Shared<'a, Lanes>,
    sums: Shared<'a, Lanes>,
}

impl Kernel for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Multiply { sizes, count, point, outs, adds, v, d, sums } = self;
        let Sizes { chunk, channels, ins, outs: all, .. } = *sizes;
        let v = v.part(point * chunk * ins..(point + 1) * chunk * ins);
        let d = d.part(point * chunk * all..(point + 1) * chunk * all);
        let sums = sums.part(point * channels * all..(point + 1) * channels * all);
        assert!(count <= chunk && outs.end <= all && channels <= ins * LANES, "a point's sizes");
        let mut block = outs.start;
        while block < outs.end {
            let pair = (outs.end - block).min(2);
            let mut row = 0;
            while row < channels {
                let rows = even(channels - row, most_rows::<S>());
                // SAFETY: the assertion and the parts' lengths: there are `count` tiles of `ins` blocks,
                // of which `rows` numbers from `row` on are channels, as many of `all` blocks, and
                // sums for `channels` rows of `all` blocks, which nobody else writes.
                unsafe {
                    let product = Product::of_channels(
                        (v.as_mut_ptr().cast::<f32>().add(row), ins * LANES),
                        (d.as_mut_ptr().add(block).cast(), all * LANES),
                        count,
                        (sums.as_mut_ptr().add(row * all + block).cast(), all * LANES),
                        adds,
                    );
                    multiply(s, rows, pair, &product);
                }
                row += rows;
            }
            block += pair;
        }
    }
}

/// Transforms the sums of a block of output channels and some input channels back. Nobody else writes their
/// gradients.
struct Finish<'a, const N: usize, const R: usize> {
    of: &'a Of<'a>,
    block: usize,
    first: usize,
    sums: &'a [Lanes],
    accumulate: bool,
    dw: Shared<'a, f32>,
}

impl<const N: usize, const R: usize> Kernel for Finish<'_, N, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Finish { of, block, first, sums, accumulate, dw } = self;
        let Sizes { channels, outs, .. } = of.sizes;
        let count = TOGETHER.min(channels - first);
        let mut points = [[Lanes::ZERO; N]; N];
        let mut taps = [[Lanes::ZERO; R]; R];
        let mut turned = [Lanes::ZERO; LANES];
        // Room for one more vector, because the last one is written whole.
        let mut gathered = [[0.0; TOGETHER * 25 + LANES]; LANES];
        for k in 0..count {
            for (p, to) in points.as_flattened_mut().iter_mut().enumerate() {
                *to = sums[(p * channels + first + k) * outs + block];
            }
            gradient_of_taps(s, &points, &mut taps);
            for (piece, taps) in taps.as_flattened().chunks(LANES).enumerate() {
                let at = k * R * R + piece * LANES;
                let mut rows = [Lanes::ZERO; LANES];
                rows[..taps.len()].copy_from_slice(taps);
                s.transpose(&rows, &mut turned);
                for (gathered, turned) in gathered.iter_mut().zip(&turned) {
                    gathered[at..at + LANES].copy_from_slice(&turned.0);
                }
            }
        }
        let own = LANES.min(of.tiling.out_channels - block * LANES);
        for (o, gathered) in gathered[..own].iter().enumerate() {
            let at = ((block * LANES + o) * channels + first) * R * R;
            // SAFETY: nobody else writes these gradients.
            let dw = unsafe { dw.part(at..at + count * R * R).into_slice() };
            if accumulate {
                for (dw, d) in dw.iter_mut().zip(gathered) {
                    *dw += d;
                }
            } else {
                dw.copy_from_slice(&gathered[..count * R * R]);
            }
        }
    }
}

//! The gradient of a weight by Winograd's algorithm, over a batch of images with 16 channels side by side.
//!
//! Tiles of the input and of the output's gradient are transformed, a *chunk* of them at a time; at each
//! point their numbers are two matrices, the product of which, over the tiles, is the gradient of the
//! transformed weight. With several chunks, a thread computes the whole product of a point, and so reads both
//! matrices once. With a single chunk, it computes the products of a pair of blocks, and transforms their
//! sums back while they are in cache. Chunks are cut by sizes alone, and each sum adds up in their order.
#![allow(unsafe_code)]

use std::ops::Range;

use typenet_shape::{Conv2d, Conv2dKernel, Conv2dPass, Tiling};

use super::super::blocked::blocks;
use super::super::gemm::{Product, even, most_rows, multiply};
use super::super::simd::{Kernel, Simd};
use super::super::team::{Numbered, Shared, Team};
use super::super::{Isa, LANES, Lanes};
use super::tiles::{BlockedOutputGradient, Input, MOST_TOGETHER, Tiles};
use super::weights::{GATHERED, TOGETHER, gather_taps, gradient_of_taps};

/// Bytes of the transformed tiles of a chunk; of a single one where all fit.
const CHUNK: usize = 4 << 20;
const SINGLE: usize = 10 << 20;

/// Blocks of output channels that are multiplied together.
const PAIR: usize = 2;

/// How many [`Lanes`] of scratch memory [`backward_weight`] needs.
///
/// # Panics
/// When `kernel` is not one of Winograd's or cannot run `g`.
pub fn weight_room_len(kernel: Conv2dKernel, g: &Conv2d, images: usize) -> usize {
    let of = Sizes::new(&super::tiling(kernel, g, Conv2dPass::BackwardWeight), images);
    of.points * (of.v_step() + of.d_step()) + of.pairs() * of.pair_len()
}

/// `dw[o, c, u, v] = Σ dy[o, i, j] · x[c, i + u − p, j + v − p]` over all images, shared out among the team;
/// overwrites `dw`, or adds to it if `accumulate`. `room` has the length [`weight_room_len`] and any
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
    let room = &mut room[..weight_room_len(kernel, g, images)];
    let (v, rest) = room.split_at_mut(sizes.points * sizes.v_step());
    let (d, sums) = rest.split_at_mut(sizes.points * sizes.d_step());
    let start = g.padding.map(|padding| -(padding as isize));
    let of = Of { tiling, sizes, size, start, x, dy };
    let (v, d, sums, dw) = (Shared::new(v), Shared::new(d), Shared::new(sums), Shared::new(dw));
    let (points, pairs, threads) = (sizes.points, sizes.pairs(), team.threads());
    let is_single = sizes.chunk == sizes.tiles && pairs >= threads;
    let mut first = 0;
    while first < sizes.tiles {
        let count = even(sizes.tiles - first, sizes.chunk);
        let tasks = count.div_ceil(MOST_TOGETHER);
        team.for_each(Numbered(tasks), |task, ()| {
            let tiles = task * count / tasks..(task + 1) * count / tasks;
            run!(isa, tiling, Transform { of: &of, first, tiles, v, d });
        });
        let multiply = |points: Range<usize>, pairs: Range<usize>| {
            let adds = first > 0;
            isa.run(Multiply { sizes: &sizes, count, points, pairs, adds, v, d, sums });
        };
        if is_single {
            team.for_each(Numbered(pairs), |pair, ()| {
                multiply(0..points, pair..pair + 1);
                run!(
                    isa,
                    tiling,
                    Finish { of: &of, pair, channels: 0..sizes.channels, sums, accumulate, dw }
                );
            });
            return;
        }
        // Each point is a task, or some pairs of its blocks where there are many threads.
        let sets = (3 * threads).div_ceil(points).min(pairs);
        team.for_each(Numbered(points * sets), |task, ()| {
            let (point, set) = (task / sets, task % sets);
            multiply(point..point + 1, set * pairs / sets..(set + 1) * pairs / sets);
        });
        first += count;
    }
    let pieces = sizes.channels.div_ceil(TOGETHER);
    team.for_each(Numbered(pairs * pieces), |task, ()| {
        let (pair, first) = (task / pieces, task % pieces * TOGETHER);
        let channels = first..sizes.channels.min(first + TOGETHER);
        run!(isa, tiling, Finish { of: &of, pair, channels, sums, accumulate, dw });
    });
}

/// The sizes of everything.
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
        let a_tile = points * (ins + outs) * size_of::<Lanes>();
        let most = if tiles * a_tile > SINGLE { CHUNK / a_tile } else { tiles };
        let chunk = even(tiles, most.max(MOST_TOGETHER));
        Sizes { points, tiles, chunk, channels: tiling.in_channels, ins, outs }
    }

    /// From a point to the next among the tiles of the input. The odd one keeps the points of a tile from
    /// falling onto the same lines of a cache; likewise below.
    fn v_step(&self) -> usize {
        self.chunk * self.ins + 1
    }

    fn d_step(&self) -> usize {
        self.chunk * self.pairs() * PAIR + 1
    }

    /// From a point to the next among the sums of a pair.
    fn sums_step(&self) -> usize {
        PAIR * self.channels + 1
    }

    fn pairs(&self) -> usize {
        self.outs.div_ceil(PAIR)
    }

    fn pair_len(&self) -> usize {
        self.points * self.sums_step()
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
        let Sizes { ins, outs, .. } = *sizes;
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
                v: v.from(at),
                step: sizes.v_step(),
                channel_step: sizes.chunk,
                tile_step: 1,
            });
            s.run(BlockedOutputGradient::<N, R> {
                dy: &dy[image * dy_len..][..dy_len],
                channels: outs,
                size: tiling.outputs,
                tiles,
                d: d.from(at * PAIR),
                step: sizes.d_step(),
                pair_step: sizes.chunk * PAIR,
            });
            at += count;
        }
    }
}

/// The products of some points with some pairs of blocks of output channels, over the tiles of a chunk.
/// Nobody else writes their sums, and nobody writes what is read.
struct Multiply<'a> {
    sizes: &'a Sizes,
    count: usize,
    points: Range<usize>,
    pairs: Range<usize>,
    adds: bool,
    v: Shared<'a, Lanes>,
    d: Shared<'a, Lanes>,
    sums: Shared<'a, Lanes>,
}

impl Kernel for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Multiply { sizes, count, points, pairs, adds, v, d, sums } = self;
        let Sizes { chunk, channels, ins, outs, .. } = *sizes;
        assert!(count <= chunk && channels <= ins * LANES, "the sizes of a chunk");
        for point in points {
            let v = v.from(point * sizes.v_step()).part(0..chunk * ins);
            for pair in pairs.clone() {
                let own = (outs - pair * PAIR).min(PAIR);
                let d = d.from(point * sizes.d_step() + pair * chunk * PAIR).part(0..chunk * PAIR);
                let sums = sums.from(pair * sizes.pair_len() + point * sizes.sums_step());
                let sums = sums.part(0..PAIR * channels);
                let mut row = 0;
                while row < channels {
                    let (block, lane) = (row / LANES, row % LANES);
                    let left = (channels - row).min(LANES - lane);
                    let rows = even(left, most_rows::<S>());
                    // SAFETY: the assertion and the parts' lengths: there are `count` tiles of each block,
                    // of which `rows` numbers from `lane` on are channels, as many of a pair, and sums
                    // for `channels` rows of a pair, which nobody else writes.
                    unsafe {
                        let v = v.as_mut_ptr().add(block * chunk).cast::<f32>().add(lane);
                        let product = Product::of_channels(
                            (v, LANES),
                            (d.as_mut_ptr().cast(), PAIR * LANES),
                            count,
                            (sums.as_mut_ptr().add(row * PAIR).cast(), PAIR * LANES),
                            adds,
                        );
                        multiply(s, rows, own, &product);
                    }
                    row += rows;
                }
            }
        }
    }
}

/// Transforms the sums of a pair of blocks of output channels and some input channels back. Nobody else
/// writes their gradients, and nobody writes the sums.
struct Finish<'a, const N: usize, const R: usize> {
    of: &'a Of<'a>,
    pair: usize,
    channels: Range<usize>,
    sums: Shared<'a, Lanes>,
    accumulate: bool,
    dw: Shared<'a, f32>,
}

impl<const N: usize, const R: usize> Kernel for Finish<'_, N, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Finish { of, pair, channels, sums, accumulate, dw } = self;
        let sizes = &of.sizes;
        let sums = sums.from(pair * sizes.pair_len()).part(0..sizes.pair_len());
        // SAFETY: nobody writes them.
        let sums: &[Lanes] = unsafe { sums.into_slice() };
        let mut points = [[Lanes::ZERO; N]; N];
        let mut taps = [[Lanes::ZERO; R]; R];
        let mut gathered = [[0.0; GATHERED]; LANES];
        for block in 0..(sizes.outs - pair * PAIR).min(PAIR) {
            let first_out = (pair * PAIR + block) * LANES;
            for first in channels.clone().step_by(TOGETHER) {
                let count = TOGETHER.min(channels.end - first);
                for k in 0..count {
                    for (p, to) in points.as_flattened_mut().iter_mut().enumerate() {
                        *to = sums[p * sizes.sums_step() + (first + k) * PAIR + block];
                    }
                    gradient_of_taps(s, &points, &mut taps);
                    gather_taps(s, k, &taps, &mut gathered);
                }
                let outs = LANES.min(of.tiling.out_channels - first_out);
                for (o, gathered) in gathered[..outs].iter().enumerate() {
                    let at = ((first_out + o) * sizes.channels + first) * R * R;
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
    }
}

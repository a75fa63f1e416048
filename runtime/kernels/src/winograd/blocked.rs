//! Winograd's algorithm for one image, in the layout of [`blocked`](super::super::blocked): 16 channels
//! side by side. The transforms are those for 16 images; the products multiply broadcast numbers of the tiles
//! with vectors of the weights.
#![allow(unsafe_code)]

use std::ops::Range;

use typenet_shape::{Activation, Conv2d, Conv2dKernel, Conv2dPass, Tiling};

use super::super::blocked::{blocks, pack_bias};
use super::super::epilogue::{Bias, Plus};
use super::super::fused::Fused;
use super::super::gemm::{Ahead, Numbers, Product, Vectors, even, most_rows, multiply};
use super::super::simd::{Kernel, Simd};
use super::super::team::{Numbered, Shared, Team, chunks_mut, equal_mut, even_part, largest_share};
use super::super::{Isa, LANES, Lanes, activation};
pub use super::blocked_weight::{backward_weight, weight_room_len};
use super::tiles::{Input, MOST_TOGETHER, Output, Tiles};
use super::weights::{transform_taps, turn_taps};

/// Blocks of output channels that are multiplied together: two vectors beside each other.
const BLOCKS: usize = 2;

/// From this many bytes of weights on, as many tiles share them as there is room for.
const LARGE: usize = 768 << 10;

/// Bytes of transformed tiles that stay in the second-level cache beside the weights' stream.
const ROOM: usize = 768 << 10;

/// Input channels whose transformed weights are written together.
const GATHERED: usize = 8;

/// Bytes of transformed tiles that share large weights: reading these anew takes longer than reading tiles
/// from the third-level cache.
const LARGE_ROOM: usize = 2400 << 10;

/// The most tiles that share large weights.
const MOST_TILES: usize = 48;

/// How many [`Lanes`] the packed weight and bias are.
///
/// # Panics
/// When `kernel` is not one of Winograd's or cannot run `g`.
pub fn packed_len(kernel: Conv2dKernel, g: &Conv2d) -> usize {
    let tiling = super::tiling(kernel, g, Conv2dPass::Forward);
    blocks(tiling.out_channels) * (1 + tiling.points() * tiling.in_channels)
}

/// How many [`Lanes`] of scratch memory [`forward`] needs on a team of `threads` threads.
///
/// # Panics
/// As [`packed_len`].
pub fn scratch_len(kernel: Conv2dKernel, g: &Conv2d, threads: usize) -> usize {
    let tiling = super::tiling(kernel, g, Conv2dPass::Forward);
    let [values, products] = room(&tiling);
    threads * (values + products)
}

/// Transforms `weight`, in PyTorch's order, and packs it behind `bias` (zeros if there is none). The
/// order is the same for each instruction set.
///
/// # Panics
/// As [`packed_len`], or when a slice has a wrong length, or this machine lacks `isa`.
pub fn pack(
    isa: Isa,
    kernel: Conv2dKernel,
    g: &Conv2d,
    weight: &[f32],
    bias: Option<&[f32]>,
    packed: &mut [Lanes],
) {
    pack_shared(isa, &Team::alone(), kernel, g, weight, bias, packed);
}

/// [`pack`], shared out among the team.
///
/// # Panics
/// As [`pack`].
pub fn pack_shared(
    isa: Isa,
    team: &Team,
    kernel: Conv2dKernel,
    g: &Conv2d,
    weight: &[f32],
    bias: Option<&[f32]>,
    packed: &mut [Lanes],
) {
    assert_eq!(packed.len(), packed_len(kernel, g), "the packed length");
    let tiling = super::tiling(kernel, g, Conv2dPass::Forward);
    let (biases, packed) = packed.split_at_mut(blocks(g.out_channels));
    pack_bias(bias, g.out_channels, biases);
    pack_weights(isa, team, &tiling, (weight, false), packed);
}

/// [`pack`] for [`backward_data`], shared out among the team; the result has the length [`data_packed_len`].
///
/// # Panics
/// As [`packed_len`], or when a slice has a wrong length, or this machine lacks `isa`.
pub fn pack_data(
    isa: Isa,
    team: &Team,
    kernel: Conv2dKernel,
    g: &Conv2d,
    weight: &[f32],
    packed: &mut [Lanes],
) {
    assert_eq!(packed.len(), data_packed_len(kernel, g), "the packed length");
    let tiling = super::tiling(kernel, g, Conv2dPass::BackwardData);
    let (biases, packed) = packed.split_at_mut(blocks(tiling.out_channels));
    biases.fill(Lanes::ZERO);
    pack_weights(isa, team, &tiling, (weight, true), packed);
}

fn pack_weights(
    isa: Isa,
    team: &Team,
    tiling: &Tiling,
    (weight, flip): (&[f32], bool),
    packed: &mut [Lanes],
) {
    let taps = tiling.kernel * tiling.kernel;
    let (ins, outs) = (tiling.in_channels, tiling.out_channels);
    assert_eq!(weight.len(), ins * outs * taps, "the weight's length");
    let [out_step, in_step] = if flip { [taps, outs * taps] } else { [ins * taps, taps] };
    let of_pair = BLOCKS * ins * tiling.points();
    team.for_each(chunks_mut(packed, of_pair), |pair, packed| {
        let tiling = *tiling;
        run!(isa, tiling, Pack { tiling, pair, out_step, in_step, flip, weight, packed });
    });
}

/// How many [`Lanes`] the packed weight for [`backward_data`] is.
///
/// # Panics
/// As [`packed_len`].
pub fn data_packed_len(kernel: Conv2dKernel, g: &Conv2d) -> usize {
    let tiling = super::tiling(kernel, g, Conv2dPass::BackwardData);
    blocks(tiling.out_channels) * (1 + tiling.points() * tiling.in_channels)
}

/// How many [`Lanes`] of scratch memory [`backward_data`] needs on a team of `threads` threads.
///
/// # Panics
/// As [`packed_len`].
pub fn data_scratch_len(kernel: Conv2dKernel, g: &Conv2d, threads: usize) -> usize {
    let tiling = super::tiling(kernel, g, Conv2dPass::BackwardData);
    let [values, products] = room(&tiling);
    threads * (values + products)
}

/// The gradient of the convolution's input, of as many images as `dx` holds, shared out among the team;
/// overwrites `dx`, or adds to it if `accumulate`. `packed` comes from [`pack_data`]; `scratch` has the
/// length [`data_scratch_len`] and any contents.
///
/// # Panics
/// As [`packed_len`], or when a slice has a wrong length, or this machine lacks `isa`.
pub fn backward_data(
    isa: Isa,
    team: &Team,
    kernel: Conv2dKernel,
    g: &Conv2d,
    dy: &[Lanes],
    packed: &[Lanes],
    accumulate: bool,
    dx: &mut [Lanes],
    scratch: &mut [Lanes],
) {
    assert_eq!(packed.len(), data_packed_len(kernel, g), "the packed weight's length");
    let tiling = super::tiling(kernel, g, Conv2dPass::BackwardData);
    let output = super::super::conv2d::output(g);
    let (bias, weights) = packed.split_at(blocks(tiling.out_channels));
    let of_one = bias.len() * tiling.outputs[0] * tiling.outputs[1];
    let images = dx.len() / of_one;
    assert!(images > 0 && images * of_one == dx.len(), "the gradient's length");
    let of = Forward {
        tiling,
        images,
        size: [output.dim(1), output.dim(2)],
        start: g.padding.map(|padding| padding as isize + 1 - tiling.kernel as isize),
        x: dy,
        weights,
        bias,
        plus: if accumulate { Plus::Own } else { Plus::Nothing },
        fused: Fused::Identity,
    };
    of.run(isa, team, dx, scratch);
}

/// `y = f(w * x + b + other)` of as many images as `y` holds, shared out among the team; overwrites `y`.
/// `packed` comes from [`pack`]; `scratch` has the length [`scratch_len`] and any contents.
///
/// # Panics
/// As [`pack`].
pub fn forward(
    isa: Isa,
    team: &Team,
    kernel: Conv2dKernel,
    g: &Conv2d,
    x: &[Lanes],
    packed: &[Lanes],
    other: Option<&[Lanes]>,
    f: Activation,
    y: &mut [Lanes],
    scratch: &mut [Lanes],
) {
    assert_eq!(packed.len(), packed_len(kernel, g), "the packed weight's length");
    let tiling = super::tiling(kernel, g, Conv2dPass::Forward);
    let (fused, after) = Fused::split(f);
    let (bias, weights) = packed.split_at(blocks(g.out_channels));
    let of_one = bias.len() * tiling.outputs[0] * tiling.outputs[1];
    let images = y.len() / of_one;
    assert!(images > 0 && images * of_one == y.len(), "the output's length");
    let of = Forward {
        tiling,
        images,
        size: [g.input.dim(1), g.input.dim(2)],
        start: g.padding.map(|padding| -(padding as isize)),
        x,
        weights,
        bias,
        plus: Plus::value(other),
        fused,
    };
    assert!(other.is_none_or(|other| other.len() == y.len()), "the added value's length");
    of.run(isa, team, y, scratch);
    if let Some(f) = after {
        activation::forward_in_place(isa, f, y);
    }
}

/// Bytes of the transformed weights.
fn weight_bytes(tiling: &Tiling) -> usize {
    tiling.points() * tiling.in_channels * blocks(tiling.out_channels) * size_of::<Lanes>()
}

/// The most tiles that a thread transforms before it multiplies them.
fn together(tiling: &Tiling) -> usize {
    let bytes = tiling.points() * blocks(tiling.in_channels) * size_of::<Lanes>();
    if weight_bytes(tiling) > LARGE {
        (LARGE_ROOM / bytes).clamp(2, MOST_TILES)
    } else {
        (ROOM / bytes).clamp(2, MOST_TOGETHER)
    }
}

/// Cuts `count` tiles of several images, from tile `first` on, into pieces of one image each. Returns the
/// number of each piece's first tile among these, the piece's image, and the piece.
fn pieces(
    tiling: &Tiling,
    first: usize,
    count: usize,
) -> impl Iterator<Item = (usize, usize, Tiles)> {
    let a_image = tiling.tiles[0] * tiling.tiles[1];
    let (tiling, mut at) = (*tiling, 0);
    std::iter::from_fn(move || {
        let (image, tile) = ((first + at) / a_image, (first + at) % a_image);
        let own = (count - at).min(a_image - tile).min(MOST_TOGETHER);
        let piece = (own > 0).then(|| (at, image, Tiles::new(&tiling, tile, own)));
        at += own;
        piece
    })
}

/// From a point to the next among transformed tiles of `blocks` blocks; see [`Tiling::point_step`].
fn point_step(tiling: &Tiling, blocks: usize) -> usize {
    blocks * together(tiling) + 1
}

/// [`Lanes`] of a thread's transformed tiles and products.
fn room(tiling: &Tiling) -> [usize; 2] {
    [blocks(tiling.in_channels), BLOCKS].map(|blocks| tiling.points() * point_step(tiling, blocks))
}

/// Transforms the weights of a pair of blocks of output channels. The result is ordered by points, then by
/// input channels, with the two blocks side by side.
struct Pack<'a, const N: usize, const R: usize> {
    tiling: Tiling,
    /// Which pair it is.
    pair: usize,
    /// Where the next output channel's taps stand in `weight`, and the next input channel's.
    out_step: usize,
    in_step: usize,
    /// Whether the taps are taken from the last to the first.
    flip: bool,
    weight: &'a [f32],
    packed: &'a mut [Lanes],
}

impl<const N: usize, const R: usize> Kernel for Pack<'_, N, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Pack { tiling, pair, out_step, in_step, flip, weight, packed } = self;
        let Tiling { in_channels, out_channels, .. } = tiling;
        let mut taps = [[Lanes::ZERO; R]; R];
        let mut result = [[Lanes::ZERO; N]; N];
        // The points' results go to places far apart that share cache sets: so they are written a few at a
        // time.
        let mut gathered = [[[Lanes::ZERO; BLOCKS * GATHERED]; N]; N];
        let first = pair * BLOCKS;
        let count = BLOCKS.min(blocks(out_channels) - first);
        assert_eq!(packed.len(), count * in_channels * N * N, "the packed length");
        for start in (0..in_channels).step_by(GATHERED) {
            let some = GATHERED.min(in_channels - start);
            for block in 0..count {
                let channel = (first + block) * LANES;
                let rows = LANES.min(out_channels - channel);
                for k in 0..some {
                    let weight = &weight[channel * out_step + (start + k) * in_step..];
                    turn_taps(s, weight, out_step, rows, &mut taps);
                    if flip {
                        taps.as_flattened_mut().reverse();
                    }
                    transform_taps(s, &taps, &mut result);
                    let results = result.as_flattened().iter();
                    for (to, result) in gathered.as_flattened_mut().iter_mut().zip(results) {
                        to[k * count + block] = *result;
                    }
                }
            }
            for (point, gathered) in gathered.as_flattened().iter().enumerate() {
                let at = (point * in_channels + start) * count;
                packed[at..at + some * count].copy_from_slice(&gathered[..some * count]);
            }
        }
    }
}

/// A convolution of one image.
#[derive(Clone, Copy)]
struct Forward<'a> {
    tiling: Tiling,
    images: usize,
    /// Height and width of `x`.
    size: [usize; 2],
    /// Row and column that the first output's first tap reads.
    start: [isize; 2],
    x: &'a [Lanes],
    weights: &'a [Lanes],
    bias: &'a [Lanes],
    plus: Plus<'a>,
    fused: Fused,
}

impl Forward<'_> {
    fn run(self, isa: Isa, team: &Team, y: &mut [Lanes], scratch: &mut [Lanes]) {
        let tiles = self.images * self.tiling.tiles[0] * self.tiling.tiles[1];
        let threads = team.threads();
        let Cut { pairs, sets, parts } = Cut::new(&self.tiling, tiles, self.bias.len(), threads);
        let [values, products] = room(&self.tiling);
        let room = values + products;
        let rooms = equal_mut(&mut scratch[..threads * room], threads);
        let y = Shared::new(y);
        team.for_each_with(rooms, Numbered(sets * parts), |room, task, _| {
            let pairs = even_part(task / parts, sets, pairs);
            let blocks = pairs.start * BLOCKS..(pairs.end * BLOCKS).min(self.bias.len());
            let tiles = even_part(task % parts, parts, tiles);
            run!(isa, self.tiling, Task { of: self, blocks, tiles, y, room });
        });
    }
}

/// How a convolution is cut: pairs of blocks of output channels in sets, and tiles in parts.
struct Cut {
    pairs: usize,
    sets: usize,
    parts: usize,
}

impl Cut {
    /// For so many tiles and blocks of output channels on so many threads.
    fn new(tiling: &Tiling, tiles: usize, blocks: usize, threads: usize) -> Cut {
        let pairs = blocks.div_ceil(BLOCKS);
        // Where few tiles meet many weights, the weights are cut: each thread transforms the same tiles,
        // which takes less time than reading the weights of others. Else the tiles are cut, into a few more
        // parts than there are threads, for those that come late.
        let is_large = weight_bytes(tiling) > LARGE;
        let is_wide = is_large && tiles < 7 * blocks;
        let sets = if is_wide { Cut::sets(pairs, tiles, threads) } else { 1 };
        let parts = match threads.div_ceil(sets) {
            1 => 1,
            // Each part reads all weights.
            parts if is_large => parts.min(tiles),
            // As many for each thread.
            parts if tiles >= 16 * parts => 2 * parts,
            parts => parts.min(tiles),
        };
        Cut { pairs, sets, parts }
    }

    /// As many sets as there are threads, unless fewer with some tiles each are clearly more even.
    fn sets(pairs: usize, tiles: usize, threads: usize) -> usize {
        let mut best = (usize::MAX, 1);
        let mut sets = threads;
        while sets > 0 {
            let some = sets.min(pairs);
            let parts = threads.div_ceil(some).min(tiles);
            let rounds = (some * parts).div_ceil(threads);
            let most = rounds * pairs.div_ceil(some) * tiles.div_ceil(parts);
            // Tiles that several threads transform.
            if most + most / 8 < best.0 {
                best = (most, some);
            }
            sets /= 2;
        }
        best.1
    }
}

/// How evenly [`forward`] of `images` images is shared out among `threads` threads: the largest share of the
/// products that one thread gets, times `threads`. A function of sizes alone; 1 is even.
///
/// # Panics
/// When `kernel` is not one of Winograd's or cannot run `g`.
pub fn balance(kernel: Conv2dKernel, g: &Conv2d, images: usize, threads: usize) -> f64 {
    let tiling = super::tiling(kernel, g, Conv2dPass::Forward);
    let tiles = images * tiling.tiles[0] * tiling.tiles[1];
    let Cut { pairs, sets, parts } = Cut::new(&tiling, tiles, blocks(tiling.out_channels), threads);
    let tasks = (0..sets * parts).map(|task| {
        even_part(task / parts, sets, pairs).len() * even_part(task % parts, parts, tiles).len()
    });
    largest_share(threads, tasks)
}

/// Some blocks of output channels of some tiles. Nobody else writes them.
struct Task<'a, const N: usize, const R: usize> {
    of: Forward<'a>,
    blocks: Range<usize>,
    tiles: Range<usize>,
    y: Shared<'a, Lanes>,
    room: &'a mut [Lanes],
}

impl<const N: usize, const R: usize> Kernel for Task<'_, N, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Task { of, blocks: own, tiles: all, y, room } = self;
        let Forward { tiling, images, size, start, x, weights, bias, plus, fused } = of;
        let in_blocks = blocks(tiling.in_channels);
        let plane = tiling.outputs[0] * tiling.outputs[1];
        let of_block = N * N * tiling.in_channels;
        let step = point_step(&tiling, in_blocks);
        let product_step = point_step(&tiling, BLOCKS);
        let (v, m) = room.split_at_mut(N * N * step);
        assert_eq!(weights.len(), bias.len() * of_block, "the weights' length");
        assert_eq!(m.len(), N * N * product_step, "the products' length");
        let x_len = in_blocks * size[0] * size[1];
        assert_eq!(x.len(), images * x_len, "the input's length");
        let is_large = weight_bytes(&tiling) > LARGE;
        let mut first = all.start;
        while first < all.end {
            let count = even(all.end - first, together(&tiling));
            for (at, image, tiles) in pieces(&tiling, first, count) {
                s.run(Input::<N> {
                    x: &x[image * x_len..][..x_len],
                    channels: in_blocks,
                    size,
                    start,
                    tiles,
                    v: Shared::new(&mut v[at * in_blocks..]),
                    step,
                    channel_step: 1,
                    tile_step: in_blocks,
                });
            }
            for block in own.clone().step_by(BLOCKS) {
                let blocks = block..(block + BLOCKS).min(own.end);
                // Small weights stay in cache once they are there.
                let fetches = is_large || first == all.start;
                let pair =
                    Pair { points: N * N, tiling: &tiling, count, blocks: blocks.len(), fetches };
                let weights = &weights[block * of_block..][..blocks.len() * of_block];
                pair.multiply(s, weights, (v, step), (m, product_step));
                for (at, image, tiles) in pieces(&tiling, first, count) {
                    let from = (image * bias.len() + blocks.start) * plane;
                    let outputs = from..from + blocks.len() * plane;
                    s.run(Output::<N, R> {
                        m: &m[at..],
                        step: product_step,
                        channels: blocks.len(),
                        channel_step: count,
                        tiles,
                        bias: Bias::Vectors(&bias[blocks.clone()]),
                        plus: match plus {
                            Plus::Value(value) => Plus::Value(&value[outputs.clone()]),
                            plus => plus,
                        },
                        fused,
                        size: tiling.outputs,
                        y: y.part(outputs),
                    });
                }
            }
            first += count;
        }
    }
}

/// The products of some tiles and two blocks of output channels, or one.
struct Pair<'a> {
    points: usize,
    tiling: &'a Tiling,
    count: usize,
    blocks: usize,
    /// Whether a point fetches the next one's weights, where several blocks of rows read them. One block of rows
    /// reads them as fast as they come, and fetching only takes loads away.
    fetches: bool,
}

impl Pair<'_> {
    #[inline(always)]
    fn multiply<S: Simd>(
        self,
        s: S,
        weights: &[Lanes],
        (v, step): (&[Lanes], usize),
        (m, product_step): (&mut [Lanes], usize),
    ) {
        let Pair { points, tiling: Tiling { in_channels, .. }, count, blocks: own, fetches } = self;
        let in_blocks = blocks(*in_channels);
        assert_eq!(weights.len(), points * in_channels * own, "two blocks' weights");
        assert!(step >= in_blocks * count && v.len() >= points * step, "the inputs' length");
        assert!(product_step >= own * count && m.len() >= points * product_step, "the products'");
        // Where one block of rows is all, one call computes all points; else the blocks of a point follow
        // each other, while its weights are in cache.
        let together = if count <= most_rows::<S>() { points } else { 1 };
        let blocks_of_rows = (0..points).step_by(together).flat_map(|point| {
            let mut row = 0;
            std::iter::from_fn(move || {
                let at = row;
                let rows = (count - at > 0).then(|| even(count - at, most_rows::<S>()))?;
                row += rows;
                Some((point, at, rows))
            })
        });
        let of_point = in_channels * own;
        for (point, row, rows) in blocks_of_rows {
            let part = row * of_point / count..(row + rows) * of_point / count;
            let len = if fetches && together == 1 { part.len() } else { 0 };
            let ahead = Ahead { step: (of_point + part.start) * LANES, len };
            let product = Product {
                a: Numbers {
                    first: v[point * step + row * in_blocks..].as_ptr().cast(),
                    row: in_blocks * LANES,
                    depth: 1,
                    point: step * LANES,
                },
                b: Vectors {
                    first: weights[point * in_channels * own..].as_ptr().cast(),
                    row: own * LANES,
                    block: LANES,
                    point: in_channels * own * LANES,
                },
                c: Vectors {
                    first: m[point * product_step + row..].as_mut_ptr().cast(),
                    row: LANES,
                    block: count * LANES,
                    point: product_step * LANES,
                },
                depth: *in_channels,
                points: together,
                ahead,
                bias: std::ptr::null(),
                plus: std::ptr::null(),
                fused: Fused::Identity,
            };
            // SAFETY: the assertions compare the lengths with the steps: at each point there are
            // `count` rows of `in_blocks` Lanes, of which `in_channels` numbers are read, as many
            // rows of `own` Lanes of weights, and `own` blocks of `count` Lanes of products; and `points` are
            // a multiple of those of one call, which is all of them or one.
            unsafe { multiply(s, rows, own, &product) };
        }
    }
}

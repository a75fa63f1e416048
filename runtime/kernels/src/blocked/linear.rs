//! `y = f(W x + b)` for one image, or some.
#![allow(unsafe_code)]

use std::ops::Range;

use typenet_shape::Activation;

use super::super::fused::Fused;
use super::super::simd::{Kernel, Simd};
use super::super::team::{Shared, Team};
use super::super::{Isa, LANES, Lanes, activation};
use super::conv2d::images;
use super::layout::blocks;
use super::pack::pack_rows;

/// With fewer [`Lanes`] of weights a layer is not shared out.
const SHARED: usize = (64 << 10) / size_of::<Lanes>();

/// How many [`Lanes`] the packed weight and bias of a linear layer are.
pub const fn linear_packed_len(inputs: usize, outputs: usize) -> usize {
    blocks(outputs) * (1 + inputs)
}

/// Packs `weight`, `[outputs][inputs]`, and `bias` (zeros if there is none): first the biases, then
/// for each block of outputs one [`Lanes`] for each input.
///
/// # Panics
/// When a slice has a wrong length.
pub fn pack_linear(weight: &[f32], bias: Option<&[f32]>, outputs: usize, packed: &mut [Lanes]) {
    assert!(outputs > 0 && weight.len().is_multiple_of(outputs), "whole rows");
    let inputs = weight.len() / outputs;
    assert_eq!(packed.len(), linear_packed_len(inputs, outputs), "the packed length");
    pack_rows(weight, bias, outputs, packed);
}

/// The numbers that a linear layer reads, of some images.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// The numbers from the first image's first one on.
    pub numbers: &'a [f32],
    /// How many of an image there are.
    pub len: usize,
    /// From an image to the next.
    pub step: usize,
}

impl<'a> Rows<'a> {
    /// Those of one image.
    pub fn one(numbers: &'a [f32]) -> Rows<'a> {
        Rows { numbers, len: numbers.len(), step: numbers.len() }
    }

    fn row(&self, image: usize) -> &'a [f32] {
        &self.numbers[image * self.step..][..self.len]
    }
}

/// `y = f(W x + b + other)` of as many images as `y` holds, shared out among the team; overwrites `y`;
/// `packed` comes from [`pack_linear`].
///
/// # Panics
/// When a slice has a wrong length, or this machine lacks `isa`.
pub fn linear(
    isa: Isa,
    team: &Team,
    x: Rows<'_>,
    packed: &[Lanes],
    other: Option<&[Lanes]>,
    f: Activation,
    y: &mut [Lanes],
) {
    assert!(other.is_none_or(|other| other.len() == y.len()), "the added value's length");
    let blocks = packed.len() / (1 + x.len);
    assert_eq!(packed.len(), blocks * (1 + x.len), "the packed weight's length");
    let images = images(y.len(), blocks);
    let (fused, after) = Fused::split(f);
    let (bias, weight) = packed.split_at(blocks);
    // Whole tiles of four blocks, and few enough that each is worth a hand-off.
    let is_shared = weight.len() * images >= SHARED;
    let most = if is_shared { blocks.div_ceil(2 * team.threads()) } else { blocks };
    let step = most.next_multiple_of(4);
    let y = Shared::new(y);
    team.share(blocks.div_ceil(step), &|task| {
        let own = task * step..blocks.min((task + 1) * step);
        isa.run(Product { x, images, blocks, own, weight, bias, other, fused, y });
    });
    if let Some(f) = after {
        // SAFETY: all tasks are done.
        activation::forward_in_place(isa, f, unsafe { y.into_slice() });
    }
}

/// Some blocks of outputs of all images. Nobody else writes them.
struct Product<'a> {
    x: Rows<'a>,
    images: usize,
    blocks: usize,
    own: Range<usize>,
    weight: &'a [Lanes],
    bias: &'a [Lanes],
    other: Option<&'a [Lanes]>,
    fused: Fused,
    y: Shared<'a, Lanes>,
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Product { x: rows, images, blocks, own, weight, bias, other, fused, y } = self;
        let mut block = own.start;
        while block < own.end {
            // Eight accumulators for each part, so that additions do not wait for each other.
            let count = match own.end - block {
                4.. => 4,
                2.. => 2,
                _ => 1,
            };
            let weight = &weight[block * rows.len..(block + count) * rows.len];
            let bias = &bias[block..block + count];
            // One image after the other, while these weights are in cache.
            for image in 0..images {
                let at = image * blocks + block..image * blocks + block + count;
                let x = rows.row(image);
                let other = other.map(|other| &other[at.clone()]);
                // SAFETY: nobody else writes these blocks.
                let y = unsafe { y.part(at).into_slice() };
                match count {
                    4 => s.run(Tile::<'_, 4, 2> { x, weight, bias, other, fused, y }),
                    2 => s.run(Tile::<'_, 2, 4> { x, weight, bias, other, fused, y }),
                    _ => s.run(Tile::<'_, 1, 8> { x, weight, bias, other, fused, y }),
                }
            }
            block += count;
        }
    }
}

/// `B` blocks of outputs, each in `K` accumulators, each of which sums every `K`-th input.
struct Tile<'a, const B: usize, const K: usize> {
    x: &'a [f32],
    weight: &'a [Lanes],
    bias: &'a [Lanes],
    other: Option<&'a [Lanes]>,
    fused: Fused,
    y: &'a mut [Lanes],
}

impl<const B: usize, const K: usize> Kernel for Tile<'_, B, K> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Tile { x, weight, bias, other, fused, y } = self;
        let inputs = x.len();
        assert!(weight.len() == B * inputs && bias.len() == B && y.len() == B, "a tile's lengths");
        let weight = weight.as_ptr().cast::<f32>();
        for part in 0..S::PARTS {
            let shift = part * S::WIDTH;
            let mut sums = [[s.splat(0.0); B]; K];
            // SAFETY: the weight has B rows of `inputs` Lanes, and `i + k` is below `inputs`.
            let at = |b: usize, i: usize| unsafe {
                s.read(weight.add((b * inputs + i) * LANES + shift))
            };
            let whole = x.chunks_exact(K);
            let rest = whole.remainder();
            for (i, x) in whole.enumerate() {
                for k in 0..K {
                    let v = s.splat(x[k]);
                    for b in 0..B {
                        sums[k][b] = s.fma(v, at(b, i * K + k), sums[k][b]);
                    }
                }
            }
            for (i, &x) in (inputs - rest.len()..).zip(rest) {
                for b in 0..B {
                    sums[0][b] = s.fma(s.splat(x), at(b, i), sums[0][b]);
                }
            }
            for b in 0..B {
                let mut sum = s.load(&bias[b], part);
                for k in 0..K {
                    sum = s.add(sum, sums[k][b]);
                }
                if let Some(other) = other {
                    sum = s.add(sum, s.load(&other[b], part));
                }
                s.store(&mut y[b], part, fused.apply(s, sum));
            }
        }
    }
}

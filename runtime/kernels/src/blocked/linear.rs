//! `y = f(W x + b)` for one image.
#![allow(unsafe_code)]

use typenet_shape::Activation;

use super::super::fused::Fused;
use super::super::simd::{Kernel, Simd};
use super::super::team::{Team, chunks, chunks_mut};
use super::super::{Isa, LANES, Lanes, activation};
use super::layout::blocks;

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
    packed.fill(Lanes::ZERO);
    let (biases, weights) = packed.split_at_mut(blocks(outputs));
    for (o, row) in weight.chunks_exact(inputs.max(1)).enumerate() {
        for (to, &w) in weights[o / LANES * inputs..].iter_mut().zip(row) {
            to.0[o % LANES] = w;
        }
    }
    if let Some(bias) = bias {
        assert_eq!(bias.len(), outputs, "the bias's length");
        for (o, &b) in bias.iter().enumerate() {
            biases[o / LANES].0[o % LANES] = b;
        }
    }
}

/// `y = f(W x + b + other)`, shared out among the team; overwrites `y`; `packed` is by [`pack_linear`].
///
/// # Panics
/// When a slice has a wrong length, or this machine lacks `isa`.
pub fn linear(
    isa: Isa,
    team: &Team,
    x: &[f32],
    packed: &[Lanes],
    other: Option<&[Lanes]>,
    f: Activation,
    y: &mut [Lanes],
) {
    assert!(other.is_none_or(|other| other.len() == y.len()), "the added value's length");
    assert_eq!(packed.len(), y.len() * (1 + x.len()), "the packed weight's length");
    let (fused, after) = Fused::split(f);
    let (bias, weight) = packed.split_at(y.len());
    // Whole tiles of four blocks, and few enough that each is worth a hand-off.
    let most = if weight.len() < SHARED { y.len() } else { y.len().div_ceil(2 * team.threads()) };
    let step = most.next_multiple_of(4).max(1);
    team.for_each((chunks_mut(y, step), chunks(bias, step)), |task, (y, bias)| {
        let first = task * step;
        let weight = &weight[first * x.len()..][..y.len() * x.len()];
        let other = other.map(|other| &other[first..][..y.len()]);
        isa.run(Product { x, weight, bias, other, fused, y });
    });
    if let Some(f) = after {
        activation::forward_in_place(isa, f, y);
    }
}

struct Product<'a> {
    x: &'a [f32],
    weight: &'a [Lanes],
    bias: &'a [Lanes],
    other: Option<&'a [Lanes]>,
    fused: Fused,
    y: &'a mut [Lanes],
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Product { x, weight, bias, other, fused, y } = self;
        assert!(bias.len() == y.len() && weight.len() == y.len() * x.len(), "the lengths");
        let mut block = 0;
        while block < y.len() {
            // Eight sums of each part, so that additions need not wait for each other.
            let count = match y.len() - block {
                4.. => 4,
                2.. => 2,
                _ => 1,
            };
            let weight = &weight[block * x.len()..(block + count) * x.len()];
            let bias = &bias[block..block + count];
            let other = other.map(|other| &other[block..block + count]);
            let y = &mut y[block..block + count];
            match count {
                4 => s.run(Tile::<'_, 4, 2> { x, weight, bias, other, fused, y }),
                2 => s.run(Tile::<'_, 2, 4> { x, weight, bias, other, fused, y }),
                _ => s.run(Tile::<'_, 1, 8> { x, weight, bias, other, fused, y }),
            }
            block += count;
        }
    }
}

/// `B` blocks of outputs, each in `K` sums of every `K`-th input.
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

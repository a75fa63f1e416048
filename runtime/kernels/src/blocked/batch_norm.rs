//! Batch normalisation while training, of images with 16 channels side by side: see
//! [`batch_norm`](super::super::batch_norm), whose numbers stand in the lanes of other vectors here.
//!
//! Each block of channels of each image is summed by itself, and these sums are joined in the order of the
//! images: so they do not depend on the number of threads.

use super::super::activation;
use super::super::batch_norm::{BatchNorm, Joined, Running, Spread};
use super::super::fused::Fused;
use super::super::moments::{BLOCK, Moments, not_negative};
use super::super::simd::{Kernel, Simd};
use super::super::team::{Team, chunks, chunks_mut};
use super::super::{Isa, LANES, Lanes};
use super::layout::blocks;

/// How many [`Lanes`] the sums of all images take.
pub const fn batch_norm_room(channels: usize, images: usize) -> usize {
    2 * images * blocks(channels)
}

/// The mean of each channel and `1 / sqrt(var + eps)`, over all images and pixels, as
/// [`merge`](super::super::batch_norm::merge) does it; moves the running statistics. `room` has the length
/// [`batch_norm_room`] and any contents.
///
/// # Panics
/// When `x` is not so many images of so many channels, a slice has a wrong length, or this machine lacks
/// `isa`.
pub fn batch_norm_statistics(
    isa: Isa,
    team: &Team,
    images: usize,
    x: &[Lanes],
    room: &mut [Lanes],
    eps: f32,
    [mean, rstd]: [&mut [f32]; 2],
    mut running: Option<Running<'_>>,
) {
    assert_eq!(rstd.len(), mean.len(), "the length of rstd");
    for (channel, joined) in joined(isa, team, images, mean.len(), x, room).enumerate() {
        joined.finish(channel, eps, [mean, rstd], running.as_mut());
    }
}

/// What [`gather`](super::super::batch_norm::gather) computes of a group, here of all images: overwrites
/// `numbers`, `[channels][2]`, with the mean of each channel and the sum of squared deviations from it.
/// `room` has the length [`batch_norm_room`] and any contents.
///
/// # Panics
/// As [`batch_norm_statistics`].
pub fn batch_norm_gather(
    isa: Isa,
    team: &Team,
    images: usize,
    x: &[Lanes],
    room: &mut [Lanes],
    numbers: &mut [f32],
) {
    let (numbers, rest) = numbers.as_chunks_mut::<2>();
    assert!(rest.is_empty(), "two numbers for each channel");
    let joined = joined(isa, team, images, numbers.len(), x, room);
    for (to, joined) in numbers.iter_mut().zip(joined) {
        *to = joined.numbers();
    }
}

/// The statistics of each channel, joined in the order of the images.
fn joined<'a>(
    isa: Isa,
    team: &Team,
    images: usize,
    channels: usize,
    x: &[Lanes],
    room: &'a mut [Lanes],
) -> impl Iterator<Item = Joined> + 'a {
    let area = area(x.len(), channels, images);
    let sums = &mut room[..batch_norm_room(channels, images)];
    team.for_each((chunks(x, area), chunks_mut(sums, 2)), |_, (x, sums)| {
        isa.run(Gather { x, sums });
    });
    let sums = &*sums;
    (0..channels).map(move |channel| {
        let mut joined = Joined::default();
        of_channel(sums, channels, channel).for_each(|part| joined.add(area as f64, part));
        joined
    })
}

/// `y = f((x − mean) · rstd · weight + bias + other)` of all images; overwrites `y`.
///
/// # Panics
/// As [`batch_norm_statistics`].
pub fn batch_norm_apply(
    isa: Isa,
    team: &Team,
    images: usize,
    norm: &BatchNorm<'_>,
    x: &[Lanes],
    other: Option<&[Lanes]>,
    y: &mut [Lanes],
) {
    let (channels, area) = check(norm, x.len(), images);
    assert_eq!(y.len(), x.len(), "the output's length");
    assert!(other.is_none_or(|other| other.len() == x.len()), "the other value's length");
    let (fused, after) = Fused::split(norm.f);
    team.for_each((chunks(x, area), chunks_mut(y, area)), |index, (x, y)| {
        let factors = &Factors::new(norm, index % blocks(channels));
        let other = other.map(|other| &other[index * area..][..area]);
        isa.run(Apply { factors, fused, x, other, y: &mut *y });
        if let Some(f) = after {
            activation::forward_in_place(isa, f, y);
        }
    });
}

fn area(len: usize, channels: usize, images: usize) -> usize {
    let planes = images * blocks(channels);
    let area = len.checked_div(planes).unwrap_or(0);
    assert!(area > 0 && area * planes == len, "pixels of each block of channels");
    area
}

pub(super) fn check(norm: &BatchNorm<'_>, len: usize, images: usize) -> (usize, usize) {
    let channels = norm.mean.len();
    let (Spread::Rstd(spread) | Spread::Variance { variance: spread, .. }) = norm.spread;
    assert_eq!(spread.len(), channels, "the length of the spread");
    for numbers in [norm.weight, norm.bias].into_iter().flatten() {
        assert_eq!(numbers.len(), channels, "the length of weight or bias");
    }
    (channels, area(len, channels, images))
}

/// The two numbers of a channel that each image left.
pub(super) fn of_channel(
    sums: &[Lanes],
    channels: usize,
    channel: usize,
) -> impl Iterator<Item = [f64; 2]> + '_ {
    let (block, lane) = (channel / LANES, channel % LANES);
    let images = sums.chunks_exact(2 * blocks(channels));
    images.map(move |image| [0, 1].map(|i| f64::from(image[2 * block + i].0[lane])))
}

/// What is the same for all pixels of a block; 0 in lanes without a channel.
pub(super) struct Factors {
    pub(super) mean: Lanes,
    pub(super) scale: Lanes,
    pub(super) bias: Lanes,
}

impl Factors {
    pub(super) fn new(norm: &BatchNorm<'_>, block: usize) -> Factors {
        let [mut mean, mut scale, mut bias] = [Lanes::ZERO; 3];
        let channels = block * LANES..norm.mean.len().min((block + 1) * LANES);
        for (lane, channel) in channels.enumerate() {
            mean.0[lane] = norm.mean[channel];
            scale.0[lane] = norm.scale(channel);
            bias.0[lane] = norm.bias.map_or(0.0, |bias| bias[channel]);
        }
        Factors { mean, scale, bias }
    }

    #[inline(always)]
    pub(super) fn part<S: Simd>(&self, s: S, part: usize) -> Part<S::V> {
        Part {
            mean: s.load(&self.mean, part),
            scale: s.load(&self.scale, part),
            bias: s.load(&self.bias, part),
        }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Part<V> {
    pub(super) mean: V,
    pub(super) scale: V,
    pub(super) bias: V,
}

impl<V: Copy> Part<V> {
    /// Applies the norm to a number.
    #[inline(always)]
    pub(super) fn of<S: Simd<V = V>>(&self, s: S, x: V) -> V {
        // Subtracts the mean first: with the mean in the bias, one far from zero would cost precision.
        s.fma(s.sub(x, self.mean), self.scale, self.bias)
    }

    /// `x − mean`, and the gradient before the activation, for which the result is recomputed.
    #[inline(always)]
    pub(super) fn again<S: Simd<V = V>>(&self, s: S, fused: Fused, x: V, dy: V) -> (V, V) {
        let x = s.sub(x, self.mean);
        let y = fused.apply(s, s.fma(x, self.scale, self.bias));
        (x, fused.gradient(s, y, dy))
    }

    /// The norm's input gradient: `means` are the mean of `d` and `− rstd · mean of d · x̂`.
    #[inline(always)]
    pub(super) fn back<S: Simd<V = V>>(
        &self,
        s: S,
        fused: Fused,
        [mean, slope]: [V; 2],
        x: V,
        dy: V,
    ) -> V {
        let (x, d) = self.again(s, fused, x, dy);
        s.mul(s.fma(x, slope, s.sub(d, mean)), self.scale)
    }
}

// No closures around vectors: they would be compiled without the instruction set.

/// One loop for each function, without a branch inside.
macro_rules! each_function {
    ($fused:expr, |$f:ident| $body:expr) => {
        match $fused {
            Fused::Identity => {
                let $f = Fused::Identity;
                $body
            }
            Fused::Relu => {
                let $f = Fused::Relu;
                $body
            }
            Fused::Relu6 => {
                let $f = Fused::Relu6;
                $body
            }
            Fused::Leaky(slope) => {
                let $f = Fused::Leaky(slope);
                $body
            }
        }
    };
}
pub(super) use each_function;

struct Gather<'a> {
    x: &'a [Lanes],
    sums: &'a mut [Lanes],
}

impl Kernel for Gather<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let moments = Moments::of(s, self.x);
        self.sums[0] = Lanes(moments.means.map(|mean| mean as f32));
        self.sums[1] = Lanes(moments.squares.map(|squares| not_negative(squares) as f32));
    }
}

struct Apply<'a> {
    factors: &'a Factors,
    fused: Fused,
    x: &'a [Lanes],
    other: Option<&'a [Lanes]>,
    y: &'a mut [Lanes],
}

impl Kernel for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Apply { factors, fused, x, other, y } = self;
        each_function!(fused, |f| apply(s, f, factors, x, other, y));
    }
}

#[inline(always)]
fn apply<S: Simd>(
    s: S,
    f: Fused,
    factors: &Factors,
    x: &[Lanes],
    other: Option<&[Lanes]>,
    y: &mut [Lanes],
) {
    // Blocks that stay in the first-level cache while their parts come one after the other.
    for (at, (x, y)) in x.chunks(BLOCK).zip(y.chunks_mut(BLOCK)).enumerate() {
        let other = other.map(|other| &other[at * BLOCK..][..x.len()]);
        for part in 0..S::PARTS {
            let own = factors.part(s, part);
            match other {
                None => {
                    for (x, y) in x.iter().zip(&mut *y) {
                        let v = own.of(s, s.load(x, part));
                        s.store(y, part, f.apply(s, v));
                    }
                }
                Some(other) => {
                    for ((x, other), y) in x.iter().zip(other).zip(&mut *y) {
                        let v = s.add(own.of(s, s.load(x, part)), s.load(other, part));
                        s.store(y, part, f.apply(s, v));
                    }
                }
            }
        }
    }
}

#[inline(always)]
pub(super) fn join(total: &mut [[f64; LANES]; 2], block: &[Lanes; 2]) {
    for (total, block) in total.iter_mut().zip(block) {
        for (total, &sum) in total.iter_mut().zip(&block.0) {
            *total += f64::from(sum);
        }
    }
}

pub(super) fn leave(total: &[[f64; LANES]; 2], sums: &mut [Lanes]) {
    for (to, total) in sums.iter_mut().zip(total) {
        to.0 = total.map(|sum| sum as f32);
    }
}

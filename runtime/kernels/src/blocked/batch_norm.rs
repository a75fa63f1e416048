//! Batch normalisation while training, of images with 16 channels side by side: see
//! [`batch_norm`](super::super::batch_norm), whose numbers stand in the lanes of other vectors here.
//!
//! Each block of channels of each image is summed by itself, and these sums are joined in the order of the
//! images: so they do not depend on the threads.

use super::super::activation;
use super::super::batch_norm::{BatchNorm, Running, Spread, recomputes};
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
/// [`merge`](super::super::batch_norm::merge) does it; moves the running statistics. `room` is of
/// [`batch_norm_room`], with any contents.
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
    let channels = mean.len();
    let area = area(x.len(), channels, images);
    assert_eq!(rstd.len(), channels, "the length of rstd");
    let sums = &mut room[..batch_norm_room(channels, images)];
    team.for_each((chunks(x, area), chunks_mut(sums, 2)), |_, (x, sums)| {
        isa.run(Gather { x, sums });
    });
    let count = (images * area) as f64;
    for channel in 0..channels {
        let (mut before, mut center, mut squares) = (0.0, 0.0, 0.0);
        for [own_mean, own_squares] in of_channel(sums, channels, channel) {
            let own = area as f64;
            let share = own / (before + own);
            let delta = own_mean - center;
            center += delta * share;
            squares += own_squares + delta * delta * before * share;
            before += own;
        }
        mean[channel] = center as f32;
        rstd[channel] = (1.0 / (squares / count + f64::from(eps)).sqrt()) as f32;
        if let Some(running) = &mut running {
            let share = f64::from(running.momentum);
            let moved = |old: f32, new: f64| ((1.0 - share) * f64::from(old) + share * new) as f32;
            running.mean[channel] = moved(running.mean[channel], center);
            // One number alone has no unbiased variance.
            if count > 1.0 {
                let unbiased = squares / (count - 1.0);
                running.variance[channel] = moved(running.variance[channel], unbiased);
            }
        }
    }
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

/// The gradient of what a norm gave.
#[derive(Debug)]
pub enum NormGradient<'a> {
    /// To be read; the activation's gradient is found by computing the result again.
    Recompute(&'a [Lanes]),
    /// To be turned into the gradient before the activation, which is that of an added value too. The
    /// second is the result; it may be empty where there is no activation.
    Mask(&'a mut [Lanes], &'a [Lanes]),
}

/// Over all images: the means of `d` and of `d · x̂` for each channel, `d` being the gradient before the
/// activation and `x̂` `(x − mean) · rstd`: overwrites `means`, `[channels][2]`. Adds `Σ d · x̂` to `dw` and
/// `Σ d` to `db`, or overwrites them unless it is to `accumulate`. `room` is of [`batch_norm_room`].
///
/// # Panics
/// As [`batch_norm_statistics`], or when an activation cannot be [recomputed](recomputes).
pub fn batch_norm_gather_backward(
    isa: Isa,
    team: &Team,
    images: usize,
    norm: &BatchNorm<'_>,
    x: &[Lanes],
    gradient: NormGradient<'_>,
    room: &mut [Lanes],
    accumulate: bool,
    [mut dw, mut db]: [Option<&mut [f32]>; 2],
    means: &mut [f32],
) {
    let (channels, area) = check(norm, x.len(), images);
    let (means, rest) = means.as_chunks_mut::<2>();
    assert!(rest.is_empty() && means.len() == channels, "two numbers for each channel");
    for gradient in [&dw, &db].into_iter().flatten() {
        assert_eq!(gradient.len(), channels, "the length of a gradient");
    }
    let sums = &mut room[..batch_norm_room(channels, images)];
    let (fused, after) = Fused::split(norm.f);
    let factors = |index: usize| Factors::new(norm, index % blocks(channels));
    match gradient {
        NormGradient::Recompute(dy) => {
            assert!(recomputes(norm.f), "an activation that is computed again");
            assert_eq!(dy.len(), x.len(), "the gradient's length");
            let parts = (chunks(x, area), chunks(dy, area), chunks_mut(sums, 2));
            team.for_each(parts, |index, (x, dy, sums)| {
                isa.run(GatherBackward { factors: &factors(index), fused, x, dy, sums });
            });
        }
        NormGradient::Mask(dy, y) => {
            assert_eq!(dy.len(), x.len(), "the gradient's length");
            let is_masked = fused != Fused::Identity || after.is_some();
            assert!(!is_masked || y.len() == x.len(), "the output's length");
            let parts = (chunks(x, area), chunks_mut(dy, area), chunks_mut(sums, 2));
            team.for_each(parts, |index, (x, dy, sums)| {
                let y = if is_masked { &y[index * area..][..area] } else { x };
                if let Some(f) = after {
                    activation::backward_in_place(isa, f, y, dy);
                }
                isa.run(GatherMasked { factors: &factors(index), fused, x, y, dy, sums });
            });
        }
    }
    let count = (images * area) as f64;
    for channel in 0..channels {
        let mut total = [0.0; 2];
        for sums in of_channel(sums, channels, channel) {
            total[0] += sums[0];
            total[1] += sums[1];
        }
        total[1] *= f64::from(norm.rstd(channel));
        means[channel] = total.map(|total| (total / count) as f32);
        for (to, total) in [&mut db, &mut dw].into_iter().zip(total) {
            if let Some(to) = to {
                to[channel] = if accumulate { to[channel] } else { 0.0 } + total as f32;
            }
        }
    }
}

/// `dx = weight · rstd · (d − mean of d − x̂ · mean of d · x̂)` with the means of
/// [`batch_norm_gather_backward`]; overwrites `dx`, or adds to it if it is to `accumulate`. `dy` is read from
/// `dx` when left out.
///
/// # Panics
/// As [`batch_norm_gather_backward`].
pub fn batch_norm_apply_backward(
    isa: Isa,
    team: &Team,
    images: usize,
    norm: &BatchNorm<'_>,
    x: &[Lanes],
    dy: Option<&[Lanes]>,
    means: &[f32],
    accumulate: bool,
    dx: &mut [Lanes],
) {
    let (channels, area) = check(norm, x.len(), images);
    assert_eq!(dx.len(), x.len(), "the gradient's length");
    assert!(dy.is_none_or(|dy| dy.len() == x.len()), "the gradient's length");
    assert!(dy.is_some() || !accumulate, "a gradient beside its own sum");
    assert!(recomputes(norm.f), "an activation that is computed again");
    let (means, rest) = means.as_chunks::<2>();
    assert!(rest.is_empty() && means.len() == channels, "two numbers for each channel");
    let fused = Fused::split(norm.f).0;
    team.for_each((chunks(x, area), chunks_mut(dx, area)), |index, (x, dx)| {
        let block = index % blocks(channels);
        let factors = &Factors::new(norm, block);
        let [mut mean, mut slope] = [Lanes::ZERO; 2];
        for (lane, channel) in (block * LANES..channels.min((block + 1) * LANES)).enumerate() {
            mean.0[lane] = means[channel][0];
            slope.0[lane] = -means[channel][1] * norm.rstd(channel);
        }
        let dy = dy.map(|dy| &dy[index * area..][..area]);
        isa.run(ApplyBackward { factors, fused, mean, slope, x, dy, accumulate, dx });
    });
}

/// The gradient of what a norm reads whose statistics do not depend on it: `dx = dy · rstd · weight`, or
/// added to `dx` if it is to `accumulate`. `dy` is read from `dx` when left out.
///
/// # Panics
/// As [`batch_norm_statistics`].
pub fn batch_norm_scale_backward(
    isa: Isa,
    team: &Team,
    images: usize,
    norm: &BatchNorm<'_>,
    dy: Option<&[Lanes]>,
    accumulate: bool,
    dx: &mut [Lanes],
) {
    let (channels, area) = check(norm, dx.len(), images);
    assert!(dy.is_none_or(|dy| dy.len() == dx.len()), "the gradient's length");
    assert!(dy.is_some() || !accumulate, "a gradient beside its own sum");
    team.for_each(chunks_mut(dx, area), |index, dx| {
        let factors = &Factors::new(norm, index % blocks(channels));
        let dy = dy.map(|dy| &dy[index * area..][..area]);
        isa.run(Scale { factors, dy, accumulate, dx });
    });
}

fn area(len: usize, channels: usize, images: usize) -> usize {
    let planes = images * blocks(channels);
    let area = len.checked_div(planes).unwrap_or(0);
    assert!(area > 0 && area * planes == len, "pixels of each block of channels");
    area
}

fn check(norm: &BatchNorm<'_>, len: usize, images: usize) -> (usize, usize) {
    let channels = norm.mean.len();
    let (Spread::Rstd(spread) | Spread::Variance { variance: spread, .. }) = norm.spread;
    assert_eq!(spread.len(), channels, "the length of the spread");
    for numbers in [norm.weight, norm.bias].into_iter().flatten() {
        assert_eq!(numbers.len(), channels, "the length of weight or bias");
    }
    (channels, area(len, channels, images))
}

/// The two numbers of a channel that each image left.
fn of_channel(
    sums: &[Lanes],
    channels: usize,
    channel: usize,
) -> impl Iterator<Item = [f64; 2]> + '_ {
    let (block, lane) = (channel / LANES, channel % LANES);
    let images = sums.chunks_exact(2 * blocks(channels));
    images.map(move |image| [0, 1].map(|i| f64::from(image[2 * block + i].0[lane])))
}

/// What is the same for all pixels of a block; 0 in lanes without a channel.
struct Factors {
    mean: Lanes,
    scale: Lanes,
    bias: Lanes,
}

impl Factors {
    fn new(norm: &BatchNorm<'_>, block: usize) -> Factors {
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
    fn part<S: Simd>(&self, s: S, part: usize) -> Part<S::V> {
        Part {
            mean: s.load(&self.mean, part),
            scale: s.load(&self.scale, part),
            bias: s.load(&self.bias, part),
        }
    }
}

#[derive(Clone, Copy)]
struct Part<V> {
    mean: V,
    scale: V,
    bias: V,
}

impl<V: Copy> Part<V> {
    /// What a norm makes of a number.
    #[inline(always)]
    fn of<S: Simd<V = V>>(&self, s: S, x: V) -> V {
        // Less the mean first: with it in the bias, a mean far from zero would cost bits.
        s.fma(s.sub(x, self.mean), self.scale, self.bias)
    }

    /// `x − mean`, and the gradient before the activation, for which the result is computed again.
    #[inline(always)]
    fn again<S: Simd<V = V>>(&self, s: S, fused: Fused, x: V, dy: V) -> (V, V) {
        let x = s.sub(x, self.mean);
        let y = fused.apply(s, s.fma(x, self.scale, self.bias));
        (x, fused.gradient(s, y, dy))
    }

    /// The gradient of what a norm reads: `means` are the mean of `d` and `− rstd · mean of d · x̂`.
    #[inline(always)]
    fn back<S: Simd<V = V>>(&self, s: S, fused: Fused, [mean, slope]: [V; 2], x: V, dy: V) -> V {
        let (x, d) = self.again(s, fused, x, dy);
        s.mul(s.fma(x, slope, s.sub(d, mean)), self.scale)
    }
}

// No closures around vectors: they would be compiled without the instruction set.

/// One loop for each function, which then asks nothing within.
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

struct GatherBackward<'a> {
    factors: &'a Factors,
    fused: Fused,
    x: &'a [Lanes],
    dy: &'a [Lanes],
    sums: &'a mut [Lanes],
}

impl Kernel for GatherBackward<'_> {
    type Output = ();

    /// Of each lane `Σ d` and `Σ d (x − mean)`.
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let GatherBackward { factors, fused, x, dy, sums } = self;
        let mut total = [[0.0; LANES]; 2];
        for (x, dy) in x.chunks(BLOCK).zip(dy.chunks(BLOCK)) {
            let mut out = [Lanes::ZERO; 2];
            each_function!(fused, |f| {
                for part in 0..S::PARTS {
                    let own = factors.part(s, part);
                    let mut own_sums = Sums::new(s);
                    let (x_fours, x_rest) = x.as_chunks::<4>();
                    let (dy_fours, dy_rest) = dy.as_chunks::<4>();
                    for (x, dy) in x_fours.iter().zip(dy_fours) {
                        for i in 0..4 {
                            let (x, dy) = (s.load(&x[i], part), s.load(&dy[i], part));
                            let (x, d) = own.again(s, f, x, dy);
                            own_sums.add(s, i, x, d);
                        }
                    }
                    for (x, dy) in x_rest.iter().zip(dy_rest) {
                        let (x, d) = own.again(s, f, s.load(x, part), s.load(dy, part));
                        own_sums.add(s, 0, x, d);
                    }
                    own_sums.store(s, part, &mut out);
                }
            });
            join(&mut total, &out);
        }
        leave(&total, sums);
    }
}

struct GatherMasked<'a> {
    factors: &'a Factors,
    fused: Fused,
    x: &'a [Lanes],
    y: &'a [Lanes],
    dy: &'a mut [Lanes],
    sums: &'a mut [Lanes],
}

impl Kernel for GatherMasked<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let GatherMasked { factors, fused, x, y, dy, sums } = self;
        let mut total = [[0.0; LANES]; 2];
        for ((x, y), dy) in x.chunks(BLOCK).zip(y.chunks(BLOCK)).zip(dy.chunks_mut(BLOCK)) {
            let mut out = [Lanes::ZERO; 2];
            each_function!(fused, |f| {
                for part in 0..S::PARTS {
                    let Part { mean, .. } = factors.part(s, part);
                    let mut own_sums = Sums::new(s);
                    for (i, ((x, y), dy)) in x.iter().zip(y).zip(&mut *dy).enumerate() {
                        let d = f.gradient(s, s.load(y, part), s.load(dy, part));
                        s.store(dy, part, d);
                        own_sums.add(s, i % 4, s.sub(s.load(x, part), mean), d);
                    }
                    own_sums.store(s, part, &mut out);
                }
            });
            join(&mut total, &out);
        }
        leave(&total, sums);
    }
}

/// `Σ d` and `Σ d x`, four each, so that additions need not wait for each other.
struct Sums<V> {
    sums: [V; 4],
    products: [V; 4],
}

impl<V: Copy> Sums<V> {
    #[inline(always)]
    fn new<S: Simd<V = V>>(s: S) -> Sums<V> {
        Sums { sums: [s.splat(0.0); 4], products: [s.splat(0.0); 4] }
    }

    #[inline(always)]
    fn add<S: Simd<V = V>>(&mut self, s: S, i: usize, x: V, d: V) {
        self.sums[i] = s.add(self.sums[i], d);
        self.products[i] = s.fma(d, x, self.products[i]);
    }

    #[inline(always)]
    fn store<S: Simd<V = V>>(self, s: S, part: usize, out: &mut [Lanes; 2]) {
        for (out, [a, b, c, d]) in out.iter_mut().zip([self.sums, self.products]) {
            s.store(out, part, s.add(s.add(a, b), s.add(c, d)));
        }
    }
}

#[inline(always)]
fn join(total: &mut [[f64; LANES]; 2], block: &[Lanes; 2]) {
    for (total, block) in total.iter_mut().zip(block) {
        for (total, &sum) in total.iter_mut().zip(&block.0) {
            *total += f64::from(sum);
        }
    }
}

fn leave(total: &[[f64; LANES]; 2], sums: &mut [Lanes]) {
    for (to, total) in sums.iter_mut().zip(total) {
        to.0 = total.map(|sum| sum as f32);
    }
}

struct ApplyBackward<'a> {
    factors: &'a Factors,
    fused: Fused,
    /// The mean of `d`, and `− rstd · mean of d · x̂`.
    mean: Lanes,
    slope: Lanes,
    x: &'a [Lanes],
    dy: Option<&'a [Lanes]>,
    accumulate: bool,
    dx: &'a mut [Lanes],
}

impl Kernel for ApplyBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let ApplyBackward { factors, fused, mean, slope, x, dy, accumulate, dx } = self;
        each_function!(fused, |f| {
            for (at, (x, dx)) in x.chunks(BLOCK).zip(dx.chunks_mut(BLOCK)).enumerate() {
                let dy = dy.map(|dy| &dy[at * BLOCK..][..x.len()]);
                for part in 0..S::PARTS {
                    let own = factors.part(s, part);
                    let means = [s.load(&mean, part), s.load(&slope, part)];
                    match dy {
                        None => {
                            for (x, dx) in x.iter().zip(&mut *dx) {
                                let d = own.back(s, f, means, s.load(x, part), s.load(dx, part));
                                s.store(dx, part, d);
                            }
                        }
                        Some(dy) if accumulate => {
                            for ((x, dy), dx) in x.iter().zip(dy).zip(&mut *dx) {
                                let d = own.back(s, f, means, s.load(x, part), s.load(dy, part));
                                let sum = s.add(s.load(dx, part), d);
                                s.store(dx, part, sum);
                            }
                        }
                        Some(dy) => {
                            for ((x, dy), dx) in x.iter().zip(dy).zip(&mut *dx) {
                                let d = own.back(s, f, means, s.load(x, part), s.load(dy, part));
                                s.store(dx, part, d);
                            }
                        }
                    }
                }
            }
        });
    }
}

struct Scale<'a> {
    factors: &'a Factors,
    dy: Option<&'a [Lanes]>,
    accumulate: bool,
    dx: &'a mut [Lanes],
}

impl Kernel for Scale<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Scale { factors, dy, accumulate, dx } = self;
        for (at, dx) in dx.iter_mut().enumerate() {
            for part in 0..S::PARTS {
                let scale = s.load(&factors.scale, part);
                let d = match dy {
                    Some(dy) => s.load(&dy[at], part),
                    None => s.load(dx, part),
                };
                let before = if accumulate { s.load(dx, part) } else { s.splat(0.0) };
                s.store(dx, part, s.fma(d, scale, before));
            }
        }
    }
}

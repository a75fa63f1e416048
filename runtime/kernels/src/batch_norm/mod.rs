//! Batch normalisation (Ioffe and Szegedy, 2015), as PyTorch's `BatchNorm1d` and `BatchNorm2d`:
//! `y = f((x − mean) / sqrt(var + eps) · weight + bias)`, channel by channel, with the mean and the
//! variance of all pixels of all images of the batch.
//!
//! Each pass over a group of images is a function of its own, since all groups meet between them:
//! - forward: [`gather`] each group's statistics, [`merge`] them, [`apply`] them to each group;
//! - backward: [`gather_backward`], [`merge_backward`], [`apply_backward`]. Where nothing was added to
//!   the result, both find the activation's gradient by computing the result again, which is quicker
//!   than to read it; else [`gather_backward_masked`] leaves it in `dy`.
//!
//! What a gather leaves is two numbers for each channel, side by side; what a merge reads is this
//! of all groups, one after the other, all of [`LANES`] images but the last. The numbers of missing
//! images, which may be anything, enter nothing.

use typenet_shape::Activation;

use super::fused::Fused;
use super::moments::{BLOCK, mask, masked, not_negative, totals};
use super::simd::{Kernel, Simd};
use super::{Isa, LANES, Lanes, Statistics, activation};

/// `y = f((x − mean) · rstd · weight + bias)`: what is the same for all pixels of a channel.
#[derive(Clone, Copy, Debug)]
pub struct BatchNorm<'a> {
    /// Its length is the number of channels.
    pub mean: &'a [f32],
    /// What makes the variance 1.
    pub spread: Spread<'a>,
    /// Ones, when left out.
    pub weight: Option<&'a [f32]>,
    /// Zeros, when left out.
    pub bias: Option<&'a [f32]>,
    /// Of the result.
    pub f: Activation,
}

/// How far the numbers of each channel are from their mean.
#[derive(Clone, Copy, Debug)]
pub enum Spread<'a> {
    /// `1 / sqrt(var + eps)`, as [`merge`] leaves it.
    Rstd(&'a [f32]),
    /// The variance itself, as the running statistics have it for inference.
    Variance {
        /// Of each channel.
        variance: &'a [f32],
        /// What is added to it.
        eps: f32,
    },
}

/// The statistics that inference uses, which each training step moves a little towards its own.
#[derive(Debug)]
pub struct Running<'a> {
    /// `(1 − momentum) · mean + momentum · batch's mean`
    pub mean: &'a mut [f32],
    /// The same of the variance, the unbiased one (Σ of squares / (count − 1)).
    pub variance: &'a mut [f32],
    /// PyTorch's: the share of the new, 0.1 by default there.
    pub momentum: f32,
}

/// Of each channel of a group of images the mean, and the sum of the squares of what differs from
/// it; overwrites `numbers`, `[channels][2]`. The convolutions that gather
/// ([`conv2d::forward_and_gather`](super::conv2d::forward_and_gather)) leave the same, up to rounding.
///
/// # Panics
/// When `x` is not so many channels, `images` is not 1 to 16, or this machine lacks `isa`.
pub fn gather(isa: Isa, images: usize, x: &[Lanes], numbers: &mut [f32]) {
    let pixels = pixels(x.len(), numbers.len() / 2);
    Statistics { images, numbers }.add(isa, x, pixels, 0..pixels);
}

/// Joins the statistics of all groups of a batch of so many images (Chan and others, 1979), in
/// their order: overwrites `mean`, and `rstd` with `1 / sqrt(var + eps)`, `var` being the biased
/// variance (Σ of squares / count); moves the running statistics.
///
/// One number alone has no unbiased variance (PyTorch refuses such a batch): here its `var` is 0,
/// and the running variance stays as it is.
///
/// # Panics
/// When there are no images or pixels, or a slice has a wrong length.
pub fn merge(
    images: usize,
    pixels: usize,
    statistics: &[f32],
    eps: f32,
    mean: &mut [f32],
    rstd: &mut [f32],
    mut running: Option<Running<'_>>,
) {
    let channels = mean.len();
    let statistics = groups(images, channels, statistics);
    assert!(pixels > 0, "pixels");
    assert_eq!(rstd.len(), channels, "the length of rstd");
    if let Some(running) = &running {
        let (means, variances) = (running.mean.len(), running.variance.len());
        assert!(means == channels && variances == channels, "the running statistics' lengths");
    }
    let count = (images * pixels) as f64;
    for channel in 0..channels {
        let (mut before, mut center, mut squares) = (0.0, 0.0, 0.0);
        let mut left = images;
        for group in statistics.chunks_exact(channels) {
            let [group_mean, group_squares] = group[channel].map(f64::from);
            let own = (left.min(LANES) * pixels) as f64;
            let share = own / (before + own);
            let delta = group_mean - center;
            center += delta * share;
            squares += group_squares + delta * delta * before * share;
            before += own;
            left = left.saturating_sub(LANES);
        }
        mean[channel] = center as f32;
        rstd[channel] = (1.0 / (squares / count + f64::from(eps)).sqrt()) as f32;
        if let Some(running) = &mut running {
            let share = f64::from(running.momentum);
            let moved = |old: f32, new: f64| ((1.0 - share) * f64::from(old) + share * new) as f32;
            running.mean[channel] = moved(running.mean[channel], center);
            if count > 1.0 {
                let unbiased = squares / (count - 1.0);
                running.variance[channel] = moved(running.variance[channel], unbiased);
            }
        }
    }
}

/// `y = f((x − mean) · rstd · weight + bias + other)`; overwrites `y`.
///
/// With [`Spread::Variance`] it is the pass of inference.
///
/// # Panics
/// When a slice has a wrong length, or this machine lacks `isa`.
pub fn apply(
    isa: Isa,
    norm: &BatchNorm<'_>,
    x: &[Lanes],
    other: Option<&[Lanes]>,
    y: &mut [Lanes],
) {
    let pixels = norm.check(x.len());
    assert_eq!(y.len(), x.len(), "the output's length");
    assert!(other.is_none_or(|other| other.len() == x.len()), "the other value's length");
    let (fused, after) = Fused::split(norm.f);
    isa.run(Apply { norm, pixels, fused, x, other, y });
    if let Some(f) = after {
        activation::forward_in_place(isa, f, y);
    }
}

/// Whether [`gather_backward`] and [`apply_backward`] can compute the gradient of this activation from
/// the norm's input.
pub fn recomputes(f: Activation) -> bool {
    Fused::split(f).1.is_none()
}

/// Sums for each channel `d` and `d · x̂`, `d` being the gradient before the activation and `x̂`
/// `(x − mean) · rstd`: overwrites `sums`, `[channels][2]`.
///
/// # Panics
/// When a slice has a wrong length, `images` is not 1 to 16, not [`recomputes`], or this machine
/// lacks `isa`.
pub fn gather_backward(
    isa: Isa,
    images: usize,
    norm: &BatchNorm<'_>,
    x: &[Lanes],
    dy: &[Lanes],
    sums: &mut [f32],
) {
    let pixels = norm.check(x.len());
    assert!((1..=LANES).contains(&images), "1 to 16 images");
    assert_eq!(dy.len(), x.len(), "the gradient's length");
    assert!(recomputes(norm.f), "an activation that is computed again");
    isa.run(GatherBackward { images, norm, pixels, x, dy, sums: pairs_mut(norm, sums) });
}

/// As [`gather_backward`] where the result was added to: turns `dy` into the gradient before the
/// activation, which is that of `other` too, with 0 in missing images. `y` is what [`apply`] left;
/// without an activation it is not read, and may be empty. [`apply_backward`] then takes a norm
/// without activation.
///
/// # Panics
/// When a slice has a wrong length, `images` is not 1 to 16, or this machine lacks `isa`.
pub fn gather_backward_masked(
    isa: Isa,
    images: usize,
    norm: &BatchNorm<'_>,
    x: &[Lanes],
    y: &[Lanes],
    dy: &mut [Lanes],
    sums: &mut [f32],
) {
    let pixels = norm.check(x.len());
    assert!((1..=LANES).contains(&images), "1 to 16 images");
    assert_eq!(dy.len(), x.len(), "the gradient's length");
    let (fused, after) = Fused::split(norm.f);
    // Nothing is read from `x` in the place of `y`.
    let y = if norm.f == Activation::Identity { x } else { y };
    assert_eq!(y.len(), x.len(), "the output's length");
    if let Some(f) = after {
        activation::backward_in_place(isa, f, y, dy);
    }
    let sums = pairs_mut(norm, sums);
    isa.run(GatherBackwardMasked { images, norm, pixels, fused, x, y, dy, sums });
}

/// Adds up the sums of all groups of a batch of so many images, in their order: overwrites `means`,
/// `[channels][2]`, with each sum over the count, and adds `Σ dy · x̂` to `dw` and `Σ dy` to `db`.
///
/// # Panics
/// When there are no images or pixels, or a slice has a wrong length.
pub fn merge_backward(
    images: usize,
    pixels: usize,
    sums: &[f32],
    mut dw: Option<&mut [f32]>,
    mut db: Option<&mut [f32]>,
    means: &mut [f32],
) {
    let (means, rest) = means.as_chunks_mut::<2>();
    assert!(rest.is_empty(), "two numbers for each channel");
    let channels = means.len();
    let sums = groups(images, channels, sums);
    assert!(pixels > 0, "pixels");
    for gradient in [&dw, &db].into_iter().flatten() {
        assert_eq!(gradient.len(), channels, "the length of a gradient");
    }
    let count = (images * pixels) as f64;
    for channel in 0..channels {
        let mut total = [0.0; 2];
        for group in sums.chunks_exact(channels) {
            total[0] += f64::from(group[channel][0]);
            total[1] += f64::from(group[channel][1]);
        }
        means[channel] = total.map(|total| (total / count) as f32);
        if let Some(db) = &mut db {
            db[channel] += total[0] as f32;
        }
        if let Some(dw) = &mut dw {
            dw[channel] += total[1] as f32;
        }
    }
}

/// `dx = weight · rstd · (d − mean of d − x̂ · mean of d · x̂)`, `d` being the gradient before the
/// activation as in [`gather_backward`], with the means from [`merge_backward`]; overwrites `dx`, with
/// 0 in missing images.
///
/// # Panics
/// As [`gather_backward`].
pub fn apply_backward(
    isa: Isa,
    images: usize,
    norm: &BatchNorm<'_>,
    x: &[Lanes],
    dy: &[Lanes],
    means: &[f32],
    dx: &mut [Lanes],
) {
    assert_eq!(dy.len(), x.len(), "the gradient's length");
    run_backward(isa, images, norm, x, Some(dy), means, dx);
}

/// [`apply_backward`], with `dx` in the place of `dy`.
///
/// # Panics
/// As [`apply_backward`].
pub fn apply_backward_in_place(
    isa: Isa,
    images: usize,
    norm: &BatchNorm<'_>,
    x: &[Lanes],
    means: &[f32],
    dy: &mut [Lanes],
) {
    run_backward(isa, images, norm, x, None, means, dy);
}

/// The gradient of what a norm reads whose statistics do not depend on it: `dx = dy · rstd · weight`.
///
/// # Panics
/// When the lengths do not fit.
pub fn scale_backward(isa: Isa, norm: &BatchNorm<'_>, dy: &[Lanes], dx: &mut [Lanes]) {
    let pixels = norm.check(dy.len());
    assert_eq!(dx.len(), dy.len(), "the gradient's length");
    isa.run(ScaleBackward { norm, pixels, dy, dx });
}

fn run_backward(
    isa: Isa,
    images: usize,
    norm: &BatchNorm<'_>,
    x: &[Lanes],
    dy: Option<&[Lanes]>,
    means: &[f32],
    dx: &mut [Lanes],
) {
    let pixels = norm.check(x.len());
    let mask = mask(images);
    assert_eq!(dx.len(), x.len(), "the gradient's length");
    let (means, rest) = means.as_chunks();
    assert!(rest.is_empty() && means.len() == norm.mean.len(), "two numbers for each channel");
    assert!(recomputes(norm.f), "an activation that is computed again");
    isa.run(ApplyBackward { norm, pixels, mask, x, dy, means, dx });
}

impl BatchNorm<'_> {
    /// The pixels of a channel, once all lengths are seen to fit.
    fn check(&self, len: usize) -> usize {
        let channels = self.mean.len();
        let (Spread::Rstd(spread) | Spread::Variance { variance: spread, .. }) = self.spread;
        assert_eq!(spread.len(), channels, "the length of the spread");
        for numbers in [self.weight, self.bias].into_iter().flatten() {
            assert_eq!(numbers.len(), channels, "the length of weight or bias");
        }
        pixels(len, channels)
    }

    #[inline(always)]
    fn rstd(&self, channel: usize) -> f32 {
        match self.spread {
            Spread::Rstd(rstd) => rstd[channel],
            Spread::Variance { variance, eps } => {
                let variance = not_negative(f64::from(variance[channel]));
                (1.0 / (variance + f64::from(eps)).sqrt()) as f32
            }
        }
    }

    #[inline(always)]
    fn scale(&self, channel: usize) -> f32 {
        self.rstd(channel) * self.weight.map_or(1.0, |weight| weight[channel])
    }
}

fn pairs_mut<'a>(norm: &BatchNorm<'_>, sums: &'a mut [f32]) -> &'a mut [[f32; 2]] {
    let (sums, rest) = sums.as_chunks_mut();
    assert!(rest.is_empty() && sums.len() == norm.mean.len(), "two numbers for each channel");
    sums
}

fn pixels(len: usize, channels: usize) -> usize {
    let pixels = len.checked_div(channels).unwrap_or(0);
    assert!(pixels > 0 && pixels * channels == len, "pixels of each channel");
    pixels
}

/// Two numbers for each channel of each group.
fn groups(images: usize, channels: usize, numbers: &[f32]) -> &[[f32; 2]] {
    assert!(images > 0 && channels > 0, "images and channels");
    let (pairs, rest) = numbers.as_chunks();
    let fits = rest.is_empty() && pairs.len() == images.div_ceil(LANES) * channels;
    assert!(fits, "two numbers for each channel of each group of images");
    pairs
}

struct Apply<'a> {
    norm: &'a BatchNorm<'a>,
    pixels: usize,
    fused: Fused,
    x: &'a [Lanes],
    other: Option<&'a [Lanes]>,
    y: &'a mut [Lanes],
}

impl Kernel for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Apply { norm, pixels, fused, x, other, y } = self;
        for (channel, y) in y.chunks_exact_mut(pixels).enumerate() {
            let x = &x[channel * pixels..][..pixels];
            let other = other.map(|other| &other[channel * pixels..][..pixels]);
            // Less the mean first: with it in the bias, a mean far from zero would cost bits.
            let factors = [
                s.splat(norm.mean[channel]),
                s.splat(norm.scale(channel)),
                s.splat(norm.bias.map_or(0.0, |bias| bias[channel])),
            ];
            // One loop for each function, which then asks nothing within.
            match fused {
                Fused::Identity => apply_channel(s, Fused::Identity, factors, x, other, y),
                Fused::Relu => apply_channel(s, Fused::Relu, factors, x, other, y),
                Fused::Leaky(_) => apply_channel(s, fused, factors, x, other, y),
                Fused::Relu6 => apply_channel(s, Fused::Relu6, factors, x, other, y),
            }
        }
    }
}

#[inline(always)]
fn apply_channel<S: Simd>(
    s: S,
    fused: Fused,
    [mean, scale, bias]: [S::V; 3],
    x: &[Lanes],
    other: Option<&[Lanes]>,
    y: &mut [Lanes],
) {
    match other {
        None => {
            for (x, y) in x.iter().zip(y) {
                for part in 0..S::PARTS {
                    let v = s.fma(s.sub(s.load(x, part), mean), scale, bias);
                    s.store(y, part, fused.apply(s, v));
                }
            }
        }
        Some(other) => {
            for ((x, other), y) in x.iter().zip(other).zip(y) {
                for part in 0..S::PARTS {
                    let v = s.fma(s.sub(s.load(x, part), mean), scale, bias);
                    s.store(y, part, fused.apply(s, s.add(v, s.load(other, part))));
                }
            }
        }
    }
}

struct ScaleBackward<'a> {
    norm: &'a BatchNorm<'a>,
    pixels: usize,
    dy: &'a [Lanes],
    dx: &'a mut [Lanes],
}

impl Kernel for ScaleBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let ScaleBackward { norm, pixels, dy, dx } = self;
        for (channel, dx) in dx.chunks_exact_mut(pixels).enumerate() {
            let scale = s.splat(norm.scale(channel));
            for (dy, dx) in dy[channel * pixels..].iter().zip(dx) {
                for part in 0..S::PARTS {
                    s.store(dx, part, s.mul(s.load(dy, part), scale));
                }
            }
        }
    }
}

/// What computes a channel's result, and so the gradient of its activation, again.
#[derive(Clone, Copy)]
struct Again<V> {
    fused: Fused,
    mean: V,
    scale: V,
    bias: V,
}

impl<V: Copy> Again<V> {
    #[inline(always)]
    fn new<S: Simd<V = V>>(s: S, norm: &BatchNorm<'_>, channel: usize, fused: Fused) -> Again<V> {
        let mean = s.splat(norm.mean[channel]);
        let scale = s.splat(norm.scale(channel));
        let bias = s.splat(norm.bias.map_or(0.0, |bias| bias[channel]));
        Again { fused, mean, scale, bias }
    }

    /// `x − mean`, and the gradient before the activation.
    #[inline(always)]
    fn gradient<S: Simd<V = V>>(&self, s: S, x: V, dy: V) -> (V, V) {
        let x = s.sub(x, self.mean);
        let y = self.fused.apply(s, s.fma(x, self.scale, self.bias));
        (x, self.fused.gradient(s, y, dy))
    }
}

struct GatherBackward<'a> {
    images: usize,
    norm: &'a BatchNorm<'a>,
    pixels: usize,
    x: &'a [Lanes],
    dy: &'a [Lanes],
    sums: &'a mut [[f32; 2]],
}

impl Kernel for GatherBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let GatherBackward { images, norm, pixels, x, dy, sums } = self;
        let (mask, zero) = (mask(images), Lanes::ZERO);
        let fused = Fused::split(norm.f).0;
        for (channel, sums) in sums.iter_mut().enumerate() {
            let x = &x[channel * pixels..][..pixels];
            let dy = &dy[channel * pixels..][..pixels];
            let mut total = [0.0; 2];
            for (x, dy) in x.chunks(BLOCK).zip(dy.chunks(BLOCK)) {
                let again = |fused| Again::new(s, norm, channel, fused);
                // One loop for each function, which then asks nothing within.
                let block = match fused {
                    Fused::Identity => sum_block(s, &again(Fused::Identity), x, dy),
                    Fused::Relu => sum_block(s, &again(Fused::Relu), x, dy),
                    Fused::Leaky(_) => sum_block(s, &again(fused), x, dy),
                    Fused::Relu6 => sum_block(s, &again(Fused::Relu6), x, dy),
                };
                let [sum, product, ..] = totals(s, &mask, &[block[0], block[1], zero, zero]);
                total[0] += f64::from(sum);
                total[1] += f64::from(product);
            }
            let product = total[1] * f64::from(norm.rstd(channel));
            *sums = [total[0] as f32, product as f32];
        }
    }
}

/// Of each lane `Σ d` and `Σ d (x − mean)`.
#[inline(always)]
fn sum_block<S: Simd>(s: S, again: &Again<S::V>, x: &[Lanes], dy: &[Lanes]) -> [Lanes; 2] {
    let mut out = [Lanes::ZERO; 2];
    let (x_fours, x_rest) = x.as_chunks::<4>();
    let (dy_fours, dy_rest) = dy.as_chunks::<4>();
    for part in 0..S::PARTS {
        // Four sums each, so that additions need not wait for each other.
        let (mut sums, mut products) = ([s.splat(0.0); 4], [s.splat(0.0); 4]);
        for (x, dy) in x_fours.iter().zip(dy_fours) {
            for i in 0..4 {
                let (x, d) = again.gradient(s, s.load(&x[i], part), s.load(&dy[i], part));
                sums[i] = s.add(sums[i], d);
                products[i] = s.fma(d, x, products[i]);
            }
        }
        for (x, dy) in x_rest.iter().zip(dy_rest) {
            let (x, d) = again.gradient(s, s.load(x, part), s.load(dy, part));
            sums[0] = s.add(sums[0], d);
            products[0] = s.fma(d, x, products[0]);
        }
        for (out, [a, b, c, d]) in out.iter_mut().zip([sums, products]) {
            s.store(out, part, s.add(s.add(a, b), s.add(c, d)));
        }
    }
    out
}

struct GatherBackwardMasked<'a> {
    images: usize,
    norm: &'a BatchNorm<'a>,
    pixels: usize,
    fused: Fused,
    x: &'a [Lanes],
    y: &'a [Lanes],
    dy: &'a mut [Lanes],
    sums: &'a mut [[f32; 2]],
}

impl Kernel for GatherBackwardMasked<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let GatherBackwardMasked { images, norm, pixels, fused, x, y, dy, sums } = self;
        let (mask, zero) = (mask(images), Lanes::ZERO);
        for (channel, dy) in dy.chunks_exact_mut(pixels).enumerate() {
            let x = &x[channel * pixels..][..pixels];
            let y = &y[channel * pixels..][..pixels];
            let mean = norm.mean[channel];
            let mut total = [0.0; 2];
            for ((x, y), dy) in x.chunks(BLOCK).zip(y.chunks(BLOCK)).zip(dy.chunks_mut(BLOCK)) {
                let block = match fused {
                    Fused::Identity => gather_block(s, Fused::Identity, &mask, mean, x, y, dy),
                    Fused::Relu => gather_block(s, Fused::Relu, &mask, mean, x, y, dy),
                    Fused::Leaky(_) => gather_block(s, fused, &mask, mean, x, y, dy),
                    Fused::Relu6 => gather_block(s, Fused::Relu6, &mask, mean, x, y, dy),
                };
                // Masked again: where dy is made 0, its product with NaN is NaN.
                let [sum, product, ..] = totals(s, &mask, &[block[0], block[1], zero, zero]);
                total[0] += f64::from(sum);
                total[1] += f64::from(product);
            }
            let product = total[1] * f64::from(norm.rstd(channel));
            sums[channel] = [total[0] as f32, product as f32];
        }
    }
}

/// `dy = dy · f'`, and of each lane `Σ dy` and `Σ dy (x − mean)`.
#[inline(always)]
fn gather_block<S: Simd>(
    s: S,
    fused: Fused,
    mask: &Lanes,
    mean: f32,
    x: &[Lanes],
    y: &[Lanes],
    dy: &mut [Lanes],
) -> [Lanes; 2] {
    let mut out = [Lanes::ZERO; 2];
    let mean = s.splat(mean);
    let (x_fours, x_rest) = x.as_chunks::<4>();
    let (y_fours, y_rest) = y.as_chunks::<4>();
    let (dy_fours, dy_rest) = dy.as_chunks_mut::<4>();
    for part in 0..S::PARTS {
        let mask = s.load(mask, part);
        // Four sums each, so that additions need not wait for each other.
        let (mut sums, mut products) = ([s.splat(0.0); 4], [s.splat(0.0); 4]);
        for ((x, y), dy) in x_fours.iter().zip(y_fours).zip(&mut *dy_fours) {
            for i in 0..4 {
                let d = fused.gradient(s, s.load(&y[i], part), s.load(&dy[i], part));
                let d = masked(s, mask, d);
                s.store(&mut dy[i], part, d);
                sums[i] = s.add(sums[i], d);
                let x = s.sub(s.load(&x[i], part), mean);
                products[i] = s.fma(d, x, products[i]);
            }
        }
        for ((x, y), dy) in x_rest.iter().zip(y_rest).zip(&mut *dy_rest) {
            let d = fused.gradient(s, s.load(y, part), s.load(dy, part));
            let d = masked(s, mask, d);
            s.store(dy, part, d);
            sums[0] = s.add(sums[0], d);
            products[0] = s.fma(d, s.sub(s.load(x, part), mean), products[0]);
        }
        for (out, [a, b, c, d]) in out.iter_mut().zip([sums, products]) {
            s.store(out, part, s.add(s.add(a, b), s.add(c, d)));
        }
    }
    out
}

struct ApplyBackward<'a> {
    norm: &'a BatchNorm<'a>,
    pixels: usize,
    mask: Lanes,
    x: &'a [Lanes],
    /// In `dx`, when left out.
    dy: Option<&'a [Lanes]>,
    means: &'a [[f32; 2]],
    dx: &'a mut [Lanes],
}

impl Kernel for ApplyBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let ApplyBackward { norm, pixels, mask, x, dy, means, dx } = self;
        let fused = Fused::split(norm.f).0;
        for (channel, dx) in dx.chunks_exact_mut(pixels).enumerate() {
            let x = &x[channel * pixels..][..pixels];
            let [dy_mean, product_mean] = means[channel];
            let slope = s.splat(-product_mean * norm.rstd(channel));
            let linear = Linear { mask: &mask, slope, dy_mean: s.splat(dy_mean) };
            let dy = dy.map(|dy| &dy[channel * pixels..][..pixels]);
            let again = |fused| Again::new(s, norm, channel, fused);
            // One loop for each function, which then asks nothing within.
            match fused {
                Fused::Identity => linear.channel(s, &again(Fused::Identity), x, dy, dx),
                Fused::Relu => linear.channel(s, &again(Fused::Relu), x, dy, dx),
                Fused::Leaky(_) => linear.channel(s, &again(fused), x, dy, dx),
                Fused::Relu6 => linear.channel(s, &again(Fused::Relu6), x, dy, dx),
            }
        }
    }
}

/// The gradient behind a channel's activation to that of its input.
struct Linear<'a, V> {
    mask: &'a Lanes,
    slope: V,
    dy_mean: V,
}

impl<V: Copy> Linear<'_, V> {
    #[inline(always)]
    fn channel<S: Simd<V = V>>(
        &self,
        s: S,
        again: &Again<V>,
        x: &[Lanes],
        dy: Option<&[Lanes]>,
        dx: &mut [Lanes],
    ) {
        match dy {
            Some(dy) => {
                for ((x, dy), dx) in x.iter().zip(dy).zip(dx) {
                    for part in 0..S::PARTS {
                        let d = self.gradient(s, again, part, x, dy);
                        s.store(dx, part, d);
                    }
                }
            }
            None => {
                for (x, dx) in x.iter().zip(dx) {
                    for part in 0..S::PARTS {
                        let d = self.gradient(s, again, part, x, dx);
                        s.store(dx, part, d);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn gradient<S: Simd<V = V>>(
        &self,
        s: S,
        again: &Again<V>,
        part: usize,
        x: &Lanes,
        dy: &Lanes,
    ) -> V {
        let (x, d) = again.gradient(s, s.load(x, part), s.load(dy, part));
        let d = s.fma(x, self.slope, s.sub(d, self.dy_mean));
        masked(s, s.load(self.mask, part), s.mul(d, again.scale))
    }
}

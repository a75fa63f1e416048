//! The forward pass: gather, merge, apply.

use super::super::fused::Fused;
use super::super::simd::{Kernel, Simd};
use super::super::{Isa, LANES, Lanes, Statistics, activation};
use super::layer::{BatchNorm, Running, groups, pixels};

/// Overwrites `numbers`, `[channels][2]`, with the mean of each channel of a group of images and the sum of
/// squared deviations from it. The convolutions that gather
/// ([`Epilogue::statistics`](crate::Epilogue::statistics)) leave the same, up to rounding.
///
/// # Panics
/// When `x` is not so many channels, `images` is not 1 to 16, or this machine lacks `isa`.
pub fn gather(isa: Isa, images: usize, x: &[Lanes], numbers: &mut [f32]) {
    let pixels = pixels(x.len(), numbers.len() / 2);
    Statistics { images, numbers }.add(isa, x, pixels, 0..pixels);
}

/// Merges the statistics of all groups of a batch of `images` images (Chan and others, 1979), in their order.
/// Overwrites `mean` and `rstd`, which is `1 / sqrt(var + eps)` with the biased variance (Σ of squares /
/// count), and moves the running statistics.
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
    for channel in 0..channels {
        let mut joined = Joined::default();
        let mut left = images;
        for group in statistics.chunks_exact(channels) {
            let own = (left.min(LANES) * pixels) as f64;
            joined.add(own, group[channel].map(f64::from));
            left = left.saturating_sub(LANES);
        }
        joined.finish(channel, eps, [mean, rstd], running.as_mut());
    }
}

/// The statistics of a channel whose parts are joined one after the other.
#[derive(Default)]
pub(crate) struct Joined {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Joined {
    /// Joins so many more numbers: their mean, and the sum of squared deviations from it.
    pub(crate) fn add(&mut self, count: f64, [mean, squares]: [f64; 2]) {
        let share = count / (self.count + count);
        let delta = mean - self.mean;
        self.mean += delta * share;
        self.squares += squares + delta * delta * self.count * share;
        self.count += count;
    }

    /// The mean, and the sum of squared deviations from it.
    pub(crate) fn numbers(&self) -> [f32; 2] {
        [self.mean, self.squares].map(|number| number as f32)
    }

    /// Writes the channel's `mean` and `rstd`, and moves its running statistics.
    pub(crate) fn finish(
        self,
        channel: usize,
        eps: f32,
        [mean, rstd]: [&mut [f32]; 2],
        running: Option<&mut Running<'_>>,
    ) {
        let Joined { count, mean: center, squares } = self;
        mean[channel] = center as f32;
        rstd[channel] = (1.0 / (squares / count + f64::from(eps)).sqrt()) as f32;
        if let Some(running) = running {
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

/// `y = f((x − mean) · rstd · weight + bias + other)`; overwrites `y`.
///
/// With [`Spread::Variance`](super::Spread::Variance) it is the pass of inference.
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
            apply_some(s, norm, channel, fused, x, other, y);
        }
    }
}

/// Some pixels of a channel.
#[inline(always)]
pub(super) fn apply_some<S: Simd>(
    s: S,
    norm: &BatchNorm<'_>,
    channel: usize,
    fused: Fused,
    x: &[Lanes],
    other: Option<&[Lanes]>,
    y: &mut [Lanes],
) {
    // Subtracts the mean first: with the mean in the bias, one far from zero would cost precision.
    let factors = [
        s.splat(norm.mean[channel]),
        s.splat(norm.scale(channel)),
        s.splat(norm.bias.map_or(0.0, |bias| bias[channel])),
    ];
    // One loop for each function, without a branch inside.
    match fused {
        Fused::Identity => apply_channel(s, Fused::Identity, factors, x, other, y),
        Fused::Relu => apply_channel(s, Fused::Relu, factors, x, other, y),
        Fused::Leaky(_) => apply_channel(s, fused, factors, x, other, y),
        Fused::Relu6 => apply_channel(s, Fused::Relu6, factors, x, other, y),
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

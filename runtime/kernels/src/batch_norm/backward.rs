//! The backward pass: gather, merge, apply.

use typenet_shape::Activation;

use super::super::fused::Fused;
use super::super::moments::{mask, masked};
use super::super::simd::{Kernel, Simd};
use super::super::{Isa, LANES, Lanes, activation};
use super::gather_backward::{Again, GatherBackward, GatherBackwardMasked};
use super::layer::{BatchNorm, groups, pairs_mut};

/// Overwrites `sums`, `[channels][2]`, with the sums of `d` and of `d · x̂` for each channel, where `d` is
/// the gradient before the activation and `x̂ = (x − mean) · rstd`.
///
/// # Panics
/// When a slice has a wrong length, `images` is not 1 to 16, [`Activation::is_simple`] says no, or this machine lacks
/// `isa`.
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
    assert!(norm.f.is_simple(), "an activation that is computed again");
    isa.run(GatherBackward { images, norm, pixels, x, dy, sums: pairs_mut(norm, sums) });
}

/// As [`gather_backward`], where `other` was added to the result: turns `dy` into the gradient before the
/// activation, which is also that of `other`, with 0 in missing images. `y` is what [`apply`](super::apply)
/// left; without an activation it is not read, and may be empty. [`apply_backward`] then takes a norm without
/// activation.
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
    // `x` stands in for `y`, and is not read as such.
    let y = if norm.f == Activation::Identity { x } else { y };
    assert_eq!(y.len(), x.len(), "the output's length");
    if let Some(f) = after {
        activation::backward_in_place(isa, f, y, dy);
    }
    let sums = pairs_mut(norm, sums);
    isa.run(GatherBackwardMasked { images, norm, pixels, fused, x, y, dy, sums });
}

/// Adds up the sums of all groups of a batch of `images` images, in their order. Overwrites `means`,
/// `[channels][2]`, with each sum divided by the count, and adds `Σ dy · x̂` to `dw` and `Σ dy` to `db`.
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

/// The input gradient of a norm whose statistics do not depend on its input: `dx = dy · rstd · weight`.
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
    assert!(norm.f.is_simple(), "an activation that is computed again");
    isa.run(ApplyBackward { norm, pixels, mask, x, dy, means, dx });
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
            // One loop for each function, without a branch inside.
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

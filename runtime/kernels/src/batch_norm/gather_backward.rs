//! The sums that the backward pass needs of each group.

use super::super::Lanes;
use super::super::fused::Fused;
use super::super::moments::{BLOCK, mask, masked, totals};
use super::super::simd::{Kernel, Simd};
use super::layer::BatchNorm;

/// What recomputes a channel's result, and from it the gradient of its activation.
#[derive(Clone, Copy)]
pub(super) struct Again<V> {
    pub(super) fused: Fused,
    pub(super) mean: V,
    pub(super) scale: V,
    pub(super) bias: V,
}

impl<V: Copy> Again<V> {
    #[inline(always)]
    pub(super) fn new<S: Simd<V = V>>(
        s: S,
        norm: &BatchNorm<'_>,
        channel: usize,
        fused: Fused,
    ) -> Again<V> {
        let mean = s.splat(norm.mean[channel]);
        let scale = s.splat(norm.scale(channel));
        let bias = s.splat(norm.bias.map_or(0.0, |bias| bias[channel]));
        Again { fused, mean, scale, bias }
    }

    /// `x − mean`, and the gradient before the activation.
    #[inline(always)]
    pub(super) fn gradient<S: Simd<V = V>>(&self, s: S, x: V, dy: V) -> (V, V) {
        let x = s.sub(x, self.mean);
        let y = self.fused.apply(s, s.fma(x, self.scale, self.bias));
        (x, self.fused.gradient(s, y, dy))
    }
}

pub(super) struct GatherBackward<'a> {
    pub(super) images: usize,
    pub(super) norm: &'a BatchNorm<'a>,
    pub(super) pixels: usize,
    pub(super) x: &'a [Lanes],
    pub(super) dy: &'a [Lanes],
    pub(super) sums: &'a mut [[f32; 2]],
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
                // One loop for each function, without a branch inside.
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

/// `Σ d` and `Σ d (x − mean)` of each lane.
#[inline(always)]
fn sum_block<S: Simd>(s: S, again: &Again<S::V>, x: &[Lanes], dy: &[Lanes]) -> [Lanes; 2] {
    let mut out = [Lanes::ZERO; 2];
    let (x_fours, x_rest) = x.as_chunks::<4>();
    let (dy_fours, dy_rest) = dy.as_chunks::<4>();
    for part in 0..S::PARTS {
        // Four accumulators each, so that additions do not wait for each other.
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

pub(super) struct GatherBackwardMasked<'a> {
    pub(super) images: usize,
    pub(super) norm: &'a BatchNorm<'a>,
    pub(super) pixels: usize,
    pub(super) fused: Fused,
    pub(super) x: &'a [Lanes],
    pub(super) y: &'a [Lanes],
    pub(super) dy: &'a mut [Lanes],
    pub(super) sums: &'a mut [[f32; 2]],
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

/// `dy = dy · f'`, and `Σ dy` and `Σ dy (x − mean)` of each lane.
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
        // Four accumulators each, so that additions do not wait for each other.
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

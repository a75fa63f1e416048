//! Group normalisation (Wu and He, 2018) and layer normalisation (Ba and others, 2016), as
//! PyTorch's `GroupNorm`, and `LayerNorm` over a whole value:
//! `y = f((x − mean) / sqrt(var + eps) · weight + bias)`, with the mean and the biased variance of
//! each image by itself, and of each group of its channels.

use typenet_shape::Activation;

use super::fused::Fused;
use super::moments::{BLOCK, Moments, PARTS, mask, masked, parts, totals};
use super::simd::{Kernel, Simd};
use super::{Isa, LANES, Lanes, activation};

/// What is the same for all images.
#[derive(Clone, Copy, Debug)]
pub struct GroupNorm<'a> {
    /// Groups of channels; 1 for a layer norm.
    pub groups: usize,
    /// Added to the variance.
    pub eps: f32,
    /// One number for each channel, or for each number of a value (a layer norm): each applies to
    /// `x.len() / weight.len()` consecutive numbers. Ones, when left out.
    pub weight: Option<&'a [f32]>,
    /// Likewise; zeros, when left out.
    pub bias: Option<&'a [f32]>,
}

/// Gradients of the parameters, which are added to; left out where there is no parameter or nobody wants its
/// gradient.
#[derive(Debug, Default)]
pub struct Gradients<'a> {
    /// `Σ dy · x̂`
    pub weight: Option<&'a mut [f32]>,
    /// `Σ dy`
    pub bias: Option<&'a mut [f32]>,
}

/// Overwrites `y`. Two passes over `x`.
///
/// # Panics
/// When a slice has a wrong length, or this machine lacks `isa`.
pub fn forward(isa: Isa, norm: &GroupNorm<'_>, x: &[Lanes], f: Activation, y: &mut [Lanes]) {
    norm.check(x.len());
    assert_eq!(y.len(), x.len(), "the output's length");
    let (fused, after) = Fused::split(f);
    isa.run(Forward { norm, fused, x, y });
    if let Some(f) = after {
        activation::forward_in_place(isa, f, y);
    }
}

/// With `g = dy · weight` and `x̂ = (x − mean) · rstd`:
/// `dx = rstd · (g − mean of g − x̂ · mean of g · x̂)`; overwrites `dx`, with 0 in missing images.
/// `dy` is the gradient before the activation. Three passes over `x`, which holds the statistics,
/// and two over `dy`.
///
/// # Panics
/// As [`forward`], or when `images` is not 1 to 16.
pub fn backward(
    isa: Isa,
    images: usize,
    norm: &GroupNorm<'_>,
    x: &[Lanes],
    dy: &[Lanes],
    gradients: Gradients<'_>,
    dx: &mut [Lanes],
) {
    norm.check(x.len());
    let mask = mask(images);
    assert!(dy.len() == x.len() && dx.len() == x.len(), "the gradients' lengths");
    for gradient in [&gradients.weight, &gradients.bias].into_iter().flatten() {
        let pieces = norm.pieces();
        assert_eq!(Some(gradient.len()), pieces, "the length of a parameter's gradient");
    }
    isa.run(Backward { norm, mask, x, dy, gradients, dx });
}

/// The derivative of [`forward`] without activation along `tx`, for parameters that stay:
/// `ty = rstd · (tx − mean of tx − x̂ · mean of tx · x̂) · weight`; overwrites `ty`.
///
/// # Panics
/// As [`backward`].
pub fn jvp(
    isa: Isa,
    images: usize,
    norm: &GroupNorm<'_>,
    x: &[Lanes],
    tx: &[Lanes],
    ty: &mut [Lanes],
) {
    norm.check(x.len());
    // Without weights the Jacobian is symmetric.
    let normalized = GroupNorm { weight: None, bias: None, ..*norm };
    backward(isa, images, &normalized, x, tx, Gradients::default(), ty);
    if let Some(weight) = norm.weight {
        isa.run(Weigh { weight, y: ty });
    }
}

impl GroupNorm<'_> {
    /// How many weights or biases there are, if any.
    fn pieces(&self) -> Option<usize> {
        self.weight.or(self.bias).map(<[f32]>::len)
    }

    fn check(&self, len: usize) {
        let whole = self.groups > 0 && len > 0 && len.is_multiple_of(self.groups);
        assert!(whole, "groups of channels");
        if let Some(pieces) = self.pieces() {
            let fits = pieces > 0 && pieces.is_multiple_of(self.groups);
            assert!(fits && len.is_multiple_of(pieces), "as many weights and biases in each group");
            for numbers in [self.weight, self.bias].into_iter().flatten() {
                assert_eq!(numbers.len(), pieces, "the length of weight or bias");
            }
        }
    }

    #[inline(always)]
    fn weight(&self, at: usize) -> f32 {
        self.weight.map_or(1.0, |weight| weight[at])
    }

    #[inline(always)]
    fn bias(&self, at: usize) -> f32 {
        self.bias.map_or(0.0, |bias| bias[at])
    }

    /// Mean and `1 / sqrt(var + eps)` of each image.
    #[inline(always)]
    fn statistics<S: Simd>(&self, s: S, x: &[Lanes]) -> [Lanes; 2] {
        Moments::of(s, x).mean_and_rstd(self.eps)
    }
}

struct Forward<'a> {
    norm: &'a GroupNorm<'a>,
    fused: Fused,
    x: &'a [Lanes],
    y: &'a mut [Lanes],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Forward { norm, fused, x, y } = self;
        // Without parameters a group is one piece.
        let pieces = norm.pieces().unwrap_or(norm.groups) / norm.groups;
        let len = x.len() / norm.groups;
        for (group, (x, y)) in x.chunks_exact(len).zip(y.chunks_exact_mut(len)).enumerate() {
            let statistics = norm.statistics(s, x);
            let first = group * pieces;
            // One loop for each function, without a branch inside.
            match fused {
                Fused::Identity => {
                    apply(s, norm, Fused::Identity, &statistics, first, x, pieces, y)
                }
                Fused::Relu => apply(s, norm, Fused::Relu, &statistics, first, x, pieces, y),
                Fused::Leaky(_) => apply(s, norm, fused, &statistics, first, x, pieces, y),
                Fused::Relu6 => apply(s, norm, Fused::Relu6, &statistics, first, x, pieces, y),
            }
        }
    }
}

/// One group, whose weights and biases start at `first`.
#[inline(always)]
fn apply<S: Simd>(
    s: S,
    norm: &GroupNorm<'_>,
    fused: Fused,
    [mean, rstd]: &[Lanes; 2],
    first: usize,
    x: &[Lanes],
    pieces: usize,
    y: &mut [Lanes],
) {
    let (mean, rstd) = (parts(s, mean), parts(s, rstd));
    let len = x.len() / pieces;
    for (piece, (x, y)) in x.chunks_exact(len).zip(y.chunks_exact_mut(len)).enumerate() {
        let weight = s.splat(norm.weight(first + piece));
        let bias = s.splat(norm.bias(first + piece));
        let scale = rstd.map(|rstd| s.mul(rstd, weight));
        for (x, y) in x.iter().zip(y) {
            for part in 0..S::PARTS {
                let v = s.fma(s.sub(s.load(x, part), mean[part]), scale[part], bias);
                s.store(y, part, fused.apply(s, v));
            }
        }
    }
}

/// Multiplies each of as many pieces as there are weights by its own.
struct Weigh<'a> {
    weight: &'a [f32],
    y: &'a mut [Lanes],
}

impl Kernel for Weigh<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let piece = self.y.len() / self.weight.len();
        for (&weight, y) in self.weight.iter().zip(self.y.chunks_exact_mut(piece)) {
            let weight = s.splat(weight);
            for y in y {
                for part in 0..S::PARTS {
                    let product = s.mul(s.load(y, part), weight);
                    s.store(y, part, product);
                }
            }
        }
    }
}

struct Backward<'a> {
    norm: &'a GroupNorm<'a>,
    mask: Lanes,
    x: &'a [Lanes],
    dy: &'a [Lanes],
    gradients: Gradients<'a>,
    dx: &'a mut [Lanes],
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Backward { norm, mask, x, dy, mut gradients, dx } = self;
        let pieces = norm.pieces().unwrap_or(norm.groups) / norm.groups;
        let len = x.len() / norm.groups;
        for group in 0..norm.groups {
            let x = &x[group * len..][..len];
            let dy = &dy[group * len..][..len];
            let dx = &mut dx[group * len..][..len];
            let statistics = norm.statistics(s, x);
            let first = group * pieces;
            let means = gather(s, norm, &mask, &statistics, first, x, pieces, dy, &mut gradients);
            let piece = len / pieces;
            let pieces = x.chunks_exact(piece).zip(dy.chunks_exact(piece));
            for (at, ((x, dy), dx)) in pieces.zip(dx.chunks_exact_mut(piece)).enumerate() {
                apply_backward(s, norm.weight(first + at), &mask, &statistics, &means, x, dy, dx);
            }
        }
    }
}

/// The means of `g` and of `g · x̂` of each image over a group, whose weights and biases start at `first`;
/// and the gradients of these parameters.
#[inline(always)]
fn gather<S: Simd>(
    s: S,
    norm: &GroupNorm<'_>,
    mask: &Lanes,
    statistics: &[Lanes; 2],
    first: usize,
    x: &[Lanes],
    pieces: usize,
    dy: &[Lanes],
    gradients: &mut Gradients<'_>,
) -> [Lanes; 2] {
    let (len, piece) = (x.len(), x.len() / pieces);
    if piece == 1 {
        return gather_each(s, norm, mask, statistics, first, x, dy, gradients);
    }
    let wanted = gradients.weight.is_some() || gradients.bias.is_some();
    let mut sums = Sums::NONE;
    for (at, (x, dy)) in x.chunks_exact(piece).zip(dy.chunks_exact(piece)).enumerate() {
        let weight = norm.weight(first + at);
        let (mut bias_gradient, mut weight_gradient) = (0.0, 0.0);
        for (x, dy) in x.chunks(BLOCK).zip(dy.chunks(BLOCK)) {
            let block = products(s, statistics, x, dy);
            sums.add(s, weight, &block, x.len());
            if wanted {
                let block = [block[0], block[1], Lanes::ZERO, Lanes::ZERO];
                let [dy, product, ..] = totals(s, mask, &block);
                bias_gradient += f64::from(dy);
                weight_gradient += f64::from(product);
            }
        }
        if let Some(bias) = &mut gradients.bias {
            bias[first + at] += bias_gradient as f32;
        }
        if let Some(weight) = &mut gradients.weight {
            weight[first + at] += weight_gradient as f32;
        }
    }
    sums.means(len)
}

/// [`gather`] where each number has a weight of its own, two numbers at a time.
#[inline(always)]
fn gather_each<S: Simd>(
    s: S,
    norm: &GroupNorm<'_>,
    mask: &Lanes,
    [mean, rstd]: &[Lanes; 2],
    first: usize,
    x: &[Lanes],
    dy: &[Lanes],
    gradients: &mut Gradients<'_>,
) -> [Lanes; 2] {
    let zero = s.splat(0.0);
    let (mask, mean, rstd) = (parts(s, mask), parts(s, mean), parts(s, rstd));
    let mut sums = Sums::NONE;
    let mut at = first;
    for (x, dy) in x.chunks(BLOCK).zip(dy.chunks(BLOCK)) {
        let (mut g_sum, mut product_sum) = ([[zero; PARTS]; 2], [[zero; PARTS]; 2]);
        for (x, dy) in x.chunks(2).zip(dy.chunks(2)) {
            let mut own = [zero; 4];
            for (i, (x, dy)) in x.iter().zip(dy).enumerate() {
                let weight = s.splat(norm.weight(at + i));
                for part in 0..S::PARTS {
                    let d = s.load(dy, part);
                    let hat = s.mul(s.sub(s.load(x, part), mean[part]), rstd[part]);
                    let product = s.mul(d, hat);
                    g_sum[i][part] = s.fma(weight, d, g_sum[i][part]);
                    product_sum[i][part] = s.fma(weight, product, product_sum[i][part]);
                    own[2 * i] = s.add(own[2 * i], masked(s, mask[part], d));
                    own[2 * i + 1] = s.add(own[2 * i + 1], masked(s, mask[part], product));
                }
            }
            let own = s.sums(own);
            for i in 0..x.len() {
                if let Some(bias) = &mut gradients.bias {
                    bias[at + i] += own[2 * i];
                }
                if let Some(weight) = &mut gradients.weight {
                    weight[at + i] += own[2 * i + 1];
                }
            }
            at += x.len();
        }
        for (short, [even, odd]) in sums.short.iter_mut().zip([g_sum, product_sum]) {
            for part in 0..S::PARTS {
                s.store(short, part, s.add(even[part], odd[part]));
            }
        }
        sums.flush();
    }
    sums.means(x.len())
}

/// Sums in `f32` of up to [`BLOCK`] numbers, which are added up in `f64`.
struct Sums {
    short: [Lanes; 2],
    /// How many numbers of an image are in `short`.
    count: usize,
    long: [[f64; LANES]; 2],
}

impl Sums {
    const NONE: Sums = Sums { short: [Lanes::ZERO; 2], count: 0, long: [[0.0; LANES]; 2] };

    #[inline(always)]
    fn add<S: Simd>(&mut self, s: S, weight: f32, block: &[Lanes; 2], count: usize) {
        let weight = s.splat(weight);
        for (short, block) in self.short.iter_mut().zip(block) {
            for part in 0..S::PARTS {
                let sum = s.fma(weight, s.load(block, part), s.load(short, part));
                s.store(short, part, sum);
            }
        }
        self.count += count;
        if self.count >= BLOCK {
            self.flush();
        }
    }

    #[inline(always)]
    fn flush(&mut self) {
        for (long, short) in self.long.iter_mut().zip(&self.short) {
            for l in 0..LANES {
                long[l] += f64::from(short.0[l]);
            }
        }
        self.short = [Lanes::ZERO; 2];
        self.count = 0;
    }

    #[inline(always)]
    fn means(mut self, count: usize) -> [Lanes; 2] {
        self.flush();
        self.long.map(|sums| Lanes(sums.map(|sum| (sum / count as f64) as f32)))
    }
}

/// `Σ dy` and `Σ dy · x̂` of each image.
#[inline(always)]
fn products<S: Simd>(s: S, [mean, rstd]: &[Lanes; 2], x: &[Lanes], dy: &[Lanes]) -> [Lanes; 2] {
    let mut out = [Lanes::ZERO; 2];
    let (x_fours, x_rest) = x.as_chunks::<4>();
    let (dy_fours, dy_rest) = dy.as_chunks::<4>();
    for part in 0..S::PARTS {
        let mean = s.load(mean, part);
        // Four accumulators each, so that additions do not wait for each other.
        let (mut sums, mut products) = ([s.splat(0.0); 4], [s.splat(0.0); 4]);
        for (x, dy) in x_fours.iter().zip(dy_fours) {
            for i in 0..4 {
                let d = s.load(&dy[i], part);
                sums[i] = s.add(sums[i], d);
                products[i] = s.fma(d, s.sub(s.load(&x[i], part), mean), products[i]);
            }
        }
        for (x, dy) in x_rest.iter().zip(dy_rest) {
            let d = s.load(dy, part);
            sums[0] = s.add(sums[0], d);
            products[0] = s.fma(d, s.sub(s.load(x, part), mean), products[0]);
        }
        let [a, b, c, d] = sums;
        s.store(&mut out[0], part, s.add(s.add(a, b), s.add(c, d)));
        let [a, b, c, d] = products;
        let sum = s.add(s.add(a, b), s.add(c, d));
        s.store(&mut out[1], part, s.mul(sum, s.load(rstd, part)));
    }
    out
}

/// One piece, with its weight.
#[inline(always)]
fn apply_backward<S: Simd>(
    s: S,
    weight: f32,
    mask: &Lanes,
    [mean, rstd]: &[Lanes; 2],
    [g_mean, product_mean]: &[Lanes; 2],
    x: &[Lanes],
    dy: &[Lanes],
    dx: &mut [Lanes],
) {
    let weight = s.splat(weight);
    let (mask, mean, rstd) = (parts(s, mask), parts(s, mean), parts(s, rstd));
    let (g_mean, mut slope) = (parts(s, g_mean), parts(s, product_mean));
    for part in 0..S::PARTS {
        slope[part] = s.mul(rstd[part], s.sub(s.splat(0.0), slope[part]));
    }
    for ((x, dy), dx) in x.iter().zip(dy).zip(dx) {
        for part in 0..S::PARTS {
            // Multiplied before it is subtracted, as the mean of g was: what is equal cancels.
            let g = s.sub(s.mul(s.load(dy, part), weight), g_mean[part]);
            let x = s.sub(s.load(x, part), mean[part]);
            let d = s.mul(s.fma(x, slope[part], g), rstd[part]);
            s.store(dx, part, masked(s, mask[part], d));
        }
    }
}

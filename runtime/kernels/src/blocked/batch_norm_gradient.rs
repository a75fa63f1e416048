//! The gradient of batch normalisation with 16 channels side by side.

use super::super::activation;
use super::super::batch_norm::BatchNorm;
use super::super::fused::Fused;
use super::super::moments::BLOCK;
use super::super::simd::{Kernel, Simd};
use super::super::team::{Team, chunks, chunks_mut};
use super::super::{Isa, LANES, Lanes};
use super::batch_norm::{
    Factors, Part, batch_norm_room, check, each_function, join, leave, of_channel,
};
use super::layout::blocks;

/// The gradient of a norm's output.
#[derive(Debug)]
pub enum NormGradient<'a> {
    /// To be read; the activation's gradient is found by recomputing the result.
    Recompute(&'a [Lanes]),
    /// To be turned into the gradient before the activation, which is also that of an added value. The second
    /// field is the result; it may be empty where there is no activation.
    Mask(&'a mut [Lanes], &'a [Lanes]),
}

/// Overwrites `means`, `[channels][2]`, with the means of `d` and of `d · x̂` for each channel over all
/// images, where `d` is the gradient before the activation and `x̂ = (x − mean) · rstd`. Overwrites `dw` with
/// `Σ d · x̂` and `db` with `Σ d`, or adds to them if `accumulate`. `room` has the length
/// [`batch_norm_room`].
///
/// # Panics
/// As [`batch_norm_statistics`](super::batch_norm_statistics), or when an activation cannot be
/// [recomputed](typenet_shape::Activation::is_simple).
pub fn batch_norm_means_backward(
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
    let count = (images * area) as f64;
    let totals = totals(isa, team, images, norm, x, gradient, room);
    for (channel, total) in totals.enumerate() {
        means[channel] = total.map(|total| (total / count) as f32);
        for (to, total) in [&mut db, &mut dw].into_iter().zip(total) {
            if let Some(to) = to {
                to[channel] = if accumulate { to[channel] } else { 0.0 } + total as f32;
            }
        }
    }
}

/// What [`gather_backward`](super::super::batch_norm::gather_backward) computes of a group, here of all
/// images: overwrites `sums`, `[channels][2]`, with `Σ d` and `Σ d · x̂`. `room` has the length
/// [`batch_norm_room`].
///
/// # Panics
/// As [`batch_norm_means_backward`].
pub fn batch_norm_gather_backward(
    isa: Isa,
    team: &Team,
    images: usize,
    norm: &BatchNorm<'_>,
    x: &[Lanes],
    gradient: NormGradient<'_>,
    room: &mut [Lanes],
    sums: &mut [f32],
) {
    let (sums, rest) = sums.as_chunks_mut::<2>();
    assert!(rest.is_empty() && sums.len() == norm.mean.len(), "two numbers for each channel");
    let totals = totals(isa, team, images, norm, x, gradient, room);
    for (to, total) in sums.iter_mut().zip(totals) {
        *to = total.map(|total| total as f32);
    }
}

/// `Σ d` and `Σ d · x̂` of each channel, added up in the order of the images.
fn totals<'a>(
    isa: Isa,
    team: &Team,
    images: usize,
    norm: &'a BatchNorm<'_>,
    x: &[Lanes],
    gradient: NormGradient<'_>,
    room: &'a mut [Lanes],
) -> impl Iterator<Item = [f64; 2]> + 'a {
    let (channels, area) = check(norm, x.len(), images);
    let sums = &mut room[..batch_norm_room(channels, images)];
    let (fused, after) = Fused::split(norm.f);
    let factors = |index: usize| Factors::new(norm, index % blocks(channels));
    match gradient {
        NormGradient::Recompute(dy) => {
            assert!(norm.f.is_simple(), "an activation that is computed again");
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
    let sums = &*sums;
    (0..channels).map(move |channel| {
        let mut total = [0.0; 2];
        for sums in of_channel(sums, channels, channel) {
            total[0] += sums[0];
            total[1] += sums[1];
        }
        total[1] *= f64::from(norm.rstd(channel));
        total
    })
}

/// `dx = weight · rstd · (d − mean of d − x̂ · mean of d · x̂)` with the means of
/// [`batch_norm_means_backward`]; overwrites `dx`, or adds to it if `accumulate`. `dy` is read from `dx` when
/// left out.
///
/// # Panics
/// As [`batch_norm_means_backward`].
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
    assert!(norm.f.is_simple(), "an activation that is computed again");
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

/// The input gradient of a norm whose statistics do not depend on its input: `dx = dy · rstd · weight`, or
/// added to `dx` if `accumulate`. `dy` is read from `dx` when left out.
///
/// # Panics
/// As [`batch_norm_statistics`](super::batch_norm_statistics).
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

struct GatherBackward<'a> {
    factors: &'a Factors,
    fused: Fused,
    x: &'a [Lanes],
    dy: &'a [Lanes],
    sums: &'a mut [Lanes],
}

impl Kernel for GatherBackward<'_> {
    type Output = ();

    /// `Σ d` and `Σ d (x − mean)` of each lane.
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

/// `Σ d` and `Σ d x`, in four accumulators each, so that additions do not wait for each other.
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

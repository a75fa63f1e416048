//! The gradients of norms of each image by itself, with 16 channels side by side.

use super::super::moments::{BLOCK, Moments};
use super::super::simd::{Kernel, Simd};
use super::super::team::{Team, chunks, chunks_mut};
use super::super::{Isa, LANES, Lanes};
use super::layout::blocks;

/// A norm over groups of channels, or over the whole value: see [`group_norm`](super::super::group_norm).
#[derive(Clone, Copy, Debug)]
pub struct GroupNormGradient<'a> {
    /// Of the value; the length of one of shape `[f]`.
    pub channels: usize,
    /// Groups of channels; one for a layer norm.
    pub groups: usize,
    /// Added to the variance.
    pub eps: f32,
    /// One for each channel, or for each number of the value in its order (a layer norm's); ones, when left
    /// out.
    pub weight: Option<&'a [f32]>,
}

/// How many [`Lanes`] of scratch memory [`group_norm_backward`] needs, for values of `area` pixels.
pub const fn group_norm_backward_room(channels: usize, area: usize, images: usize) -> usize {
    // Sums of each image; and the gradients of a layer norm's parameters, and its weight.
    4 * images * blocks(channels) + 3 * blocks(channels) * area
}

/// `dx = rstd · (d − mean of d − x̂ · mean of d · x̂)` with `d = dy · weight` and the means of each
/// group, of all images, shared out among the team: overwrites `dx`, or adds to it if `accumulate_data`. The
/// gradients `of_parameters` are `Σ dy · x̂` of the weight and `Σ dy` of the bias, over images and what
/// shares the weight; they are overwritten, or added to if `accumulate`. Each of the three may be left out.
/// `room` has the length [`group_norm_backward_room`] and any contents.
///
/// # Panics
/// When a slice has a wrong length, the groups do not divide the channels, or this machine lacks `isa`.
pub fn group_norm_backward(
    isa: Isa,
    team: &Team,
    images: usize,
    norm: &GroupNormGradient<'_>,
    x: &[Lanes],
    dy: &[Lanes],
    room: &mut [Lanes],
    accumulate: bool,
    of_parameters: [Option<&mut [f32]>; 2],
    accumulate_data: bool,
    dx: Option<&mut [Lanes]>,
) {
    let &GroupNormGradient { channels, groups, eps, weight } = norm;
    let all = blocks(channels);
    let area = x.len().checked_div(images * all).unwrap_or(0);
    assert!(area > 0 && area * images * all == x.len(), "pixels of each block of channels");
    assert_eq!(dy.len(), x.len(), "the output gradient's length");
    assert!(dx.as_ref().is_none_or(|dx| dx.len() == x.len()), "the input gradient's length");
    assert!(groups > 0 && channels.is_multiple_of(groups), "groups of channels");
    let of_group = channels / groups;
    let room = &mut room[..group_norm_backward_room(channels, area, images)];
    let (sums, rest) = room.split_at_mut(4 * images * all);
    let (weights, own) = rest.split_at_mut(all * area);
    // A weight for each number, or for each channel.
    let of_numbers =
        weight.is_some_and(|weight| weight.len() != channels || area == 1 && groups == 1);
    for (number, weight) in weight.unwrap_or_default().iter().enumerate() {
        if of_numbers {
            let (channel, pixel) = (number / area, number % area);
            weights[channel / LANES * area + pixel].0[channel % LANES] = *weight;
        } else {
            weights[number / LANES].0[number % LANES] = *weight;
        }
    }
    let weights = weight.map(|_| &weights[..]);
    let of_block = |block: usize| match weights {
        Some(weights) if of_numbers => Weights::Numbers(&weights[block * area..][..area]),
        Some(weights) => Weights::Channels(weights[block]),
        None => Weights::Channels(Lanes([1.0; LANES])),
    };
    // The mean and the spread of each group of each image.
    let plane = all * area;
    team.for_each((chunks(x, plane), chunks_mut(sums, 4 * all)), |_, (x, sums)| {
        isa.run(Spread { channels, of_group, area, eps, x, sums });
    });
    // Its sums.
    let parts = (chunks(x, plane), chunks(dy, plane), chunks_mut(sums, 4 * all));
    team.for_each(parts, |_, (x, dy, sums)| {
        for block in 0..all {
            let at = block * area..(block + 1) * area;
            let (x, dy) = (&x[at.clone()], &dy[at]);
            let weights = of_block(block);
            isa.run(Gather { weights, x, dy, sums: &mut sums[4 * block..][..4] });
        }
    });
    // Those of the parameters, in the order of the images.
    let is_trained = of_parameters.iter().any(Option::is_some);
    if !of_numbers {
        for (which, d) in of_parameters.into_iter().enumerate() {
            let Some(d) = d else { continue };
            assert_eq!(d.len(), channels, "the length of a gradient");
            for (channel, d) in d.iter_mut().enumerate() {
                let total: f64 = sums
                    .chunks_exact(4 * all)
                    .map(|image| {
                        let own = &image[4 * (channel / LANES)..][..4];
                        let lane = channel % LANES;
                        let rstd = f64::from(own[1].0[lane]);
                        f64::from(own[3 - which].0[lane]) * if which == 0 { rstd } else { 1.0 }
                    })
                    .sum();
                *d = if accumulate { *d } else { 0.0 } + total as f32;
            }
        }
    } else if is_trained {
        let (own_dw, own_db) = own.split_at_mut(plane);
        own_dw.fill(Lanes::ZERO);
        own_db.fill(Lanes::ZERO);
        let parts = (chunks_mut(own_dw, area), chunks_mut(own_db, area));
        let sums = &*sums;
        team.for_each(parts, |block, (dw, db)| {
            for image in 0..images {
                let at = image * plane + block * area;
                let sums = &sums[4 * (image * all + block)..][..4];
                let (x, dy) = (&x[at..at + area], &dy[at..at + area]);
                isa.run(OfNumbers { sums, x, dy, dw: &mut *dw, db: &mut *db });
            }
        });
        for (d, own) in of_parameters.into_iter().zip([&*own_dw, &*own_db]) {
            let Some(d) = d else { continue };
            assert_eq!(d.len(), channels * area, "the length of a gradient");
            for (number, d) in d.iter_mut().enumerate() {
                let (channel, pixel) = (number / area, number % area);
                let total = own[channel / LANES * area + pixel].0[channel % LANES];
                *d = if accumulate { *d } else { 0.0 } + total;
            }
        }
    }
    // The means of each group, and what they leave.
    let Some(dx) = dx else { return };
    let parts =
        (chunks(x, plane), chunks(dy, plane), chunks_mut(sums, 4 * all), chunks_mut(dx, plane));
    team.for_each(parts, |_, (x, dy, sums, dx)| {
        let count = (of_group * area) as f64;
        for group in 0..groups {
            let own = group * of_group..(group + 1) * of_group;
            let mut totals = [0.0; 2];
            for channel in own.clone() {
                let sums = &sums[4 * (channel / LANES)..][..4];
                // What `Gather` left is weighted where each number has a weight.
                let weight = match of_block(channel / LANES) {
                    Weights::Channels(weights) => f64::from(weights.0[channel % LANES]),
                    Weights::Numbers(_) => 1.0,
                };
                for (total, sum) in totals.iter_mut().zip(&sums[2..]) {
                    *total += f64::from(sum.0[channel % LANES]) * weight;
                }
            }
            for channel in own {
                let (block, lane) = (channel / LANES, channel % LANES);
                let rstd = f64::from(sums[4 * block + 1].0[lane]);
                sums[4 * block + 2].0[lane] = (-totals[0] / count * rstd) as f32;
                sums[4 * block + 3].0[lane] = (-totals[1] / count * rstd.powi(3)) as f32;
            }
        }
        for block in 0..all {
            let at = block * area..(block + 1) * area;
            let (x, dy, dx) = (&x[at.clone()], &dy[at.clone()], &mut dx[at]);
            let (weights, sums) = (of_block(block), &sums[4 * block..][..4]);
            isa.run(Apply { weights, sums, x, dy, accumulate: accumulate_data, dx });
        }
    });
}

/// The weights of a block.
#[derive(Clone, Copy)]
enum Weights<'a> {
    /// The same for all pixels.
    Channels(Lanes),
    Numbers(&'a [Lanes]),
}

/// The mean and `1 / sqrt(var + eps)` of each channel's group, for each block in the first two of four sums.
struct Spread<'a> {
    channels: usize,
    of_group: usize,
    area: usize,
    eps: f32,
    x: &'a [Lanes],
    sums: &'a mut [Lanes],
}

impl Kernel for Spread<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Spread { channels, of_group, area, eps, x, sums } = self;
        let own = |sums: &[Lanes], channel: usize, i: usize| {
            f64::from(sums[4 * (channel / LANES) + i].0[channel % LANES])
        };
        for (x, sums) in x.chunks_exact(area).zip(sums.chunks_exact_mut(4)) {
            let moments = Moments::of(s, x);
            sums.fill(Lanes::ZERO);
            sums[2].0 = moments.means.map(|mean| mean as f32);
            sums[3].0 = moments.squares.map(|squares| squares as f32);
        }
        for first in (0..channels).step_by(of_group) {
            let (mut before, mut center, mut squares) = (0.0, 0.0, 0.0);
            for channel in first..first + of_group {
                let share = 1.0 / (before + 1.0);
                let delta = own(sums, channel, 2) - center;
                center += delta * share;
                squares += own(sums, channel, 3) + delta * delta * before * share * area as f64;
                before += 1.0;
            }
            let variance = squares / (before * area as f64);
            let rstd = 1.0 / (variance.max(0.0) + f64::from(eps)).sqrt();
            for channel in first..first + of_group {
                sums[4 * (channel / LANES)].0[channel % LANES] = center as f32;
                sums[4 * (channel / LANES) + 1].0[channel % LANES] = rstd as f32;
            }
        }
    }
}

/// `Σ d` and `Σ d (x − mean)` of each lane, `d` being `dy` times the weight where each number has one, in the
/// last two of four sums.
struct Gather<'a> {
    weights: Weights<'a>,
    x: &'a [Lanes],
    dy: &'a [Lanes],
    sums: &'a mut [Lanes],
}

impl Kernel for Gather<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Gather { weights, x, dy, sums } = self;
        let mut total = [[0.0; LANES]; 2];
        for (at, (x, dy)) in x.chunks(BLOCK).zip(dy.chunks(BLOCK)).enumerate() {
            let mut out = [Lanes::ZERO; 2];
            for part in 0..S::PARTS {
                let mean = s.load(&sums[0], part);
                let (mut sum, mut product) = ([s.splat(0.0); 4], [s.splat(0.0); 4]);
                for (i, (x, dy)) in x.iter().zip(dy).enumerate() {
                    let mut d = s.load(dy, part);
                    if let Weights::Numbers(weights) = weights {
                        d = s.mul(d, s.load(&weights[at * BLOCK + i], part));
                    }
                    sum[i % 4] = s.add(sum[i % 4], d);
                    product[i % 4] = s.fma(d, s.sub(s.load(x, part), mean), product[i % 4]);
                }
                for (out, [a, b, c, d]) in out.iter_mut().zip([sum, product]) {
                    s.store(out, part, s.add(s.add(a, b), s.add(c, d)));
                }
            }
            for (total, out) in total.iter_mut().zip(&out) {
                for (total, &sum) in total.iter_mut().zip(&out.0) {
                    *total += f64::from(sum);
                }
            }
        }
        for (to, total) in sums[2..].iter_mut().zip(total) {
            to.0 = total.map(|sum| sum as f32);
        }
    }
}

/// Adds `dy · x̂` to `dw` and `dy` to `db`, number by number.
struct OfNumbers<'a> {
    sums: &'a [Lanes],
    x: &'a [Lanes],
    dy: &'a [Lanes],
    dw: &'a mut [Lanes],
    db: &'a mut [Lanes],
}

impl Kernel for OfNumbers<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let OfNumbers { sums, x, dy, dw, db } = self;
        for ((x, dy), (dw, db)) in x.iter().zip(dy).zip(dw.iter_mut().zip(db)) {
            for part in 0..S::PARTS {
                let (mean, rstd) = (s.load(&sums[0], part), s.load(&sums[1], part));
                let d = s.load(dy, part);
                let hat = s.mul(s.sub(s.load(x, part), mean), rstd);
                let sum = s.fma(d, hat, s.load(dw, part));
                s.store(dw, part, sum);
                let sum = s.add(d, s.load(db, part));
                s.store(db, part, sum);
            }
        }
    }
}

/// `dx = d · rstd + (x − mean) · slope + shift`, the last two being those of the sums.
struct Apply<'a> {
    weights: Weights<'a>,
    sums: &'a [Lanes],
    x: &'a [Lanes],
    dy: &'a [Lanes],
    accumulate: bool,
    dx: &'a mut [Lanes],
}

impl Kernel for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Apply { weights, sums, x, dy, accumulate, dx } = self;
        for (i, ((x, dy), dx)) in x.iter().zip(dy).zip(dx).enumerate() {
            for part in 0..S::PARTS {
                let (mean, rstd) = (s.load(&sums[0], part), s.load(&sums[1], part));
                let (shift, slope) = (s.load(&sums[2], part), s.load(&sums[3], part));
                let weight = match weights {
                    Weights::Channels(weights) => s.load(&weights, part),
                    Weights::Numbers(weights) => s.load(&weights[i], part),
                };
                let d = s.mul(s.mul(s.load(dy, part), weight), rstd);
                let mut d = s.add(d, s.fma(s.sub(s.load(x, part), mean), slope, shift));
                if accumulate {
                    d = s.add(s.load(dx, part), d);
                }
                s.store(dx, part, d);
            }
        }
    }
}

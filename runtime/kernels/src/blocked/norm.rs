//! Normalisations of one image, or some.

use typenet_shape::Activation;

use super::super::fused::Fused;
use super::super::moments::{Joint, Moments, parts};
use super::super::simd::{Kernel, Simd};
use super::super::team::{Team, chunks, chunks_mut};
use super::super::{Isa, LANES, Lanes, activation, elementwise};
use super::conv2d::images;
use super::layout::blocks;

/// `y = f(x · scale + shift + other)`, with one [`Lanes`] of factors for each block of `area` pixels: a batch
/// norm of inference that could not be folded into a convolution before it. Computes as many images as `y`
/// holds, shared out among the team; overwrites `y`.
///
/// # Panics
/// When `x` is not so many blocks, a slice has a wrong length, or this machine lacks `isa`.
pub fn affine(
    isa: Isa,
    team: &Team,
    area: usize,
    x: &[Lanes],
    [scale, shift]: [&[Lanes]; 2],
    other: Option<&[Lanes]>,
    f: Activation,
    y: &mut [Lanes],
) {
    let blocks = scale.len();
    images(y.len(), blocks * area);
    assert!(shift.len() == blocks && y.len() == x.len(), "the lengths of shift and output");
    assert!(other.is_none_or(|other| other.len() == y.len()), "the added value's length");
    // A sum costs a pass of its own here: this is the rare norm with no convolution before it.
    let (fused, after) = Fused::split(if other.is_some() { Activation::Identity } else { f });
    team.for_each((chunks(x, area), chunks_mut(y, area)), |index, (x, y)| {
        let factors = [&scale[index % blocks], &shift[index % blocks]];
        isa.run(Affine { x, factors, fused, y });
        if let Some(other) = other {
            elementwise::add_activated(isa, &other[index * area..][..area], f, y);
        } else if let Some(f) = after {
            activation::forward_in_place(isa, f, y);
        }
    });
}

/// A layer norm over the whole value: see [`group_norm`](super::super::group_norm).
#[derive(Clone, Copy, Debug)]
pub struct LayerNorm<'a> {
    /// Of the value; the length of one of shape `[f]`.
    pub channels: usize,
    /// Added to the variance.
    pub eps: f32,
    /// One for each number of the value, laid out as the value is; ones, when left out.
    pub weight: Option<&'a [Lanes]>,
    /// Likewise; zeros, when left out.
    pub bias: Option<&'a [Lanes]>,
}

/// `y = f((x − mean) / sqrt(var + eps) · weight + bias)` of one image; overwrites `y`. Two passes over `x`.
///
/// # Panics
/// When a slice has a wrong length, or this machine lacks `isa`.
pub fn layer_norm(isa: Isa, norm: &LayerNorm<'_>, x: &[Lanes], f: Activation, y: &mut [Lanes]) {
    let blocks = blocks(norm.channels);
    let area = x.len().checked_div(blocks).unwrap_or(0);
    assert!(area > 0 && area * blocks == x.len(), "pixels of each block of channels");
    assert_eq!(y.len(), x.len(), "the output's length");
    for numbers in [norm.weight, norm.bias].into_iter().flatten() {
        assert_eq!(numbers.len(), x.len(), "the length of weight or bias");
    }
    let (fused, after) = Fused::split(f);
    isa.run(Normalise { norm, area, x, fused, y });
    if let Some(f) = after {
        activation::forward_in_place(isa, f, y);
    }
}

/// A norm over groups of channels: see [`group_norm`](super::super::group_norm).
#[derive(Clone, Copy, Debug)]
pub struct GroupNorm<'a> {
    /// Of the value.
    pub channels: usize,
    /// Groups of channels, all of one size.
    pub groups: usize,
    /// Added to the variance.
    pub eps: f32,
    /// One for each channel, in as many [`Lanes`] as there are blocks; ones, when left out.
    pub weight: Option<&'a [Lanes]>,
    /// Likewise; zeros, when left out.
    pub bias: Option<&'a [Lanes]>,
}

impl GroupNorm<'_> {
    /// How many [`Lanes`] of scratch memory [`group_norm`] needs.
    pub const fn room_len(channels: usize) -> usize {
        2 * blocks(channels)
    }
}

/// `y = f((x − mean) / sqrt(var + eps) · weight + bias)` of one image, with the mean and the variance of
/// each group; overwrites `y`. `room` has the length [`GroupNorm::room_len`] and any contents.
///
/// # Panics
/// When a slice has a wrong length, the groups do not divide the channels, or this machine lacks `isa`.
pub fn group_norm(
    isa: Isa,
    norm: &GroupNorm<'_>,
    x: &[Lanes],
    f: Activation,
    room: &mut [Lanes],
    y: &mut [Lanes],
) {
    let blocks = blocks(norm.channels);
    let area = x.len().checked_div(blocks).unwrap_or(0);
    assert!(area > 0 && area * blocks == x.len(), "pixels of each block of channels");
    assert!(norm.groups > 0 && norm.channels.is_multiple_of(norm.groups), "groups of channels");
    assert_eq!(y.len(), x.len(), "the output's length");
    assert_eq!(room.len(), GroupNorm::room_len(norm.channels), "the room's length");
    for numbers in [norm.weight, norm.bias].into_iter().flatten() {
        assert_eq!(numbers.len(), blocks, "the length of weight or bias");
    }
    let (fused, after) = Fused::split(f);
    isa.run(NormaliseGroups { norm, area, x, fused, room, y });
    if let Some(f) = after {
        activation::forward_in_place(isa, f, y);
    }
}

/// One block of channels.
struct Affine<'a> {
    x: &'a [Lanes],
    factors: [&'a Lanes; 2],
    fused: Fused,
    y: &'a mut [Lanes],
}

impl Kernel for Affine<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Affine { x, factors, fused, y } = self;
        // One loop for each function, without a branch inside.
        match fused {
            Fused::Identity => affine_block(s, Fused::Identity, factors, x, y),
            Fused::Relu => affine_block(s, Fused::Relu, factors, x, y),
            Fused::Leaky(_) => affine_block(s, fused, factors, x, y),
            Fused::Relu6 => affine_block(s, Fused::Relu6, factors, x, y),
        }
    }
}

#[inline(always)]
fn affine_block<S: Simd>(
    s: S,
    fused: Fused,
    [scale, shift]: [&Lanes; 2],
    x: &[Lanes],
    y: &mut [Lanes],
) {
    let (scale, shift) = (parts(s, scale), parts(s, shift));
    for (x, y) in x.iter().zip(y) {
        for part in 0..S::PARTS {
            let v = s.fma(s.load(x, part), scale[part], shift[part]);
            s.store(y, part, fused.apply(s, v));
        }
    }
}

struct Normalise<'a> {
    norm: &'a LayerNorm<'a>,
    area: usize,
    x: &'a [Lanes],
    fused: Fused,
    y: &'a mut [Lanes],
}

impl Kernel for Normalise<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Normalise { norm, area, x, fused, y } = self;
        // Of the last block only the channels that there are.
        let (whole, last) = x.split_at(norm.channels / LANES * area);
        let mut all = Joint::default();
        for (part, lanes) in [(whole, LANES), (last, norm.channels % LANES)] {
            if !part.is_empty() {
                all.join(Moments::of(s, part).together(0..lanes));
            }
        }
        let [mean, rstd] = all.mean_and_rstd(norm.eps).map(|number| s.splat(number));
        for (at, (x, y)) in x.iter().zip(y).enumerate() {
            for part in 0..S::PARTS {
                let mut v = s.mul(s.sub(s.load(x, part), mean), rstd);
                if let Some(weight) = norm.weight {
                    v = s.mul(v, s.load(&weight[at], part));
                }
                if let Some(bias) = norm.bias {
                    v = s.add(v, s.load(&bias[at], part));
                }
                s.store(y, part, fused.apply(s, v));
            }
        }
    }
}

struct NormaliseGroups<'a> {
    norm: &'a GroupNorm<'a>,
    area: usize,
    x: &'a [Lanes],
    fused: Fused,
    room: &'a mut [Lanes],
    y: &'a mut [Lanes],
}

impl Kernel for NormaliseGroups<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let NormaliseGroups { norm, area, x, fused, room, y } = self;
        let (means, rstds) = room.split_at_mut(room.len() / 2);
        // What stands past the last channel stays finite.
        rstds[means.len() - 1] = Lanes::ZERO;
        means[rstds.len() - 1] = Lanes::ZERO;
        let a_group = norm.channels / norm.groups;
        // A block may end one group and begin the next.
        let mut known = (0, Moments::of(s, &x[..area]));
        for group in 0..norm.groups {
            let channels = group * a_group..(group + 1) * a_group;
            let lanes_of = |block: usize| {
                let first = channels.start.max(block * LANES);
                first - block * LANES..channels.end.min((block + 1) * LANES) - block * LANES
            };
            let own = channels.start / LANES..channels.end.div_ceil(LANES);
            let mut all = Joint::default();
            for block in own.clone() {
                if known.0 != block {
                    known = (block, Moments::of(s, &x[block * area..][..area]));
                }
                all.join(known.1.together(lanes_of(block)));
            }
            let [mean, rstd] = all.mean_and_rstd(norm.eps);
            for block in own {
                means[block].0[lanes_of(block)].fill(mean);
                rstds[block].0[lanes_of(block)].fill(rstd);
            }
        }
        let values = x.chunks_exact(area).zip(y.chunks_exact_mut(area));
        for (block, (x, y)) in values.enumerate() {
            let weight = norm.weight.map_or([s.splat(1.0); 4], |weight| parts(s, &weight[block]));
            let bias = norm.bias.map_or([s.splat(0.0); 4], |bias| parts(s, &bias[block]));
            let (mean, rstd) = (parts(s, &means[block]), parts(s, &rstds[block]));
            for (x, y) in x.iter().zip(y) {
                for part in 0..S::PARTS {
                    let scale = s.mul(rstd[part], weight[part]);
                    let v = s.fma(s.sub(s.load(x, part), mean[part]), scale, bias[part]);
                    s.store(y, part, fused.apply(s, v));
                }
            }
        }
    }
}

//! What works on values with 16 channels side by side, and how they are joined and turned, against plain
//! loops, on every instruction set.

use crate::support::*;
use proptest::prelude::*;
use typenet_kernels::blocked::{self, GroupNorm, blocks};
use typenet_kernels::team::Team;
use typenet_kernels::{Isa, LANES, Lanes};
use typenet_shape::Activation;

const EPS: f32 = 1e-5;

const ACTIVATIONS: [Activation; 6] = [
    Activation::Identity,
    Activation::Relu,
    Activation::LeakyRelu { negative_slope: 0.25 },
    Activation::Relu6,
    Activation::Tanh,
    Activation::Hardswish,
];

#[test]
fn affine() {
    for (channels, area, images) in [(1, 1, 2), (16, 7, 1), (17, 9, 3), (40, 1, 1), (33, 64, 2)] {
        let mut random = Random::new(10);
        let len = channels * area;
        let x = random.numbers(images * len);
        let (scale, shift) = (random.numbers(channels), random.numbers(channels));
        let lanes = all_blocked(x.chunks(len), channels);
        let factors = [&scale, &shift].map(|numbers| blocked(numbers, channels));
        let factors = [factors[0].as_slice(), &factors[1]];
        for (isa, f) in Isa::available().flat_map(|isa| ACTIVATIONS.map(|f| (isa, f))) {
            let expected: Vec<f64> = wide(&x)
                .iter()
                .enumerate()
                .map(|(at, x)| {
                    let c = at % len / area;
                    exact(f, x * f64::from(scale[c]) + f64::from(shift[c])).0
                })
                .collect();
            let (mut y, mut sum) = (poison(lanes.len()), poison(lanes.len()));
            Team::gather(2, |team| {
                blocked::affine(isa, team, area, &lanes, factors, None, f, &mut y);
                blocked::affine(isa, team, area, &lanes, factors, Some(&y), f, &mut sum);
            });
            let what = format!("{isa} {f:?} {channels} {area}");
            assert_close(&all_planar(&y, images, channels, area), &expected, 1e-6, &what);
            if f == Activation::Identity {
                let doubled: Vec<f64> = expected.iter().map(|y| 2.0 * y).collect();
                assert_close(&all_planar(&sum, images, channels, area), &doubled, 1e-6, &what);
            }
        }
    }
}

fn check_group_norm(
    [groups, of_group, area]: [usize; 3],
    [has_weight, has_bias]: [bool; 2],
    offset: f32,
    seed: u64,
) {
    let channels = groups * of_group;
    let mut random = Random::new(seed);
    let mut x = random.numbers(channels * area);
    x.iter_mut().for_each(|x| *x += offset);
    let [weight, bias] = [has_weight, has_bias].map(|has| has.then(|| random.numbers(channels)));
    let at = |numbers: &Option<Vec<f32>>, channel: usize, default: f64| {
        numbers.as_ref().map_or(default, |numbers| f64::from(numbers[channel]))
    };
    let mut expected = Vec::new();
    for (group, x) in wide(&x).chunks(of_group * area).enumerate() {
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64;
        let rstd = 1.0 / (variance + f64::from(EPS)).sqrt();
        expected.extend(x.iter().enumerate().map(|(i, x)| {
            let channel = group * of_group + i / area;
            (x - mean) * rstd * at(&weight, channel, 1.0) + at(&bias, channel, 0.0)
        }));
    }
    let [weight, bias] = [weight, bias].map(|numbers| numbers.map(|n| blocked(&n, channels)));
    let (weight, bias) = (weight.as_deref(), bias.as_deref());
    let norm = GroupNorm { channels, groups, eps: EPS, weight, bias };
    let x = blocked(&x, channels);
    for (isa, f) in Isa::available().flat_map(|isa| ACTIVATIONS.map(|f| (isa, f))) {
        let mut y = poison(x.len());
        let mut room = poison(GroupNorm::room_len(channels));
        blocked::group_norm(isa, &norm, &x, f, &mut room, &mut y);
        let found = planar(&y, channels, area);
        let what = format!("{isa} {f:?}: {groups} groups of {of_group} channels of {area}");
        // A number far from zero has lost digits before it comes here.
        let bound = 1e-5 * (1.0 + f64::from(offset.abs()));
        for (found, expected) in found.iter().zip(&expected) {
            let expected = exact(f, *expected).0;
            let off = (found - expected).abs();
            assert!(off <= bound * (1.0 + expected.abs()), "{what}: {found} for {expected}");
        }
    }
}

#[test]
fn group_norms() {
    for groups in [1, 2, 3, 8, 32] {
        for of_group in [1, 2, 5, 16, 21, 48] {
            for area in [1, 9, 65] {
                if of_group * area > 2 {
                    check_group_norm([groups, of_group, area], [true, true], 0.0, 1);
                }
            }
        }
    }
    check_group_norm([4, 6, 30], [false, true], 20.0, 2);
    check_group_norm([4, 6, 30], [true, false], -20.0, 3);
}

fn check_softmax(channels: usize, area: usize, factor: f32, seed: u64) {
    let mut random = Random::new(seed);
    let mut x = random.numbers(channels * area);
    x.iter_mut().for_each(|x| *x *= factor);
    let lanes = blocked(&x, channels);
    let (mut plain, mut logs) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    for pixel in 0..area {
        let at = |c: usize| c * area + pixel;
        let top = (0..channels).map(|c| f64::from(x[at(c)])).fold(f64::MIN, f64::max);
        let sum: f64 = (0..channels).map(|c| (f64::from(x[at(c)]) - top).exp()).sum();
        for c in 0..channels {
            logs[at(c)] = f64::from(x[at(c)]) - top - sum.ln();
            plain[at(c)] = logs[at(c)].exp();
        }
    }
    for isa in Isa::available() {
        let what = format!("{isa}: {channels} channels of {area}");
        let (mut y, mut log) = (poison(lanes.len()), poison(lanes.len()));
        blocked::softmax(isa, channels, false, &lanes, &mut y);
        blocked::softmax(isa, channels, true, &lanes, &mut log);
        assert_close(&planar(&y, channels, area), &plain, 2e-6, &what);
        assert_close(&planar(&log, channels, area), &logs, 2e-6, &what);
        // What other kernels multiply with zero must be finite.
        assert!(y.iter().chain(&log).flat_map(|lanes| lanes.0).all(f32::is_finite), "{what}");
    }
}

#[test]
fn softmaxes() {
    for channels in [1, 2, 10, 15, 16, 17, 33, 100] {
        for area in [1, 3, 12] {
            check_softmax(channels, area, 3.0, 4);
            check_softmax(channels, area, 200.0, 5);
        }
    }
}

#[test]
fn a_nan_makes_its_own_pixel_nan() {
    for isa in Isa::available() {
        for channel in [0, 5, 17] {
            let mut numbers = vec![0.5; 18 * 3];
            numbers[channel * 3 + 1] = f32::NAN;
            let x = blocked(&numbers, 18);
            for log in [false, true] {
                let mut y = poison(x.len());
                blocked::softmax(isa, 18, log, &x, &mut y);
                for (at, y) in planar(&y, 18, 3).iter().enumerate() {
                    assert_eq!(y.is_nan(), at % 3 == 1, "{isa} {channel} {at}");
                }
            }
        }
    }
}

fn check_join(parts: &[usize], area: usize, seed: u64) {
    let mut random = Random::new(seed);
    let channels: usize = parts.iter().sum();
    let numbers = random.numbers(channels * area);
    let mut to = poison(blocks(channels) * area);
    let mut start = 0;
    for &part in parts {
        let own = &numbers[start * area..(start + part) * area];
        blocked::join_channels(&blocked(own, part), part, start, &mut to);
        start += part;
    }
    assert_eq!(planar(&to, channels, area), wide(&numbers), "{parts:?} of {area}");
    // In place of some: the others stay.
    let (first, rest) = (parts[0], &parts[1..]);
    if let [second, ..] = rest {
        let zeros = vec![0.0; second * area];
        blocked::join_channels(&blocked(&zeros, *second), *second, first, &mut to);
        let found = planar(&to, channels, area);
        let (from, end) = (first * area, (first + second) * area);
        assert_eq!(found[..from], wide(&numbers[..from]));
        assert_eq!(found[from..end], wide(&zeros));
        assert_eq!(found[end..], wide(&numbers[end..]));
    }
}

fn check_rearrange(channels: usize, other: usize, area: usize, seed: u64) {
    let numbers = Random::new(seed).numbers(channels * other * area);
    let from = blocked(&numbers, channels);
    let mut to = poison(blocks(other) * channels * area);
    blocked::rearrange(&from, channels, &mut to, other);
    assert_eq!(planar(&to, other, channels * area), wide(&numbers), "{channels} {other} {area}");
    let last = &to[(blocks(other) - 1) * channels * area..];
    let past = |lanes: &Lanes| lanes.0[(other - 1) % LANES + 1..].iter().all(|&n| n == 0.0);
    assert!(last.iter().all(past), "zeros past the last channel");
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn channels_are_joined(
        parts in prop::collection::vec(1..=40usize, 1..=5),
        area in 1..=9usize,
        seed: u64,
    ) {
        check_join(&parts, area, seed);
    }

    #[test]
    fn values_are_rearranged(
        channels in 1..=40usize,
        other in 1..=40usize,
        area in 1..=5usize,
        seed: u64,
    ) {
        check_rearrange(channels, other, area, seed);
    }

    #[test]
    fn random_group_norms(
        groups in 1..=20usize,
        of_group in 1..=20usize,
        area in 1..=70usize,
        affine: [bool; 2],
        seed: u64,
    ) {
        prop_assume!(of_group * area > 2);
        check_group_norm([groups, of_group, area], affine, 0.0, seed);
    }

    #[test]
    fn random_softmaxes(channels in 1..=70usize, area in 1..=20usize, seed: u64) {
        check_softmax(channels, area, 5.0, seed);
    }
}

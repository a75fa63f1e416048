//! Batch normalisation against plain loops in f64, on every instruction set, with NaN wherever no
//! image is.

use crate::support::*;
use proptest::prelude::*;
use typenet_kernels::batch_norm::{self, BatchNorm, Running, Spread};
use typenet_kernels::{Isa, LANES, Lanes};
use typenet_shape::Activation;

const EPS: f32 = 1e-5;
const MOMENTUM: f32 = 0.1;

/// A batch: of each image the numbers, channel by channel.
type Batch = Vec<Vec<f64>>;

/// The same in groups of 16 images, with NaN where no image is.
fn groups(
    random: &mut Random,
    images: usize,
    len: usize,
    number: impl Fn(usize, f32) -> f32,
) -> Vec<Vec<Lanes>> {
    (0..images.div_ceil(LANES))
        .map(|group| {
            let mut value = random.lanes(len);
            for (at, lanes) in value.iter_mut().enumerate() {
                for (lane, n) in lanes.0.iter_mut().enumerate() {
                    let present = group * LANES + lane < images;
                    *n = if present { number(at, *n) } else { f32::NAN };
                }
            }
            value
        })
        .collect()
}

fn batch(groups: &[Vec<Lanes>], images: usize) -> Batch {
    (0..images).map(|i| image(&groups[i / LANES], i % LANES)).collect()
}

fn in_group(images: usize, group: usize) -> usize {
    (images - group * LANES).min(LANES)
}

/// All numbers of a channel, image by image.
fn channel(batch: &Batch, pixels: usize, channel: usize) -> Vec<f64> {
    batch.iter().flat_map(|image| &image[channel * pixels..][..pixels]).copied().collect()
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

/// The mean and the biased variance.
fn moments(numbers: &[f64]) -> (f64, f64) {
    let center = mean(numbers);
    (center, mean(&numbers.iter().map(|n| (n - center).powi(2)).collect::<Vec<_>>()))
}

fn value(f: Activation, x: f64) -> f64 {
    exact(f, x).0
}

/// The derivative, from the value.
fn slope(f: Activation, y: f64) -> f64 {
    match f {
        Activation::Sigmoid => y * (1.0 - y),
        Activation::Tanh => 1.0 - y * y,
        // These take their value for themselves.
        f => exact(f, y).1,
    }
}

/// Before the activation: `(x − mean) / sqrt(var + eps) · weight + bias + other`.
fn normalised(x: &Batch, pixels: usize, eps: f64, weight: &[f64], bias: &[f64]) -> Batch {
    let statistics: Vec<_> = (0..weight.len()).map(|c| moments(&channel(x, pixels, c))).collect();
    x.iter()
        .map(|image| {
            let each = image.iter().enumerate().map(|(at, x)| {
                let (c, (mean, var)) = (at / pixels, statistics[at / pixels]);
                (x - mean) / (var + eps).sqrt() * weight[c] + bias[c]
            });
            each.collect()
        })
        .collect()
}

/// The gradients of x, weight and bias from that of what [`normalised`] returns.
fn gradients(
    x: &Batch,
    dy: &Batch,
    pixels: usize,
    eps: f64,
    weight: &[f64],
) -> (Batch, Vec<f64>, Vec<f64>) {
    let channels = weight.len();
    let (ones, zeros) = (vec![1.0; channels], vec![0.0; channels]);
    let hat = normalised(x, pixels, eps, &ones, &zeros);
    let mut dx = x.clone();
    let (mut dw, mut db) = (zeros.clone(), zeros);
    for c in 0..channels {
        let (hat_c, dy_c) = (channel(&hat, pixels, c), channel(dy, pixels, c));
        db[c] = dy_c.iter().sum();
        dw[c] = dy_c.iter().zip(&hat_c).map(|(d, h)| d * h).sum();
        let (_, var) = moments(&channel(x, pixels, c));
        let count = dy_c.len() as f64;
        for i in 0..x.len() {
            for at in c * pixels..(c + 1) * pixels {
                let d = dy[i][at] - db[c] / count - hat[i][at] * dw[c] / count;
                dx[i][at] = weight[c] / (var + eps).sqrt() * d;
            }
        }
    }
    (dx, dw, db)
}

#[test]
fn the_reference_gradients_are_the_differences() {
    let (images, channels, pixels) = (3, 2, 4);
    let mut random = Random::new(1);
    let mut draw =
        || -> Batch { (0..images).map(|_| wide(&random.numbers(channels * pixels))).collect() };
    let (x, dy) = (draw(), draw());
    let (weight, bias) = (vec![0.7, -1.3], vec![0.2, 0.1]);
    let eps = 1e-3;
    let loss = |x: &Batch, weight: &[f64], bias: &[f64]| -> f64 {
        let y = normalised(x, pixels, eps, weight, bias);
        y.iter().flatten().zip(dy.iter().flatten()).map(|(y, d)| y * d).sum()
    };
    let step = 1e-5;
    let central = |f: &dyn Fn(f64) -> f64| (f(step) - f(-step)) / (2.0 * step);
    let (dx, dw, db) = gradients(&x, &dy, pixels, eps, &weight);
    for i in 0..images {
        for at in 0..channels * pixels {
            let slope = central(&|step| {
                let mut x = x.clone();
                x[i][at] += step;
                loss(&x, &weight, &bias)
            });
            assert!((dx[i][at] - slope).abs() <= 1e-8, "{} is not {slope}", dx[i][at]);
        }
    }
    let moved = |numbers: &[f64], at: usize, step: f64| {
        let mut numbers = numbers.to_vec();
        numbers[at] += step;
        numbers
    };
    for c in 0..channels {
        let slope = central(&|step| loss(&x, &moved(&weight, c, step), &bias));
        assert!((dw[c] - slope).abs() <= 1e-8);
        let slope = central(&|step| loss(&x, &weight, &moved(&bias, c, step)));
        assert!((db[c] - slope).abs() <= 1e-8);
    }
}

#[derive(Clone, Debug)]
struct Case {
    channels: usize,
    pixels: usize,
    images: usize,
    /// The mean, in standard deviations, times 1, -1/2, 1/3, … from channel to channel.
    offset: f32,
    affine: (bool, bool),
    residual: bool,
    f: Activation,
}

const PLAIN: Case = Case {
    channels: 3,
    pixels: 12,
    images: 21,
    offset: 0.0,
    affine: (true, true),
    residual: false,
    f: Activation::Identity,
};

fn check(case: &Case, seed: u64) {
    for isa in Isa::available() {
        check_on(isa, case, seed);
    }
}

fn check_on(isa: Isa, case: &Case, seed: u64) {
    let Case { channels, pixels, images, f, .. } = *case;
    let what = format!("{isa} {case:?}");
    let len = channels * pixels;
    let mut random = Random::new(seed);
    // Numbers between -1 and 1 have a standard deviation of 0.58.
    let offset = |at: usize| {
        let c = at / pixels;
        0.58 * case.offset / (c + 1) as f32 * if c.is_multiple_of(2) { 1.0 } else { -1.0 }
    };
    let x = groups(&mut random, images, len, |at, n| n + offset(at));
    let other = case.residual.then(|| groups(&mut random, images, len, |_, n| n));
    let dy = groups(&mut random, images, len, |_, n| n);
    let weight = case.affine.0.then(|| random.numbers(channels));
    let bias = case.affine.1.then(|| random.numbers(channels));
    let weight_ref = weight.as_ref().map_or(vec![1.0; channels], |weight| wide(weight));
    let bias_ref = bias.as_ref().map_or(vec![0.0; channels], |bias| wide(bias));
    let (old_mean, old_variance) = (random.numbers(channels), vec![0.7; channels]);
    let eps = f64::from(EPS);
    let all = batch(&x, images);
    let count = images * pixels;

    let mut statistics = vec![f32::NAN; x.len() * channels * 2];
    for (g, statistics) in statistics.chunks_mut(channels * 2).enumerate() {
        batch_norm::gather(isa, in_group(images, g), &x[g], statistics);
    }
    let (mut mean, mut rstd) = (vec![f32::NAN; channels], vec![f32::NAN; channels]);
    let (mut running_mean, mut running_variance) = (old_mean.clone(), old_variance.clone());
    let running =
        Running { mean: &mut running_mean, variance: &mut running_variance, momentum: MOMENTUM };
    batch_norm::merge(images, pixels, &statistics, EPS, &mut mean, &mut rstd, Some(running));
    for c in 0..channels {
        let (mean_ref, var) = moments(&channel(&all, pixels, c));
        let deviation = (var + eps).sqrt();
        let bound = 1e-6 * deviation + 1.3e-7 * mean_ref.abs();
        let difference = (f64::from(mean[c]) - mean_ref).abs();
        assert!(difference <= bound, "{what}: mean {} for {mean_ref}", mean[c]);
        assert!((f64::from(rstd[c]) * deviation - 1.0).abs() <= 2e-6, "{what}: rstd");
        let momentum = f64::from(MOMENTUM);
        let moved = (1.0 - momentum) * f64::from(old_mean[c]) + momentum * mean_ref;
        assert!((f64::from(running_mean[c]) - moved).abs() <= bound + 1e-7, "{what}");
        let old = f64::from(old_variance[c]);
        let moved = if count > 1 {
            (1.0 - momentum) * old + momentum * var * count as f64 / (count - 1) as f64
        } else {
            old
        };
        let found = f64::from(running_variance[c]);
        assert!((found - moved).abs() <= 1e-6 * moved, "{what}: running variance");
    }

    let spread = Spread::Rstd(&rstd);
    let layer =
        BatchNorm { mean: &mean, spread, weight: weight.as_deref(), bias: bias.as_deref(), f };
    let mut before = normalised(&all, pixels, eps, &weight_ref, &bias_ref);
    if let Some(other) = &other {
        for (i, image) in batch(other, images).iter().enumerate() {
            before[i].iter_mut().zip(image).for_each(|(y, other)| *y += other);
        }
    }
    let y: Vec<Vec<Lanes>> = (0..x.len())
        .map(|g| {
            let mut y = poison(len);
            let other = other.as_ref().map(|other| &other[g][..]);
            batch_norm::apply(isa, &layer, &x[g], other, &mut y);
            y
        })
        .collect();
    let found = batch(&y, images).concat();
    let expected: Vec<f64> = before.iter().flatten().map(|&y| value(f, y)).collect();
    let scale = norm2(&before.concat());
    assert_within(&found, &expected, scale, 1e-5, &format!("{what}: y"));

    // The derivative of what was found: where a relu's edge is passed is no error here.
    let mut dpre = batch(&dy, images);
    for (dy, y) in dpre.iter_mut().flatten().zip(&found) {
        *dy *= slope(f, *y);
    }
    let mut own_dy = dy.clone();
    let mut sums = vec![f32::NAN; x.len() * channels * 2];
    for (g, sums) in sums.chunks_mut(channels * 2).enumerate() {
        let y = if f == Activation::Identity { &[] } else { &y[g][..] };
        batch_norm::gather_backward_masked(
            isa,
            in_group(images, g),
            &layer,
            &x[g],
            y,
            &mut own_dy[g],
            sums,
        );
    }
    let again = other.is_none() && f.is_simple();
    if again {
        let mut found = vec![f32::NAN; sums.len()];
        for (g, sums) in found.chunks_mut(channels * 2).enumerate() {
            batch_norm::gather_backward(isa, in_group(images, g), &layer, &x[g], &dy[g], sums);
        }
        assert_eq!(found, sums, "{what}: sums without the output");
    }
    assert_missing_are_zero(&own_dy, images, &what);
    let found = batch(&own_dy, images).concat();
    assert_close(&found, &dpre.concat(), 1e-6, &format!("{what}: dy before the activation"));

    let (mut dw, mut db) = (vec![0.5; channels], vec![-0.5; channels]);
    let mut means = vec![f32::NAN; channels * 2];
    batch_norm::merge_backward(images, pixels, &sums, Some(&mut dw), Some(&mut db), &mut means);
    let (dx_ref, dw_ref, db_ref) = gradients(&all, &dpre, pixels, eps, &weight_ref);
    // As if all signs were the same.
    let size = (count as f64).sqrt() * norm2(&dpre.concat()) + 1.0;
    let added = |numbers: &[f64], old: f64| numbers.iter().map(|n| n + old).collect::<Vec<_>>();
    assert_within(&wide(&dw), &added(&dw_ref, 0.5), size, 1e-5, &format!("{what}: dw"));
    assert_within(&wide(&db), &added(&db_ref, -0.5), size, 1e-6, &format!("{what}: db"));

    let scales: Vec<f64> = dpre
        .iter()
        .flat_map(|image| image.iter().enumerate())
        .map(|(at, d)| d * weight_ref[at / pixels] * f64::from(rstd[at / pixels]))
        .collect();
    let mut dx = vec![poison(len); x.len()];
    for g in 0..x.len() {
        let images = in_group(images, g);
        if again {
            batch_norm::apply_backward(isa, images, &layer, &x[g], &dy[g], &means, &mut dx[g]);
        }
        let found = dx[g].clone();
        let linear = BatchNorm { f: Activation::Identity, ..layer };
        batch_norm::apply_backward(isa, images, &linear, &x[g], &own_dy[g], &means, &mut dx[g]);
        if again {
            assert_eq!(dx[g], found, "{what}: without the output");
        }
        batch_norm::apply_backward_in_place(isa, images, &linear, &x[g], &means, &mut own_dy[g]);
        assert_eq!(dx[g], own_dy[g], "{what}: in place");
    }
    assert_missing_are_zero(&dx, images, &what);
    let found = batch(&dx, images).concat();
    let what = format!("{what}: dx");
    assert_within(&found, &dx_ref.concat(), norm2(&scales), 1e-5, &what);
}

fn assert_missing_are_zero(groups: &[Vec<Lanes>], images: usize, what: &str) {
    for (g, group) in groups.iter().enumerate() {
        for lanes in group {
            let missing = &lanes.0[in_group(images, g)..];
            assert!(missing.iter().all(|&n| n == 0.0), "{what}: {missing:?} of no image");
        }
    }
}

#[test]
fn shapes_of_all_kinds() {
    for images in [1, 5, 15, 16, 17, 21, 64, 100] {
        for (channels, pixels) in [(1, 1), (17, 1), (1, 2), (3, 63), (2, 64), (2, 65), (5, 130)] {
            check(&Case { channels, pixels, images, ..PLAIN }, 1);
        }
    }
}

#[test]
fn every_function_with_and_without_another_value() {
    for f in [
        Activation::Identity,
        Activation::Relu,
        Activation::LeakyRelu { negative_slope: 0.01 },
        Activation::Relu6,
        Activation::Sigmoid,
        Activation::Tanh,
    ] {
        for residual in [false, true] {
            check(&Case { f, residual, ..PLAIN }, 2);
        }
    }
}

#[test]
fn weight_and_bias_may_be_left_out() {
    for affine in [(false, false), (true, false), (false, true)] {
        check(&Case { affine, ..PLAIN }, 3);
    }
}

#[test]
fn means_far_from_zero() {
    for offset in [-100.0, 30.0, 100.0] {
        for pixels in [1, 49, 300] {
            check(&Case { offset, pixels, f: Activation::Relu, ..PLAIN }, 4);
        }
    }
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn random_batches(
        (channels, pixels, images) in (1..=20usize, 1..=90usize, 1..=40usize),
        (weight, bias, residual) in any::<(bool, bool, bool)>(),
        (offset, relu, seed) in (-20..20i8, any::<bool>(), any::<u64>()),
    ) {
        let f = if relu { Activation::Relu } else { Activation::Tanh };
        let (affine, offset) = ((weight, bias), f32::from(offset));
        check(&Case { channels, pixels, images, offset, affine, residual, f }, seed);
    }
}

/// The statistics of one channel.
fn gathered(isa: Isa, x: &[Lanes]) -> (f64, f64) {
    let mut statistics = [f32::NAN; 2];
    batch_norm::gather(isa, LANES, x, &mut statistics);
    (f64::from(statistics[0]), f64::from(statistics[1]))
}

#[test]
fn statistics_lose_nothing_to_size_or_length() {
    // First pixels that are far from the rest, a jump halfway, a slope, and a long plain.
    let shapes: [&dyn Fn(usize) -> f32; 4] = [
        &|at| if at < 3 { 1e4 } else { 0.0 },
        &|at| if at < 25_000 { 7.0 } else { -3000.0 },
        &|at| at as f32 * 0.125,
        &|_| 1000.0,
    ];
    for shape in shapes {
        let mut x = Random::new(5).lanes(50_000);
        for (at, lanes) in x.iter_mut().enumerate() {
            lanes.0.iter_mut().for_each(|n| *n += shape(at));
        }
        let all: Vec<f64> = x.iter().flat_map(|x| x.0.map(f64::from)).collect();
        let (mean_ref, var) = moments(&all);
        for isa in Isa::available() {
            let (mean, squares) = gathered(isa, &x);
            let bound = 1e-6 * var.sqrt() + 6e-8 * mean_ref.abs();
            assert!((mean - mean_ref).abs() <= bound, "{isa}: {mean} for {mean_ref}");
            let ratio = squares / (var * all.len() as f64);
            assert!((ratio - 1.0).abs() <= 1e-6, "{isa}: {ratio}");
        }
    }
}

#[test]
fn equal_numbers_have_no_variance() {
    for isa in Isa::available() {
        for number in [0.0, 0.1, -1e15, 1e-40] {
            let (mean, squares) = gathered(isa, &vec![Lanes([number; LANES]); 100]);
            let number = f64::from(number);
            assert!((mean - number).abs() <= 1e-7 * number.abs(), "{isa}: {mean}");
            assert!((0.0..=1e-12 * number * number + 1e-40).contains(&squares), "{isa}: {squares}");
        }
    }
}

#[test]
fn nan_of_an_image_stays_visible() {
    for isa in Isa::available() {
        for number in [f32::NAN, f32::INFINITY] {
            let mut x = vec![Lanes::ZERO; 70];
            x[66].0[3] = number;
            let (mean, squares) = gathered(isa, &x);
            assert!(!mean.is_finite() && !squares.is_finite(), "{isa}: {mean}, {squares}");
        }
    }
}

#[test]
fn inference_takes_running_statistics() {
    let mut random = Random::new(6);
    let (x, mean) = (random.lanes(6 * 5), random.numbers(6));
    let variance = [0.0, 1.0, 0.25, 4.0, 1e-6, 100.0];
    let (weight, bias) = (random.numbers(6), random.numbers(6));
    for isa in Isa::available() {
        let layer = BatchNorm {
            mean: &mean,
            spread: Spread::Variance { variance: &variance, eps: EPS },
            weight: Some(&weight),
            bias: Some(&bias),
            f: Activation::Relu,
        };
        let mut y = poison(x.len());
        batch_norm::apply(isa, &layer, &x, None, &mut y);
        assert_lanes_close(&y, 1e-6, "inference", |lane| {
            let image = image(&x, lane).into_iter().enumerate();
            let each = image.map(|(at, x)| {
                let c = at / 5;
                let deviation = (f64::from(variance[c]) + f64::from(EPS)).sqrt();
                let hat = (x - f64::from(mean[c])) / deviation;
                (hat * f64::from(weight[c]) + f64::from(bias[c])).max(0.0)
            });
            each.collect()
        });
    }
}

#[test]
fn one_number_alone_leaves_the_running_variance() {
    let (mut mean, mut rstd) = ([f32::NAN], [f32::NAN]);
    let (mut running_mean, mut running_variance) = ([1.0], [3.0]);
    let running =
        Running { mean: &mut running_mean, variance: &mut running_variance, momentum: 0.5 };
    batch_norm::merge(1, 1, &[5.0, 0.0], 0.25, &mut mean, &mut rstd, Some(running));
    assert_eq!((mean, rstd), ([5.0], [2.0]));
    assert_eq!((running_mean, running_variance), ([3.0], [3.0]));
}

#[test]
#[should_panic(expected = "two numbers for each channel of each group of images")]
fn statistics_of_other_groups_are_refused() {
    batch_norm::merge(17, 1, &[0.0; 2], EPS, &mut [0.0], &mut [0.0], None);
}

proptest! {
    #![proptest_config(config(40))]

    #[test]
    fn fixed_statistics_pass_gradients_on_channel_by_channel(
        (channels, pixels, seed) in (1usize..6, 1usize..40, any::<u64>()),
    ) {
        let mut random = Random::new(seed);
        let dy = random.lanes(channels * pixels);
        let variance: Vec<f32> = random.numbers(channels).iter().map(|x| x * x).collect();
        let [mean, weight, bias] = [0; 3].map(|_| random.numbers(channels));
        for isa in Isa::available() {
            for weight in [None, Some(weight.as_slice())] {
                let spread = Spread::Variance { variance: &variance, eps: EPS };
                let f = Activation::Identity;
                let norm = BatchNorm { mean: &mean, spread, weight, bias: Some(&bias), f };
                let mut dx = poison(dy.len());
                batch_norm::scale_backward(isa, &norm, &dy, &mut dx);
                for (at, (dx, dy)) in dx.iter().zip(&dy).enumerate() {
                    let channel = at / pixels;
                    let spread = (f64::from(variance[channel]) + f64::from(EPS)).sqrt();
                    let factor = weight.map_or(1.0, |w| f64::from(w[channel])) / spread;
                    for (found, dy) in dx.0.iter().zip(dy.0) {
                        let expected = factor * f64::from(dy);
                        let difference = (f64::from(*found) - expected).abs();
                        prop_assert!(difference <= 1e-6 * expected.abs(), "{isa:?} {found} {expected}");
                    }
                }
            }
        }
    }
}

//! Group and layer normalisation against plain loops in f64, on every instruction set, with NaN
//! wherever no image is; and the normalisations of one image.

use crate::support::*;
use proptest::prelude::*;
use typenet_kernels::blocked::{self, LayerNorm};
use typenet_kernels::group_norm::{self, Gradients, GroupNorm};
use typenet_kernels::{Isa, Lanes};
use typenet_shape::Activation;

const EPS: f32 = 1e-5;
const BOUND: f64 = 1e-5;

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

fn variance(numbers: &[f64]) -> f64 {
    let center = mean(numbers);
    mean(&numbers.iter().map(|n| (n - center).powi(2)).collect::<Vec<_>>())
}

/// One image: `(x − mean) / sqrt(var + eps) · weight + bias`.
fn normalised(x: &[f64], groups: usize, eps: f64, weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let piece = x.len() / weight.len();
    let mut y = Vec::new();
    for group in x.chunks(x.len() / groups) {
        let (mean, deviation) = (mean(group), (variance(group) + eps).sqrt());
        for x in group {
            let at = y.len() / piece;
            y.push((x - mean) / deviation * weight[at] + bias[at]);
        }
    }
    y
}

/// One image: the gradients of x, weight and bias.
fn gradients(
    x: &[f64],
    dy: &[f64],
    groups: usize,
    eps: f64,
    weight: &[f64],
) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let (piece, len) = (x.len() / weight.len(), x.len() / groups);
    let hat = normalised(x, groups, eps, &vec![1.0; weight.len()], &vec![0.0; weight.len()]);
    let products: Vec<f64> = dy.iter().zip(&hat).map(|(d, h)| d * h).collect();
    let sums = |numbers: &[f64]| numbers.chunks(piece).map(|piece| piece.iter().sum()).collect();
    let g: Vec<f64> = dy.iter().enumerate().map(|(at, d)| d * weight[at / piece]).collect();
    let mut dx = Vec::new();
    for group in 0..groups {
        let range = group * len..(group + 1) * len;
        let (g, hat) = (&g[range.clone()], &hat[range.clone()]);
        let product = mean(&g.iter().zip(hat).map(|(g, h)| g * h).collect::<Vec<_>>());
        let deviation = (variance(&x[range]) + eps).sqrt();
        let center = mean(g);
        dx.extend(g.iter().zip(hat).map(|(g, h)| (g - center - h * product) / deviation));
    }
    (dx, sums(&products), sums(dy))
}

#[test]
fn the_reference_gradients_are_the_differences() {
    let mut random = Random::new(1);
    let eps = 1e-3;
    for (groups, pieces) in [(1, 12), (2, 4), (3, 3), (1, 1)] {
        let mut draw = |len| wide(&random.numbers(len));
        let (x, dy, weight, bias) = (draw(12), draw(12), draw(pieces), draw(pieces));
        let loss = |x: &[f64], weight: &[f64], bias: &[f64]| -> f64 {
            normalised(x, groups, eps, weight, bias).iter().zip(&dy).map(|(y, d)| y * d).sum()
        };
        let moved = |numbers: &[f64], at: usize, step: f64| {
            let mut numbers = numbers.to_vec();
            numbers[at] += step;
            numbers
        };
        let step = 1e-5;
        let central = |f: &dyn Fn(f64) -> f64| (f(step) - f(-step)) / (2.0 * step);
        let (dx, dw, db) = gradients(&x, &dy, groups, eps, &weight);
        for at in 0..x.len() {
            let slope = central(&|step| loss(&moved(&x, at, step), &weight, &bias));
            assert!((dx[at] - slope).abs() <= 1e-8, "{} is not {slope}", dx[at]);
        }
        for at in 0..pieces {
            let slope = central(&|step| loss(&x, &moved(&weight, at, step), &bias));
            assert!((dw[at] - slope).abs() <= 1e-8);
            let slope = central(&|step| loss(&x, &weight, &moved(&bias, at, step)));
            assert!((db[at] - slope).abs() <= 1e-8);
        }
    }
}

#[derive(Clone, Debug)]
struct Case {
    groups: usize,
    /// In each group.
    channels: usize,
    pixels: usize,
    images: usize,
    /// The mean, in standard deviations.
    offset: f32,
    affine: (bool, bool),
    /// A weight for each number, not for each channel.
    each: bool,
}

const PLAIN: Case = Case {
    groups: 2,
    channels: 3,
    pixels: 12,
    images: 5,
    offset: 0.0,
    affine: (true, true),
    each: false,
};

fn check(case: &Case, seed: u64) {
    for isa in Isa::available() {
        check_on(isa, case, seed);
    }
}

fn check_on(isa: Isa, case: &Case, seed: u64) {
    let Case { groups, images, .. } = *case;
    let what = format!("{isa} {case:?}");
    let len = groups * case.channels * case.pixels;
    let pieces = if case.each { len } else { groups * case.channels };
    let mut random = Random::new(seed);
    let mut values = |offset: f32| {
        let mut value = random.lanes(len);
        for lanes in &mut value {
            lanes.0.iter_mut().for_each(|n| *n += offset);
            lanes.0[images..].fill(f32::NAN);
        }
        value
    };
    // Numbers between -1 and 1 have a standard deviation of 0.58.
    let (x, dy) = (values(0.58 * case.offset), values(0.0));
    let weight = case.affine.0.then(|| random.numbers(pieces));
    let bias = case.affine.1.then(|| random.numbers(pieces));
    let weight_ref = weight.as_ref().map_or(vec![1.0; pieces], |weight| wide(weight));
    let bias_ref = bias.as_ref().map_or(vec![0.0; pieces], |bias| wide(bias));
    let eps = f64::from(EPS);
    let norm = GroupNorm { groups, eps: EPS, weight: weight.as_deref(), bias: bias.as_deref() };

    let of_images = |value: &[Lanes]| (0..images).flat_map(|i| image(value, i)).collect::<Vec<_>>();
    let expected: Vec<f64> = (0..images)
        .flat_map(|i| normalised(&image(&x, i), groups, eps, &weight_ref, &bias_ref))
        .collect();
    for f in [
        Activation::Identity,
        Activation::Relu,
        Activation::LeakyRelu { negative_slope: 0.1 },
        Activation::Relu6,
        Activation::Tanh,
        Activation::Silu,
    ] {
        let mut y = poison(len);
        group_norm::forward(isa, &norm, &x, f, &mut y);
        let expected: Vec<f64> = expected.iter().map(|&y| exact(f, y).0).collect();
        let scale = norm2(&expected).max(1e-2);
        assert_within(&of_images(&y), &expected, scale, BOUND, &format!("{what}: {f:?}"));
    }

    let mut dw = weight.as_ref().map(|_| vec![0.5; pieces]);
    let mut db = bias.as_ref().map(|_| vec![-0.5; pieces]);
    let mut dx = poison(len);
    let given = Gradients { weight: dw.as_deref_mut(), bias: db.as_deref_mut() };
    group_norm::backward(isa, images, &norm, &x, &dy, given, &mut dx);
    let (mut dx_ref, mut scales) = (Vec::new(), Vec::new());
    let (mut dw_ref, mut db_ref) = (vec![0.5; pieces], vec![-0.5; pieces]);
    for i in 0..images {
        let (x, dy) = (image(&x, i), image(&dy, i));
        let (own_dx, own_dw, own_db) = gradients(&x, &dy, groups, eps, &weight_ref);
        dx_ref.extend(own_dx);
        dw_ref.iter_mut().zip(own_dw).for_each(|(sum, own)| *sum += own);
        db_ref.iter_mut().zip(own_db).for_each(|(sum, own)| *sum += own);
        for (at, d) in dy.iter().enumerate() {
            let group = x.chunks(len / groups).nth(at / (len / groups)).unwrap();
            scales.push(d * weight_ref[at / (len / pieces)] / (variance(group) + eps).sqrt());
        }
    }
    assert_within(&of_images(&dx), &dx_ref, norm2(&scales), BOUND, &format!("{what}: dx"));
    assert!(dx.iter().all(|dx| dx.0[images..].iter().all(|&d| d == 0.0)), "{what}: no image");
    // As if all signs were the same.
    let scale = ((images * len / pieces) as f64).sqrt() * norm2(&of_images(&dy)) + 1.0;
    for (found, expected) in [(dw, dw_ref), (db, db_ref)] {
        if let Some(found) = found {
            assert_within(&wide(&found), &expected, scale, BOUND, &format!("{what}: parameters"));
        }
    }
}

#[test]
fn shapes_of_all_kinds() {
    for images in [1, 5, 16] {
        for (groups, channels, pixels) in
            [(1, 1, 1), (1, 17, 1), (17, 1, 2), (2, 3, 63), (1, 2, 64), (3, 1, 65), (2, 5, 130)]
        {
            for each in [false, true] {
                check(&Case { groups, channels, pixels, images, each, ..PLAIN }, 1);
            }
        }
    }
}

#[test]
fn weight_and_bias_may_be_left_out() {
    for affine in [(false, false), (true, false), (false, true)] {
        check(&Case { affine, ..PLAIN }, 2);
        check(&Case { affine, each: true, ..PLAIN }, 3);
    }
}

#[test]
fn means_far_from_zero() {
    for offset in [-100.0, 30.0, 100.0] {
        for pixels in [4, 49, 300] {
            check(&Case { offset, pixels, ..PLAIN }, 4);
            check(&Case { offset, pixels, groups: 1, each: true, ..PLAIN }, 5);
        }
    }
}

#[test]
fn gradients_nobody_wants_may_be_left_out() {
    let mut random = Random::new(6);
    let (x, dy, weight) = (random.lanes(12), random.lanes(12), random.numbers(4));
    for isa in Isa::available() {
        let norm = GroupNorm { groups: 2, eps: EPS, weight: Some(&weight), bias: None };
        let (mut with, mut without) = (poison(12), poison(12));
        let mut dw = vec![0.0; 4];
        let gradients = Gradients { weight: Some(&mut dw), bias: None };
        group_norm::backward(isa, 9, &norm, &x, &dy, gradients, &mut with);
        group_norm::backward(isa, 9, &norm, &x, &dy, Gradients::default(), &mut without);
        assert_eq!(with, without);
    }
}

#[test]
fn nan_of_an_image_stays_in_it_and_visible() {
    let mut x = Random::new(7).lanes(100);
    x[70].0[3] = f32::NAN;
    for isa in Isa::available() {
        let norm = GroupNorm { groups: 1, eps: EPS, weight: None, bias: None };
        let mut y = vec![Lanes::ZERO; 100];
        group_norm::forward(isa, &norm, &x, Activation::Relu, &mut y);
        assert!(y.iter().all(|y| y.0[3].is_nan() && y.0[2].is_finite()), "{isa}");
    }
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn random_values(
        (groups, channels, pixels, images) in (1..=5usize, 1..=9usize, 1..=90usize, 1..=16usize),
        (weight, bias, each) in any::<(bool, bool, bool)>(),
        (offset, seed) in (-20..20i8, any::<u64>()),
    ) {
        // Of a blocked number only what eps leaves is seen, and of two it is little more.
        prop_assume!(channels * pixels > 2);
        let (affine, offset) = ((weight, bias), f32::from(offset));
        check(&Case { groups, channels, pixels, images, offset, affine, each }, seed);
    }

    #[test]
    fn random_layer_norms_of_blocked(
        (channels, area) in (1..=70usize, prop_oneof![Just(1usize), 1..=80usize]),
        (weight, bias) in any::<(bool, bool)>(),
        (offset, seed) in (-20..20i8, any::<u64>()),
    ) {
        prop_assume!(channels * area > 2);
        check_single(channels, area, (weight, bias), f32::from(offset), seed);
    }
}

fn check_single(channels: usize, area: usize, affine: (bool, bool), offset: f32, seed: u64) {
    let mut random = Random::new(seed);
    let len = channels * area;
    let mut x = random.numbers(len);
    x.iter_mut().for_each(|x| *x += 0.58 * offset);
    let weight = affine.0.then(|| random.numbers(len));
    let bias = affine.1.then(|| random.numbers(len));
    let weight_ref = weight.as_ref().map_or(vec![1.0; len], |weight| wide(weight));
    let bias_ref = bias.as_ref().map_or(vec![0.0; len], |bias| wide(bias));
    let expected = normalised(&wide(&x), 1, f64::from(EPS), &weight_ref, &bias_ref);
    let relu: Vec<f64> = expected.iter().map(|y| y.max(0.0)).collect();
    let (weight, bias) =
        (weight.map(|w| blocked(&w, channels)), bias.map(|b| blocked(&b, channels)));
    let norm = LayerNorm { channels, eps: EPS, weight: weight.as_deref(), bias: bias.as_deref() };
    let x = blocked(&x, channels);
    for isa in Isa::available() {
        for (f, expected) in [(Activation::Identity, &expected), (Activation::Relu, &relu)] {
            let mut y = poison(x.len());
            blocked::layer_norm(isa, &norm, &x, f, &mut y);
            let what = format!("{isa}: layer norm of one image, {channels} channels of {area}");
            let scale = norm2(expected).max(1e-2);
            assert_within(&planar(&y, channels, area), expected, scale, BOUND, &what);
        }
    }
}

#[test]
fn layer_norms_of_blocked() {
    for channels in [1, 5, 15, 16, 17, 32, 120] {
        for area in [1, 3, 64, 65, 200] {
            if channels * area > 1 {
                check_single(channels, area, (true, true), 0.0, 8);
                check_single(channels, area, (false, false), 100.0, 9);
            }
        }
    }
}

#[test]
#[should_panic(expected = "as many weights and biases in each group")]
fn weights_that_fit_no_group_are_refused() {
    let norm = GroupNorm { groups: 2, eps: EPS, weight: Some(&[1.0; 3]), bias: None };
    let x = vec![Lanes::ZERO; 6];
    group_norm::forward(Isa::Portable, &norm, &x, Activation::Identity, &mut poison(6));
}

//! Batch normalisation with 16 channels side by side against plain loops in f64, on every instruction set.

use crate::support::*;
use proptest::prelude::*;
use typenet_kernels::batch_norm::{BatchNorm, Running, Spread};
use typenet_kernels::blocked::{self, NormGradient, blocks};
use typenet_kernels::team::Team;
use typenet_kernels::{Isa, Lanes};
use typenet_shape::Activation;

const BOUND: f64 = 1e-5;
const EPS: f32 = 1e-5;

struct Case {
    images: usize,
    channels: usize,
    area: usize,
    f: Activation,
    adds: bool,
}

/// What comes out of a norm and its backward pass, of all numbers in the order image, channel, pixel.
#[derive(Default)]
struct Expected {
    mean: Vec<f64>,
    rstd: Vec<f64>,
    variance: Vec<f64>,
    y: Vec<f64>,
    /// The gradient before the activation.
    d: Vec<f64>,
    dx: Vec<f64>,
    dw: Vec<f64>,
    db: Vec<f64>,
}

fn expected(case: &Case, x: &[f32], other: &[f32], dy: &[f32], w: &[f32], b: &[f32]) -> Expected {
    let &Case { images, channels, area, f, adds } = case;
    let len = x.len();
    let [y, d, dx] = [(); 3].map(|()| vec![0.0; len]);
    let mut all = Expected { y, d, dx, ..Expected::default() };
    for c in 0..channels {
        let places: Vec<usize> =
            (0..images * area).map(|i| ((i / area) * channels + c) * area + i % area).collect();
        let count = places.len() as f64;
        let mean = places.iter().map(|&i| f64::from(x[i])).sum::<f64>() / count;
        let squares: f64 = places.iter().map(|&i| (f64::from(x[i]) - mean).powi(2)).sum();
        let rstd = 1.0 / (squares / count + f64::from(EPS)).sqrt();
        let (w, b) = (f64::from(w[c]), f64::from(b[c]));
        let (mut sum, mut product) = (0.0, 0.0);
        for &i in &places {
            let hat = (f64::from(x[i]) - mean) * rstd;
            let plus = if adds { f64::from(other[i]) } else { 0.0 };
            let (y, slope) = exact(f, hat * w + b + plus);
            all.y[i] = y;
            all.d[i] = f64::from(dy[i]) * slope;
            sum += all.d[i];
            product += all.d[i] * hat;
        }
        for &i in &places {
            let hat = (f64::from(x[i]) - mean) * rstd;
            all.dx[i] = w * rstd * (all.d[i] - sum / count - hat * product / count);
        }
        all.mean.push(mean);
        all.rstd.push(rstd);
        all.variance.push(squares / (count - 1.0).max(1.0));
        all.dw.push(product);
        all.db.push(sum);
    }
    all
}

fn check(case: &Case, far: f32, seed: u64) {
    let &Case { images, channels, area, f, adds } = case;
    let mut random = Random::new(seed);
    let len = images * channels * area;
    let [x, other, dy] = [(); 3].map(|()| random.numbers(len));
    let x: Vec<f32> = x.iter().map(|x| x + far).collect();
    let (w, b) = (random.numbers(channels), random.numbers(channels));
    let all = expected(case, &x, &other, &dy, &w, &b);
    let of_all = |numbers: &[f32]| -> Vec<Lanes> {
        numbers.chunks(channels * area).flat_map(|image| blocked(image, channels)).collect()
    };
    let planar = |lanes: &[Lanes]| -> Vec<f64> {
        let image = blocks(channels) * area;
        lanes.chunks(image).flat_map(|image| planar(image, channels, area)).collect()
    };
    let (x, other, dy) = (of_all(&x), of_all(&other), of_all(&dy));
    let other = adds.then_some(other.as_slice());
    let mut before: Option<(Isa, Vec<[u32; 16]>)> = None;
    for isa in Isa::available() {
        for threads in [1, 3] {
            let what = format!("{isa} {threads} threads {images}×{channels}×{area} {f:?} {adds}");
            let mut room = poison(blocked::batch_norm_room(channels, images));
            let [mut mean, mut rstd] = [(); 2].map(|()| vec![f32::NAN; channels]);
            let [mut running, mut variance] = [vec![1.0; channels], vec![2.0; channels]];
            let moved = Running { mean: &mut running, variance: &mut variance, momentum: 0.25 };
            Team::gather(threads, |team| {
                let to = [&mut mean[..], &mut rstd[..]];
                let room = &mut room;
                blocked::batch_norm_statistics(isa, team, images, &x, room, EPS, to, Some(moved));
            });
            assert_close(&wide(&mean), &all.mean, BOUND, &what);
            assert_close(&wide(&rstd), &all.rstd, BOUND, &what);
            let mut numbers = vec![f32::NAN; 2 * channels];
            Team::gather(threads, |team| {
                room.fill(Lanes([f32::NAN; 16]));
                blocked::batch_norm_gather(isa, team, images, &x, &mut room, &mut numbers);
            });
            let (means, squares): (Vec<f32>, Vec<f32>) =
                numbers.as_chunks().0.iter().map(|&[mean, squares]| (mean, squares)).unzip();
            assert_eq!(means, mean, "{what}");
            let left = (images * area) as f64 - 1.0;
            let own: Vec<f64> = all.variance.iter().map(|v| v * left.max(1.0)).collect();
            assert_close(&wide(&squares), &own, BOUND, &what);
            let means: Vec<f64> = all.mean.iter().map(|mean| 0.75 + 0.25 * mean).collect();
            assert_close(&wide(&running), &means, BOUND, &what);
            if images * area > 1 {
                let own: Vec<f64> = all.variance.iter().map(|v| 1.5 + 0.25 * v).collect();
                assert_close(&wide(&variance), &own, BOUND, &what);
            }
            let norm = BatchNorm {
                mean: &mean,
                spread: Spread::Rstd(&rstd),
                weight: Some(&w),
                bias: Some(&b),
                f,
            };
            let mut y = poison(x.len());
            Team::gather(threads, |team| {
                blocked::batch_norm_apply(isa, team, images, &norm, &x, other, &mut y);
            });
            assert_close(&planar(&y), &all.y, BOUND, &what);
            // Backward, in each way that there is.
            for (again, accumulate, in_place) in [
                (true, false, false),
                (true, false, true),
                (false, true, false),
                (false, false, true),
            ] {
                if again && (adds || !f.is_simple()) || !f.from_output() {
                    continue;
                }
                let what = format!("{what}, again: {again}, {accumulate}, in place: {in_place}");
                let mut means = vec![f32::NAN; 2 * channels];
                let start = if accumulate { 0.5 } else { f32::NAN };
                let [mut dw, mut db] = [(); 2].map(|()| vec![start; channels]);
                let mut dy = dy.clone();
                let mut room = poison(blocked::batch_norm_room(channels, images));
                let mut dx = poison(x.len());
                if accumulate {
                    dx.fill(Lanes([0.5; 16]));
                }
                let mut sums = vec![f32::NAN; 2 * channels];
                Team::gather(threads, |team| {
                    let mut masked = dy.clone();
                    let gradient = if again {
                        NormGradient::Recompute(&dy)
                    } else {
                        NormGradient::Mask(&mut masked, &y)
                    };
                    blocked::batch_norm_gather_backward(
                        isa, team, images, &norm, &x, gradient, &mut room, &mut sums,
                    );
                    room.fill(Lanes([f32::NAN; 16]));
                    let gradient = if again {
                        NormGradient::Recompute(&dy)
                    } else {
                        NormGradient::Mask(&mut dy, &y)
                    };
                    let own = [Some(&mut dw[..]), Some(&mut db[..])];
                    blocked::batch_norm_means_backward(
                        isa, team, images, &norm, &x, gradient, &mut room, accumulate, own,
                        &mut means,
                    );
                    let f = if again { f } else { Activation::Identity };
                    let norm = BatchNorm { f, ..norm };
                    let from = (!in_place).then_some(dy.as_slice());
                    if in_place {
                        dx.copy_from_slice(&dy);
                    }
                    blocked::batch_norm_apply_backward(
                        isa, team, images, &norm, &x, from, &means, accumulate, &mut dx,
                    );
                });
                let plus = if accumulate { 0.5 } else { 0.0 };
                let shifted =
                    |numbers: &[f64]| -> Vec<f64> { numbers.iter().map(|n| n + plus).collect() };
                if !again {
                    assert_close(&planar(&dy), &all.d, BOUND, &what);
                }
                // Where the sums cancel, what is left is small beside them.
                let near = |found: &[f32], expected: &[f64]| {
                    for (found, expected) in found.iter().zip(shifted(expected)) {
                        let size = (images * area) as f64;
                        let bound = 1e-6 * size.sqrt() * (1.0 + f64::from(far.abs()))
                            + 1e-5 * expected.abs();
                        assert!(
                            (f64::from(*found) - expected).abs() <= bound,
                            "{what}: {found} for {expected}"
                        );
                    }
                };
                let sums: Vec<[f32; 2]> = sums
                    .as_chunks()
                    .0
                    .iter()
                    .map(|sums| sums.map(|sum| sum + plus as f32))
                    .collect();
                near(&sums.iter().map(|sums| sums[0]).collect::<Vec<_>>(), &all.db);
                near(&sums.iter().map(|sums| sums[1]).collect::<Vec<_>>(), &all.dw);
                near(&dw, &all.dw);
                near(&db, &all.db);
                if images * area > 2 {
                    assert_close(
                        &planar(&dx),
                        &shifted(&all.dx),
                        2e-5 * (1.0 + f64::from(far)),
                        &what,
                    );
                }
                if again && !in_place {
                    let own = bits(&dx);
                    match &before {
                        Some((before, bits)) if *before == isa => {
                            let lanes = channels % 16;
                            if lanes == 0 {
                                assert!(*bits == own, "other bits with {what}");
                            }
                        }
                        _ => before = Some((isa, own)),
                    }
                }
            }
        }
    }
}

const RELU: Activation = Activation::Relu;

#[test]
fn every_function() {
    for f in [
        Activation::Identity,
        RELU,
        Activation::Relu6,
        Activation::LeakyRelu { negative_slope: 0.25 },
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Silu,
    ] {
        for adds in [false, true] {
            check(&Case { images: 3, channels: 37, area: 70, f, adds }, 0.0, 1);
        }
    }
}

#[test]
fn means_far_from_zero() {
    check(&Case { images: 2, channels: 16, area: 300, f: RELU, adds: false }, 30.0, 2);
}

#[test]
fn many_images() {
    check(&Case { images: 40, channels: 32, area: 3, f: RELU, adds: true }, 0.0, 3);
    check(&Case { images: 1, channels: 1, area: 4000, f: RELU, adds: false }, 0.0, 3);
}

#[test]
fn statistics_that_are_fixed() {
    let (images, channels, area) = (2, 20, 5);
    let mut random = Random::new(4);
    let [mean, variance, weight] = [(); 3].map(|()| random.numbers(channels));
    let variance: Vec<f32> = variance.iter().map(|v| v.abs() + 0.1).collect();
    let dy = random.numbers(images * channels * area);
    let norm = BatchNorm {
        mean: &mean,
        spread: Spread::Variance { variance: &variance, eps: EPS },
        weight: Some(&weight),
        bias: None,
        f: Activation::Identity,
    };
    let expected: Vec<f64> = dy
        .iter()
        .enumerate()
        .map(|(i, dy)| {
            let c = i / area % channels;
            let spread = (f64::from(variance[c]) + f64::from(EPS)).sqrt();
            f64::from(*dy) * f64::from(weight[c]) / spread
        })
        .collect();
    let lanes: Vec<Lanes> = dy.chunks(channels * area).flat_map(|i| blocked(i, channels)).collect();
    for isa in Isa::available() {
        for accumulate in [false, true] {
            let mut dx = if accumulate { lanes.clone() } else { poison(lanes.len()) };
            blocked::batch_norm_scale_backward(
                isa,
                &Team::alone(),
                images,
                &norm,
                Some(&lanes),
                accumulate,
                &mut dx,
            );
            let found: Vec<f64> = dx
                .chunks(blocks(channels) * area)
                .flat_map(|image| planar(image, channels, area))
                .collect();
            let expected: Vec<f64> = expected
                .iter()
                .zip(&dy)
                .map(|(d, dy)| d + if accumulate { f64::from(*dy) } else { 0.0 })
                .collect();
            assert_close(&found, &expected, BOUND, &format!("{isa} {accumulate}"));
        }
    }
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn random_sizes(
        (images, channels, area) in (1..=9usize, 1..=70usize, 2..=150usize),
        adds: bool,
        seed: u64,
    ) {
        check(&Case { images, channels, area, f: RELU, adds }, 0.0, seed);
    }
}

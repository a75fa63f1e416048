//! Pooling, activations, softmax and dropout, on every instruction set.

use crate::support::*;
use proptest::prelude::*;
use typenet_kernels::{Isa, LANES, Lanes, activation, dropout, pool2d, softmax};
use typenet_shape::{Activation, Approximate, Pool2d, Shape};

const BOUND: f64 = 1e-6;

/// The places of each window along an axis, from the beginning of the border: windows follow one
/// another while they end within input and border; in ceil mode also the first one that does not, unless
/// it begins behind the input.
fn sides(g: &Pool2d, axis: usize) -> Vec<std::ops::Range<usize>> {
    let (input, padding) = (g.input.dim(axis + 1), g.padding[axis]);
    let padded = padding + input + padding;
    let mut sides = Vec::new();
    for start in (0..).step_by(g.stride[axis]) {
        let end = start + g.kernel[axis];
        let read = sides.last().map_or(0, |last: &std::ops::Range<usize>| last.end);
        if end <= padded || (g.ceil_mode && read < padded && start < padding + input) {
            sides.push(start..end.min(padded));
        } else {
            return sides;
        }
    }
    sides
}

/// Calls `f(place in y, places in x in row-major order, places with those in the border)` for each
/// window.
fn windows(g: &Pool2d, mut f: impl FnMut(usize, &[usize], usize)) {
    let [height, width] = [g.input.dim(1), g.input.dim(2)];
    let (all_rows, all_columns) = (sides(g, 0), sides(g, 1));
    let output = [g.input.dim(0), all_rows.len(), all_columns.len()];
    assert_eq!(g.output(), Ok(Shape::new(&output)), "{g:?}");
    let mut y = 0;
    for c in 0..output[0] {
        for rows in &all_rows {
            for columns in &all_columns {
                let mut places = Vec::new();
                for row in rows.clone() {
                    for column in columns.clone() {
                        let row = row.wrapping_sub(g.padding[0]);
                        let column = column.wrapping_sub(g.padding[1]);
                        if row < height && column < width {
                            places.push((c * height + row) * width + column);
                        }
                    }
                }
                f(y, &places, rows.len() * columns.len());
                y += 1;
            }
        }
    }
}

fn check_pool(g: &Pool2d, seed: u64) {
    let output = g.output().unwrap().elements();
    let mut random = Random::new(seed);
    let mut x = random.lanes(g.input.elements());
    // Few different numbers, so that many windows have several maxima.
    for number in x.iter_mut().flat_map(|x| &mut x.0) {
        *number = (*number * 3.0).round();
    }
    let (dy, tx) = (random.lanes(output), random.lanes(x.len()));
    for isa in Isa::available() {
        let what = format!("{isa} {g:?}");
        let mut y = poison(output);
        pool2d::max_forward(isa, g, &x, &mut y);
        let mut ty = poison(output);
        pool2d::max_jvp(isa, g, &x, &y, &tx, &mut ty);
        let mut dx = poison(x.len());
        pool2d::max_backward(isa, g, &x, &y, &dy, &mut dx);
        let mut mean = poison(output);
        pool2d::avg_forward(isa, g, &x, &mut mean);
        let mut dx_mean = poison(x.len());
        pool2d::avg_backward(isa, g, &dy, &mut dx_mean);
        for lane in 0..LANES {
            let values = image(&x, lane);
            let gradients = image(&dy, lane);
            let tangents = image(&tx, lane);
            let (mut max_ref, mut mean_ref) = (vec![0.0; output], vec![0.0; output]);
            let mut ty_ref = vec![0.0; output];
            let (mut dx_ref, mut dx_mean_ref) = (vec![0.0; x.len()], vec![0.0; x.len()]);
            windows(g, |y, places, all| {
                let mut best = places[0];
                for &place in places {
                    if values[place] > values[best] {
                        best = place;
                    }
                }
                max_ref[y] = values[best];
                dx_ref[best] += gradients[y];
                ty_ref[y] = tangents[best];
                let size = if g.count_include_pad { all } else { places.len() };
                // Small whole numbers: their sum is exact, also where it is zero.
                mean_ref[y] = places.iter().map(|&place| values[place]).sum::<f64>() / size as f64;
                for &place in places {
                    dx_mean_ref[place] += gradients[y] / size as f64;
                }
            });
            assert_eq!(image(&y, lane), max_ref, "{what} maximum");
            assert_eq!(image(&ty, lane), ty_ref, "{what} maximum's tangent");
            assert_close(&image(&dx, lane), &dx_ref, BOUND, &format!("{what} maximum's gradient"));
            assert_close(&image(&mean, lane), &mean_ref, BOUND, &format!("{what} mean"));
            let name = format!("{what} mean's gradient");
            assert_close(&image(&dx_mean, lane), &dx_mean_ref, BOUND, &name);
        }
    }
}

#[test]
fn pooling_of_real_nets() {
    check_pool(&Pool2d::new(Shape::new(&[3, 8, 8]), [2, 2]), 1);
    // A remainder that no window covers.
    check_pool(&Pool2d::new(Shape::new(&[3, 7, 9]), [2, 2]), 2);
    let g = Pool2d::new(Shape::new(&[2, 9, 9]), [3, 3]);
    check_pool(&Pool2d { stride: [2, 2], padding: [1, 1], ..g }, 3);
}

#[test]
fn pooling_that_rounds_up() {
    let g = Pool2d { ceil_mode: true, ..Pool2d::new(Shape::new(&[2, 7, 9]), [2, 2]) };
    check_pool(&g, 1);
    // SqueezeNet's and GoogLeNet's.
    check_pool(&Pool2d { kernel: [3, 3], input: Shape::new(&[2, 10, 8]), ..g }, 2);
    // A last window that would begin in the border behind the input, and is none.
    let g = Pool2d { padding: [1, 1], ..g };
    check_pool(&g, 3);
    // A window much larger than its input, of which no border counts.
    check_pool(&Pool2d { kernel: [100, 100], stride: [100, 200], padding: [0, 0], ..g }, 4);
    for count_include_pad in [true, false] {
        check_pool(&Pool2d { kernel: [4, 3], stride: [3, 2], count_include_pad, ..g }, 5);
    }
}

fn pool_geometry() -> impl Strategy<Value = Pool2d> {
    let axis = || (1..=9usize, 1..=5usize, 1..=5usize, 0..=2usize);
    let flags = (any::<bool>(), any::<bool>());
    (1..=3usize, axis(), axis(), flags).prop_filter_map(
        "no such window",
        |(c, (h, kh, sh, ph), (w, kw, sw, pw), (ceil_mode, count_include_pad))| {
            let input = Shape::new(&[c, h, w]);
            let g = Pool2d {
                input,
                kernel: [kh, kw],
                stride: [sh, sw],
                padding: [ph, pw],
                ceil_mode,
                count_include_pad,
            };
            g.output().is_ok().then_some(g)
        },
    )
}

proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn random_pools(g in pool_geometry(), seed: u64) {
        check_pool(&g, seed);
    }

    #[test]
    fn random_softmax(channels in 1..20usize, positions in 1..6usize, scale in 0.1..60f32, seed: u64) {
        check_softmax(channels, positions, scale, seed);
    }

    #[test]
    fn random_log_softmax(channels in 1..80usize, positions in 1..4usize, scale in 0.1..60f32, seed: u64) {
        check_log_softmax(channels, positions, scale, seed);
    }
}

#[test]
fn a_maximum_next_to_nan_is_nan() {
    let g = Pool2d::new(Shape::new(&[1, 2, 4]), [2, 2]);
    for isa in Isa::available() {
        for place in [0, 1, 4, 5] {
            let mut x = vec![Lanes([f32::INFINITY; LANES]); 8];
            x[place].0[2] = f32::NAN;
            let (mut y, mut dx) = (poison(2), poison(8));
            pool2d::max_forward(isa, &g, &x, &mut y);
            assert!(y[0].0[2].is_nan(), "{isa}, NaN at {place}");
            assert_eq!([y[0].0[1], y[1].0[2]], [f32::INFINITY; 2]);
            let dy = vec![Lanes([1.0; LANES]); 2];
            pool2d::max_backward(isa, &g, &x, &y, &dy, &mut dx);
            // The whole gradient arrives, also where the maximum is NaN.
            let first: f32 = [0, 1, 4, 5].iter().map(|&place| dx[place].0[2]).sum();
            assert_eq!(first, 1.0);
        }
    }
}

#[test]
fn padding_never_is_the_maximum() {
    let g = Pool2d { padding: [1, 1], ..Pool2d::new(Shape::new(&[1, 2, 2]), [2, 2]) };
    let x = vec![Lanes([-7.0; LANES]); 4];
    for isa in Isa::available() {
        let mut y = poison(4);
        pool2d::max_forward(isa, &g, &x, &mut y);
        assert_eq!(y, x);
    }
}

#[test]
fn global_average() {
    let mut random = Random::new(4);
    for positions in [1, 2, 3, 16, 49] {
        let (x, dy) = (random.lanes(5 * positions), random.lanes(5));
        for isa in Isa::available() {
            let (mut y, mut dx) = (poison(5), poison(x.len()));
            pool2d::global_avg_forward(isa, &x, &mut y);
            assert_lanes_close(&y, BOUND, "mean", |lane| {
                let mean = |c: &[f64]| c.iter().sum::<f64>() / positions as f64;
                image(&x, lane).chunks(positions).map(mean).collect()
            });
            pool2d::global_avg_backward(isa, &dy, &mut dx);
            assert_lanes_close(&dx, BOUND, "mean's gradient", |lane| {
                let dy = image(&dy, lane);
                (0..x.len()).map(|at| dy[at / positions] / positions as f64).collect()
            });
        }
    }
}

const FUNCTIONS: [Activation; 11] = [
    Activation::Identity,
    Activation::Relu,
    Activation::LeakyRelu { negative_slope: 0.01 },
    Activation::LeakyRelu { negative_slope: 0.0 },
    Activation::Relu6,
    Activation::Sigmoid,
    Activation::Tanh,
    Activation::Gelu { approximate: Approximate::None },
    TANH_GELU,
    Activation::Silu,
    Activation::Hardswish,
];

const TANH_GELU: Activation = Activation::Gelu { approximate: Approximate::Tanh };

fn backward(isa: Isa, f: Activation, x: &[Lanes], y: &[Lanes], dy: &mut [Lanes]) {
    if f.from_output() {
        activation::backward_in_place(isa, f, y, dy);
    } else {
        activation::backward_from_input(isa, f, x, dy);
    }
}

#[test]
fn activations_number_by_number() {
    // From tiny to beyond where an f32 ends, both signs, and zero.
    let sizes = (0..=2000).map(|i| (f64::from(i) * 0.01 - 14.0).exp() as f32);
    let mut numbers: Vec<f32> = sizes.flat_map(|size| [size, -size]).collect();
    numbers.extend((-2200..=2200).map(|i| i as f32 * 0.04));
    let x: Vec<Lanes> = numbers.chunks_exact(LANES).map(|n| Lanes(n.try_into().unwrap())).collect();
    for isa in Isa::available() {
        for f in FUNCTIONS {
            let mut y = poison(x.len());
            activation::forward(isa, f, &x, &mut y);
            let mut dy = vec![Lanes([-1.5; LANES]); x.len()];
            backward(isa, f, &x, &y, &mut dy);
            for ((x, y), dy) in x.iter().zip(&y).zip(&dy) {
                for lane in 0..LANES {
                    let (number, found) = (f64::from(x.0[lane]), f64::from(y.0[lane]));
                    let (expected, slope) = exact(f, number);
                    // The tanh in it is of a rounded number, which counts where it is large.
                    let rounding = match f {
                        TANH_GELU => 0.2 * number.abs().powi(3).min(500.0),
                        _ => 0.0,
                    };
                    // The second term is the last place of the smallest numbers.
                    let bound = 1e-6 * (1.0 + rounding) * expected.abs() + 3e-45;
                    let difference = (found - expected).abs();
                    assert!(difference <= bound, "{isa} {f:?}({number}): {found}, not {expected}");
                    // From y alone: what y's rounding does to the slope is no error here.
                    let difference = (f64::from(dy.0[lane]) + 1.5 * slope).abs();
                    assert!(difference <= 1e-6, "{isa} {f:?}'({number})");
                }
            }
        }
    }
}

#[test]
fn activations_at_the_ends() {
    let mut x = Lanes::ZERO;
    x.0[0] = f32::NAN;
    x.0[1] = f32::INFINITY;
    x.0[2] = f32::NEG_INFINITY;
    for isa in Isa::available() {
        for f in FUNCTIONS {
            let mut y = poison(1);
            activation::forward(isa, f, &[x], &mut y);
            assert!(y[0].0[0].is_nan(), "{isa} {f:?} of NaN");
            let (high, low) = match f {
                Activation::Sigmoid => (1.0, 0.0),
                Activation::Tanh => (1.0, -1.0),
                Activation::Gelu { .. } | Activation::Silu | Activation::Hardswish => {
                    (f32::INFINITY, 0.0)
                }
                Activation::Relu => (f32::INFINITY, 0.0),
                Activation::Relu6 => (6.0, 0.0),
                // 0 · -∞
                Activation::LeakyRelu { negative_slope: 0.0 } => (f32::INFINITY, f32::NAN),
                _ => (f32::INFINITY, f32::NEG_INFINITY),
            };
            assert_eq!(y[0].0[1], high, "{isa} {f:?} of ∞");
            assert!(y[0].0[2] == low || low.is_nan(), "{isa} {f:?} of -∞");
            let mut dy = vec![Lanes([f32::NAN; LANES])];
            backward(isa, f, &[x], &y, &mut dy);
            assert!(dy[0].0[0].is_nan(), "{isa}: NaN stays visible behind {f:?}");
        }
    }
}

fn check_softmax(channels: usize, positions: usize, scale: f32, seed: u64) {
    let mut random = Random::new(seed);
    let mut x = random.lanes(channels * positions);
    for number in x.iter_mut().flat_map(|x| &mut x.0) {
        *number *= scale;
    }
    let dy = random.lanes(x.len());
    for isa in Isa::available() {
        let (mut y, mut dx) = (poison(x.len()), poison(x.len()));
        softmax::forward(isa, channels, &x, &mut y);
        softmax::backward(isa, channels, &y, &dy, &mut dx);
        for lane in 0..LANES {
            let (values, gradients) = (image(&x, lane), image(&dy, lane));
            let (mut y_ref, mut dx_ref) = (vec![0.0; x.len()], vec![0.0; x.len()]);
            for position in 0..positions {
                let places = || (0..channels).map(|c| c * positions + position);
                let largest = places().map(|at| values[at]).fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = places().map(|at| (values[at] - largest).exp()).sum();
                places().for_each(|at| y_ref[at] = (values[at] - largest).exp() / sum);
                let dot: f64 = places().map(|at| y_ref[at] * gradients[at]).sum();
                places().for_each(|at| dx_ref[at] = y_ref[at] * (gradients[at] - dot));
            }
            let what = format!("{isa} softmax over {channels}");
            assert_close(&image(&y, lane), &y_ref, BOUND, &what);
            // Against the numbers subtracted, not their difference, which may be nothing.
            let found = image(&dx, lane);
            for at in 0..found.len() {
                let difference = (found[at] - dx_ref[at]).abs();
                assert!(difference <= 2e-6 * y_ref[at] + 1e-12, "{what}: gradient");
            }
        }
    }
}

#[test]
fn softmax_of_huge_numbers_and_nan() {
    for isa in Isa::available() {
        let mut x = vec![Lanes([1e30; LANES]), Lanes([-1e30; LANES]), Lanes([1e30; LANES])];
        x[1].0[4] = f32::NAN;
        let mut y = poison(3);
        softmax::forward(isa, 3, &x, &mut y);
        assert_eq!([y[0].0[0], y[1].0[0], y[2].0[0]], [0.5, 0.0, 0.5]);
        assert!(y.iter().all(|y| y.0[4].is_nan()));
    }
}

fn check_log_softmax(channels: usize, positions: usize, scale: f32, seed: u64) {
    let mut random = Random::new(seed);
    let mut x = random.lanes(channels * positions);
    for number in x.iter_mut().flat_map(|x| &mut x.0) {
        *number *= scale;
    }
    let dy = random.lanes(x.len());
    for isa in Isa::available() {
        let (mut y, mut dx) = (poison(x.len()), poison(x.len()));
        softmax::log_forward(isa, channels, &x, &mut y);
        softmax::log_backward(isa, channels, &y, &dy, &mut dx);
        for lane in 0..LANES {
            let (values, gradients) = (image(&x, lane), image(&dy, lane));
            let (found, slopes) = (image(&y, lane), image(&dx, lane));
            for position in 0..positions {
                let places = || (0..channels).map(|c| c * positions + position);
                let largest = places().map(|at| values[at]).fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = places().map(|at| (values[at] - largest).exp()).sum();
                let total: f64 = places().map(|at| gradients[at]).sum();
                let size: f64 = places().map(|at| gradients[at].abs()).sum();
                for at in places() {
                    let expected = values[at] - largest - sum.ln();
                    // Against the numbers subtracted, not their difference, which may be nothing.
                    let bound = 2e-7 * (values[at].abs() + largest.abs() + 10.0);
                    let difference = (found[at] - expected).abs();
                    assert!(difference <= bound, "{isa}: {} for {expected}", found[at]);
                    let expected = gradients[at] - expected.exp() * total;
                    let difference = (slopes[at] - expected).abs();
                    assert!(difference <= 1e-6 * (1.0 + size) + 3.0 * bound, "{isa}: gradient");
                }
            }
        }
    }
}

#[test]
fn logarithms_of_nothing_are_finite_and_nan_is_seen() {
    for isa in Isa::available() {
        let mut x = vec![Lanes([200.0; LANES]), Lanes([-300.0; LANES])];
        x[1].0[4] = f32::NAN;
        let mut y = poison(2);
        softmax::log_forward(isa, 2, &x, &mut y);
        assert_eq!([y[0].0[0], y[1].0[0]], [0.0, -500.0]);
        assert!(y.iter().all(|y| y.0[4].is_nan()));
    }
}

const KEY: dropout::Key = dropout::Key { seed: 1, pass: 2, node: 3, group: 4 };

#[test]
fn dropout_keeps_its_share_and_scales_it() {
    let x = Random::new(5).lanes(4000);
    for isa in Isa::available() {
        for p in [0.0, 0.1, 0.5, 0.9] {
            let mut y = poison(x.len());
            dropout::forward(isa, p, KEY, &x, &mut y);
            let mut dropped = 0;
            for (x, y) in x.iter().zip(&y) {
                for lane in 0..LANES {
                    let kept = x.0[lane] / (1.0 - p);
                    if y.0[lane] == 0.0 {
                        dropped += 1;
                    } else {
                        assert!((y.0[lane] - kept).abs() <= 1e-6 * kept.abs());
                    }
                }
            }
            // Six standard deviations of 64,000 draws.
            let share = f64::from(dropped) / 64_000.0;
            let bound = 6.0 * f64::from(p * (1.0 - p) / 64_000.0).sqrt() + 1e-4;
            assert!((share - f64::from(p)).abs() <= bound, "{isa} dropped {share} for p = {p}");
        }
    }
}

#[test]
fn the_same_key_drops_the_same_and_others_others() {
    let ones = vec![Lanes([1.0; LANES]); 50];
    let mask = |isa, key| {
        let mut y = poison(ones.len());
        dropout::forward(isa, 0.5, key, &ones, &mut y);
        y
    };
    let first = mask(Isa::Portable, KEY);
    for isa in Isa::available() {
        let mut dx = poison(ones.len());
        dropout::backward(isa, 0.5, KEY, &ones, &mut dx);
        assert_eq!(dx, first, "{isa}");
    }
    let others = [
        dropout::Key { seed: 2, ..KEY },
        dropout::Key { pass: 3, ..KEY },
        dropout::Key { node: 4, ..KEY },
        dropout::Key { group: 5, ..KEY },
    ];
    for other in others {
        let other_mask = mask(Isa::Portable, other);
        let same = first
            .iter()
            .zip(&other_mask)
            .flat_map(|(a, b)| a.0.into_iter().zip(b.0))
            .filter(|(a, b)| a == b)
            .count();
        // 800 fair draws: 400 on average, 14 the standard deviation.
        assert!((300..500).contains(&same), "{other:?}: {same} of 800 the same");
    }
}

#[test]
fn dropping_takes_nan_away() {
    let x = vec![Lanes([f32::NAN; LANES]); 20];
    let mut y = poison(20);
    dropout::forward(Isa::Portable, 0.5, KEY, &x, &mut y);
    let zeros = y.iter().flat_map(|y| y.0).filter(|&y| y == 0.0).count();
    assert!((100..220).contains(&zeros));
}

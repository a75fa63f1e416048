//! What the kernels' tests share: random values, f64 references and comparison.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use proptest::test_runner::{Config as ProptestConfig, RngSeed};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use typenet_kernels::{Epilogue, LANES, Lanes, blocked};
use typenet_shape::{Activation, Approximate, Conv2d};

/// So many random cases, the same in each run.
pub fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(2026),
        ..ProptestConfig::default()
    }
}

/// What a forward pass does behind its sums, without statistics.
pub fn epilogue<'a>(
    bias: Option<&'a [f32]>,
    add: Option<&'a [Lanes]>,
    activation: Activation,
) -> Epilogue<'a> {
    Epilogue { bias, add, activation, ..Epilogue::default() }
}

/// Random numbers, the same for the same seed.
pub struct Random(ChaCha8Rng);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Between -1 and 1.
    pub fn number(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0
    }

    pub fn numbers(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.number()).collect()
    }

    pub fn lanes(&mut self, len: usize) -> Vec<Lanes> {
        (0..len).map(|_| Lanes([(); LANES].map(|()| self.number()))).collect()
    }
}

/// An output that a kernel has to overwrite everywhere.
pub fn poison(len: usize) -> Vec<Lanes> {
    vec![Lanes([f32::NAN; LANES]); len]
}

/// NaN in place of the images from `images` on.
pub fn without_images(value: &[Lanes], images: usize) -> Vec<Lanes> {
    let mut value = value.to_vec();
    value.iter_mut().for_each(|v| v.0[images..].fill(f32::NAN));
    value
}

/// For comparisons in which NaN equals NaN.
pub fn bits(value: &[Lanes]) -> Vec<[u32; LANES]> {
    value
        .iter()
        .map(|v| v.0.map(|number| if number.is_nan() { !0 } else { number.to_bits() }))
        .collect()
}

/// One image of a value.
pub fn image(value: &[Lanes], lane: usize) -> Vec<f64> {
    value.iter().map(|lanes| f64::from(lanes.0[lane])).collect()
}

pub fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().map(|&number| f64::from(number)).collect()
}

/// `‖a − b‖ / ‖b‖`; NaN, which no bound accepts, if any number is NaN.
pub fn relative(a: &[f64], b: &[f64]) -> f64 {
    distance(a, b) / norm2(b).max(1e-30)
}

/// The Euclidean norm.
pub fn norm2(numbers: &[f64]) -> f64 {
    numbers.iter().map(|n| n * n).sum::<f64>().sqrt()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    norm2(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>())
}

#[track_caller]
pub fn assert_close(found: &[f64], expected: &[f64], bound: f64, what: &str) {
    // Where all is zero, as in a gradient that nothing reaches, nothing but zero will do.
    let difference = relative(found, expected);
    assert!(difference <= bound, "{what}: relative difference {difference:e}, bound {bound:e}");
}

/// The error against the size of what was added up, which the result itself may be far below.
#[track_caller]
pub fn assert_within(found: &[f64], expected: &[f64], size: f64, bound: f64, what: &str) {
    let difference = distance(found, expected);
    assert!(difference <= bound * size, "{what}: difference {difference:e} of {size:e}");
}

/// A bias's gradient is the sum of the numbers `dy`.
#[track_caller]
pub fn assert_bias_gradient(
    found: &[f32],
    expected: &[f64],
    dy: impl IntoIterator<Item = f32>,
    bound: f64,
    what: &str,
) {
    let size = norm2(&dy.into_iter().map(f64::from).collect::<Vec<_>>());
    assert_within(&wide(found), expected, size, bound, &format!("{what}: bias gradient"));
}

/// Compares all images at once: of one image few numbers may survive a relu, and those may be
/// small differences of large ones.
#[track_caller]
pub fn assert_lanes_close(
    found: &[Lanes],
    bound: f64,
    what: &str,
    expected: impl Fn(usize) -> Vec<f64>,
) {
    let found: Vec<f64> = (0..LANES).flat_map(|lane| image(found, lane)).collect();
    let expected: Vec<f64> = (0..LANES).flat_map(expected).collect();
    assert_close(&found, &expected, bound, what);
}

/// What reads what in a convolution: calls `f(place in y, place in x, place in w)` for each product.
pub fn products(g: &Conv2d, mut f: impl FnMut(usize, usize, usize)) {
    let output = g.output().unwrap();
    let [height, width] = [g.input.dim(1), g.input.dim(2)];
    let in_channels = g.input.dim(0) / g.groups;
    let out_channels = g.out_channels / g.groups;
    for o in 0..g.out_channels {
        for i in 0..output.dim(1) {
            for j in 0..output.dim(2) {
                for c in 0..in_channels {
                    for u in 0..g.kernel[0] {
                        for v in 0..g.kernel[1] {
                            let row =
                                (i * g.stride[0] + u * g.dilation[0]).wrapping_sub(g.padding[0]);
                            let column =
                                (j * g.stride[1] + v * g.dilation[1]).wrapping_sub(g.padding[1]);
                            if row < height && column < width {
                                let channel = o / out_channels * in_channels + c;
                                f(
                                    (o * output.dim(1) + i) * output.dim(2) + j,
                                    (channel * height + row) * width + column,
                                    ((o * in_channels + c) * g.kernel[0] + u) * g.kernel[1] + v,
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A convolution, transposed or not, and its gradients in f64.
pub struct ConvReference {
    /// The output of each image.
    pub y: Vec<Vec<f64>>,
    /// The input's gradient of each image.
    pub dx: Vec<Vec<f64>>,
    /// The weight's gradient, added to 0.5.
    pub dw: Vec<f64>,
    /// The bias's gradient, added to -0.25.
    pub db: Vec<f64>,
}

impl ConvReference {
    /// `products` calls what it is given with (place in y, place in x, place in w) for each product.
    pub fn new(
        x: &[Lanes],
        dy: &[Lanes],
        weight: &[f32],
        bias: Option<&[f32]>,
        out_channels: usize,
        products: impl Fn(&mut dyn FnMut(usize, usize, usize)),
    ) -> ConvReference {
        let plane = dy.len() / out_channels;
        let start = |at: usize| bias.map_or(0.0, |bias| f64::from(bias[at / plane]));
        let mut y = vec![(0..dy.len()).map(start).collect::<Vec<f64>>(); LANES];
        let mut dx = vec![vec![0.0; x.len()]; LANES];
        let mut dw = vec![0.5; weight.len()];
        for lane in 0..LANES {
            products(&mut |at_y, at_x, at_w| {
                let w = f64::from(weight[at_w]);
                let (d, v) = (f64::from(dy[at_y].0[lane]), f64::from(x[at_x].0[lane]));
                y[lane][at_y] += w * v;
                dx[lane][at_x] += w * d;
                dw[at_w] += d * v;
            });
        }
        let mut db = vec![-0.25; out_channels];
        for (at, d) in dy.iter().enumerate() {
            db[at / plane] += d.0.iter().map(|&d| f64::from(d)).sum::<f64>();
        }
        ConvReference { y, dx, dw, db }
    }
}

/// A value of one image in blocks of 16 channels, with NaN where nothing may read.
pub fn blocked(numbers: &[f32], channels: usize) -> Vec<Lanes> {
    let area = numbers.len() / channels;
    let mut lanes = poison(blocked::blocks(channels) * area);
    blocked::from_planar(numbers, channels, &mut lanes);
    for (at, lanes) in lanes.iter_mut().enumerate() {
        let count = (channels - at / area * LANES).min(LANES);
        lanes.0[count..].fill(f32::NAN);
    }
    lanes
}

/// The inverse of [`blocked`].
pub fn planar(lanes: &[Lanes], channels: usize, area: usize) -> Vec<f64> {
    let mut numbers = vec![f32::NAN; channels * area];
    blocked::to_planar(lanes, channels, &mut numbers);
    wide(&numbers)
}

/// As [`blocked`], of several images one behind the other.
pub fn all_blocked<'a>(images: impl Iterator<Item = &'a [f32]>, channels: usize) -> Vec<Lanes> {
    images.flat_map(|numbers| blocked(numbers, channels)).collect()
}

/// The inverse of [`all_blocked`].
pub fn all_planar(lanes: &[Lanes], images: usize, channels: usize, area: usize) -> Vec<f64> {
    let of_image = lanes.len() / images;
    lanes.chunks(of_image).flat_map(|lanes| planar(lanes, channels, area)).collect()
}

/// An activation and its slope.
pub fn exact(f: Activation, x: f64) -> (f64, f64) {
    use std::f64::consts::{FRAC_1_SQRT_2, PI};
    match f {
        Activation::Identity => (x, 1.0),
        Activation::Relu => (x.max(0.0), if x > 0.0 { 1.0 } else { 0.0 }),
        Activation::LeakyRelu { negative_slope } => {
            let slope = if x > 0.0 { 1.0 } else { f64::from(negative_slope) };
            (slope * x, slope)
        }
        Activation::Relu6 => (x.clamp(0.0, 6.0), if x > 0.0 && x < 6.0 { 1.0 } else { 0.0 }),
        Activation::Sigmoid => {
            let y = 1.0 / (1.0 + (-x).exp());
            (y, y * (1.0 - y))
        }
        Activation::Tanh => (x.tanh(), 1.0 - x.tanh().powi(2)),
        Activation::Gelu { approximate: Approximate::None } => {
            let gate = 0.5 * libm::erfc(-x * FRAC_1_SQRT_2);
            (x * gate, gate + x * (-0.5 * x * x).exp() / (2.0 * PI).sqrt())
        }
        Activation::Gelu { approximate: Approximate::Tanh } => {
            let factor = 2.0 * (2.0 / PI).sqrt();
            let z = factor * (x + 0.044715 * x.powi(3));
            let (gate, rest) = (1.0 / (1.0 + (-z).exp()), 1.0 / (1.0 + z.exp()));
            let step = factor * (1.0 + 3.0 * 0.044715 * x * x);
            (x * gate, gate + if rest == 0.0 { 0.0 } else { x * gate * rest * step })
        }
        Activation::Silu => {
            let gate = 1.0 / (1.0 + (-x).exp());
            (x * gate, gate * (1.0 + x * (1.0 - gate)))
        }
        Activation::Hardswish => {
            let slope = match x {
                _ if x <= -3.0 => 0.0,
                _ if x >= 3.0 => 1.0,
                _ => x / 3.0 + 0.5,
            };
            (x * (x + 3.0).clamp(0.0, 6.0) / 6.0, slope)
        }
    }
}

/// The statistics that a convolution gathers of its output `y`, of the first images of a group: against
/// means and squares in f64.
pub fn assert_statistics(y: &[Lanes], images: usize, statistics: &[f32], what: &str) {
    let channels = statistics.len() / 2;
    let pixels = y.len() / channels;
    for (c, found) in statistics.chunks(2).enumerate() {
        let y = &y[c * pixels..(c + 1) * pixels];
        let of_images = y.iter().flat_map(|y| &y.0[..images]).map(|&v| f64::from(v));
        let numbers: Vec<f64> = of_images.collect();
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        let squares: f64 = numbers.iter().map(|v| (v - mean).powi(2)).sum();
        let size = numbers.iter().map(|v| v.abs()).fold(0.0, f64::max);
        let near = |found: f32, expected: f64, bound: f64| {
            let off = (f64::from(found) - expected).abs();
            assert!(off <= bound, "{what}, channel {c}: {found} instead of {expected}");
        };
        near(found[0], mean, 1e-6 * size);
        near(found[1], squares, 1e-5 * squares + 1e-10 * size * size * numbers.len() as f64);
    }
}

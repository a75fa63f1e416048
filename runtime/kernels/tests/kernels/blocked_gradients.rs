//! The gradients of a batch with 16 channels side by side against plain loops in f64, on every
//! instruction set.

use crate::support::*;
use proptest::prelude::*;
use typenet_kernels::blocked::{self, Pixels};
use typenet_kernels::team::Team;
use typenet_kernels::winograd::blocked as blocked_winograd;
use typenet_kernels::{Isa, Lanes};
use typenet_shape::{Activation, Conv2d, Conv2dKernel, Shape};

const BOUND: f64 = 1e-5;

/// Values of all images, image by image, in blocks of channels.
fn batch(images: &[Vec<f32>], channels: usize) -> Vec<Lanes> {
    images.iter().flat_map(|image| blocked(image, channels)).collect()
}

fn check_weight(g: &Conv2d, images: usize, seed: u64) {
    let output = g.output().unwrap();
    let mut random = Random::new(seed);
    let mut values =
        |len: usize| (0..images).map(|_| random.numbers(len)).collect::<Vec<Vec<f32>>>();
    let (x, dy) = (values(g.input.elements()), values(output.elements()));
    let mut expected = vec![0.0; g.weight().elements()];
    for (x, dy) in x.iter().zip(&dy) {
        products(g, |at_y, at_x, at_w| {
            expected[at_w] += f64::from(dy[at_y]) * f64::from(x[at_x]);
        });
    }
    let planar = x.concat();
    let (x, dy) = (batch(&x, g.input.dim(0)), batch(&dy, g.out_channels));
    for isa in Isa::available() {
        let mut first: Option<Vec<u32>> = None;
        for (threads, is_planar) in [(1, false), (3, false), (1, true), (3, true)] {
            if is_planar && g.groups > 1 {
                continue;
            }
            let what = format!("{isa} {threads} threads, planar: {is_planar}, {g:?}");
            let step = g.input.elements();
            let planar = Pixels::Planar { numbers: &planar, step };
            let pixels = if is_planar { planar } else { Pixels::Blocked(&x) };
            let mut room = poison(blocked::conv2d_weight_gradient_room(g, images, is_planar));
            let mut dw = vec![f32::NAN; expected.len()];
            Team::gather(threads, |team| {
                blocked::conv2d_backward_weight(
                    isa, team, g, images, pixels, &dy, &mut room, false, &mut dw,
                );
            });
            assert_close(&wide(&dw), &expected, BOUND, &what);
            let bits: Vec<u32> = dw.iter().map(|d| d.to_bits()).collect();
            if threads == 1 {
                first = Some(bits);
            } else {
                assert!(first == Some(bits), "other bits with {what}");
            }
            let mut dw = vec![0.5; expected.len()];
            let sums: Vec<f64> = expected.iter().map(|d| d + 0.5).collect();
            blocked::conv2d_backward_weight(
                isa,
                &Team::alone(),
                g,
                images,
                pixels,
                &dy,
                &mut room,
                true,
                &mut dw,
            );
            assert_close(&wide(&dw), &sums, BOUND, &what);
        }
    }
}

fn conv(input: [usize; 3], out_channels: usize, kernel: usize) -> Conv2d {
    let padding = [kernel / 2; 2];
    Conv2d { padding, ..Conv2d::new(Shape::new(&input), out_channels, [kernel, kernel]) }
}

#[test]
fn weights_of_real_layers() {
    check_weight(&Conv2d { stride: [2, 2], ..conv([3, 31, 40], 64, 7) }, 2, 1);
    check_weight(&Conv2d { stride: [2, 2], ..conv([3, 16, 17], 32, 3) }, 3, 1);
    check_weight(&conv([64, 14, 14], 64, 3), 2, 2);
    check_weight(&conv([64, 7, 7], 80, 3), 4, 2);
    check_weight(&conv([40, 9, 9], 100, 1), 3, 3);
    check_weight(&Conv2d { stride: [2, 2], ..conv([24, 13, 12], 48, 1) }, 2, 3);
    check_weight(&Conv2d { stride: [2, 2], ..conv([16, 14, 15], 32, 3) }, 2, 3);
    check_weight(&conv([1, 12, 12], 6, 5), 2, 4);
    check_weight(&conv([2, 5, 40], 17, 11), 1, 4);
}

#[test]
fn weights_of_groups() {
    check_weight(&Conv2d { groups: 2, ..conv([40, 6, 7], 96, 3) }, 2, 5);
    check_weight(&Conv2d { groups: 3, ..conv([6, 5, 5], 48, 3) }, 2, 5);
    check_weight(&Conv2d { groups: 2, stride: [2, 1], ..conv([64, 9, 6], 32, 1) }, 2, 5);
}

#[test]
fn weights_of_many_images() {
    check_weight(&conv([5, 4, 4], 7, 3), 37, 6);
}

proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn weights_of_random_geometries(
        (h, kh, sh, ph, dh) in (1..=13usize, 1..=5usize, 1..=3usize, 0..=3usize, 1..=3usize),
        (w, kw, sw, pw, dw) in (1..=30usize, 1..=5usize, 1..=3usize, 0..=3usize, 1..=3usize),
        (channels, out_channels, images) in (1..=40usize, 1..=70usize, 1..=3usize),
        extra in 0..4usize,
        seed: u64,
    ) {
        let g = Conv2d {
            input: Shape::new(&[channels, h, w]),
            out_channels,
            kernel: [kh, kw],
            stride: [sh, sw],
            padding: [ph, pw],
            extra: [extra % 2, extra / 2],
            dilation: [dh, dw],
            groups: 1,
            bias: false,
        };
        prop_assume!(g.output().is_ok());
        check_weight(&g, images, seed);
    }
}

fn check_data(g: &Conv2d, images: usize, seed: u64) {
    let output = g.output().unwrap();
    let mut random = Random::new(seed);
    let weight = random.numbers(g.weight().elements());
    let mut values =
        |len: usize| (0..images).map(|_| random.numbers(len)).collect::<Vec<Vec<f32>>>();
    let (dy, before) = (values(output.elements()), values(g.input.elements()));
    let mut expected = Vec::new();
    for dy in &dy {
        let mut own = vec![0.0; g.input.elements()];
        products(g, |at_y, at_x, at_w| {
            own[at_x] += f64::from(dy[at_y]) * f64::from(weight[at_w]);
        });
        expected.extend(own);
    }
    let sums: Vec<f64> =
        expected.iter().zip(before.concat()).map(|(d, b)| d + f64::from(b)).collect();
    let (channels, area) = (g.input.dim(0), g.input.dim(1) * g.input.dim(2));
    let (dy, before) = (batch(&dy, g.out_channels), batch(&before, channels));
    let from_batch = |dx: &[Lanes]| -> Vec<f64> {
        let of_one = dx.len() / images;
        dx.chunks(of_one).flat_map(|image| planar(image, channels, area)).collect()
    };
    for isa in Isa::available() {
        let mut alone = [None, None];
        for threads in [1, 3] {
            for accumulate in [false, true] {
                let what = format!("{isa} {threads} threads, {accumulate}, {images} of {g:?}");
                let expected = if accumulate { &sums } else { &expected };
                let start = || if accumulate { before.clone() } else { poison(before.len()) };
                let mut dx = start();
                let mut room = poison(blocked::conv2d_data_room(g, images));
                Team::gather(threads, |team| {
                    blocked::conv2d_backward_data(
                        isa, team, g, &dy, &weight, &mut room, accumulate, &mut dx,
                    );
                });
                let found = from_batch(&dx);
                assert_close(&found, expected, BOUND, &what);
                let first = alone[usize::from(accumulate)].get_or_insert_with(|| found.clone());
                assert!(*first == found, "other bits with {what}");
                for kernel in [Conv2dKernel::Winograd2, Conv2dKernel::Winograd4] {
                    if !kernel.runs(g) {
                        continue;
                    }
                    let what = format!("{kernel:?} {what}");
                    let mut dx = start();
                    let mut packed = poison(blocked_winograd::data_packed_len(kernel, g));
                    Team::gather(threads, |team| {
                        blocked_winograd::pack_data(isa, team, kernel, g, &weight, &mut packed);
                        let threads = team.threads();
                        let mut room =
                            poison(blocked_winograd::data_scratch_len(kernel, g, threads));
                        blocked_winograd::backward_data(
                            isa, team, kernel, g, &dy, &packed, accumulate, &mut dx, &mut room,
                        );
                    });
                    assert_close(&from_batch(&dx), expected, BOUND, &what);
                }
            }
        }
    }
}

#[test]
fn inputs_of_real_layers() {
    check_data(&Conv2d { stride: [2, 2], ..conv([3, 31, 40], 64, 7) }, 2, 1);
    check_data(&conv([64, 14, 14], 64, 3), 2, 2);
    check_data(&conv([40, 9, 9], 100, 1), 2, 3);
    check_data(&Conv2d { stride: [2, 2], ..conv([24, 13, 12], 48, 1) }, 2, 3);
    check_data(&Conv2d { stride: [2, 2], ..conv([16, 14, 15], 32, 3) }, 2, 3);
    check_data(&conv([20, 12, 12], 6, 5), 2, 4);
    check_data(&Conv2d { groups: 2, ..conv([96, 6, 7], 40, 3) }, 2, 5);
}

#[test]
fn inputs_of_few_channels() {
    check_data(&Conv2d { padding: [0; 2], ..conv([6, 12, 12], 16, 5) }, 3, 6);
    check_data(&Conv2d { padding: [0; 2], ..conv([8, 9, 20], 30, 3) }, 2, 6);
    check_data(&Conv2d { stride: [2, 2], ..conv([3, 31, 40], 64, 7) }, 2, 6);
    check_data(&Conv2d { stride: [3, 2], dilation: [1, 3], ..conv([1, 17, 23], 40, 5) }, 1, 6);
    // More images than are computed together.
    check_data(&conv([3, 70, 70], 16, 3), 3, 6);
    check_data(&conv([3, 60, 60], 16, 3), 3, 6);
}

proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn inputs_of_random_geometries(
        (h, kh, sh, ph, dh) in (1..=13usize, 1..=5usize, 1..=3usize, 0..=3usize, 1..=3usize),
        (w, kw, sw, pw, dw) in (1..=30usize, 1..=5usize, 1..=3usize, 0..=3usize, 1..=3usize),
        (few, channels) in (any::<bool>(), 1..=70usize),
        (out_channels, images) in (1..=40usize, 1..=3usize),
        extra in 0..4usize,
        seed: u64,
    ) {
        let channels = if few { channels.div_ceil(9) } else { channels };
        let g = Conv2d {
            input: Shape::new(&[channels, h, w]),
            out_channels,
            kernel: [kh, kw],
            stride: [sh, sw],
            padding: [ph, pw],
            extra: [extra % 2, extra / 2],
            dilation: [dh, dw],
            groups: 1,
            bias: false,
        };
        prop_assume!(g.output().is_ok());
        check_data(&g, images, seed);
    }

    #[test]
    fn linear_layers_while_training(
        (images, inputs, outputs) in (1..=21usize, 1..=100usize, 1..=70usize),
        (bias, adds) in (any::<bool>(), any::<bool>()),
        seed: u64,
    ) {
        let mut random = Random::new(seed);
        let weight = random.numbers(inputs * outputs);
        let bias = bias.then(|| random.numbers(outputs));
        let mut rows = |len: usize| {
            (0..images).map(|_| random.numbers(len)).collect::<Vec<Vec<f32>>>()
        };
        let (x, dy, other, before) = (rows(inputs), rows(outputs), rows(outputs), rows(inputs));
        let (mut y, mut dx) = (Vec::new(), Vec::new());
        let (mut dw, mut db) = (vec![0.0; inputs * outputs], vec![0.0; outputs]);
        for image in 0..images {
            let mut own = vec![0.0; inputs];
            for o in 0..outputs {
                let mut sum = bias.as_ref().map_or(0.0, |bias| f64::from(bias[o]));
                sum += if adds { f64::from(other[image][o]) } else { 0.0 };
                let d = f64::from(dy[image][o]);
                db[o] += d;
                for i in 0..inputs {
                    let (w, x) = (f64::from(weight[o * inputs + i]), f64::from(x[image][i]));
                    sum += w * x;
                    own[i] += w * d;
                    dw[o * inputs + i] += x * d;
                }
                y.push(sum.max(0.0));
            }
            dx.extend(own);
        }
        let to_rows = |rows: &[Vec<f32>]| batch(rows, rows[0].len());
        let from_rows = |lanes: &[Lanes], len: usize| -> Vec<f64> {
            let rows = lanes.chunks(blocked::blocks(len));
            rows.flat_map(|row| planar(row, len, 1)).collect()
        };
        let (x, dy, others, before) = (to_rows(&x), to_rows(&dy), to_rows(&other), to_rows(&before));
        let size = [inputs, outputs];
        for isa in Isa::available() {
            for threads in [1, 3] {
                Team::gather(threads, |team| {
                    let mut found = poison(dy.len());
                    let other = adds.then_some(others.as_slice());
                    let own = (weight.as_slice(), bias.as_deref());
                    let f = Activation::Relu;
                    blocked::linear_forward(isa, team, size, &x, own, other, f, &mut found);
                    assert_close(&from_rows(&found, outputs), &y, BOUND, "y");
                    for accumulate in [false, true] {
                        let start = if accumulate { 0.5 } else { f32::NAN };
                        let plus = |all: &[f64]| -> Vec<f64> {
                            all.iter().map(|d| d + if accumulate { 0.5 } else { 0.0 }).collect()
                        };
                        let mut found = vec![start; inputs * outputs];
                        blocked::linear_backward_weight(
                            isa, team, size, &x, &dy, accumulate, &mut found,
                        );
                        assert_close(&wide(&found), &plus(&dw), BOUND, "dw");
                        let mut found = vec![start; outputs];
                        blocked::linear_backward_bias(&dy, accumulate, &mut found);
                        assert_close(&wide(&found), &plus(&db), BOUND, "db");
                        let mut found = if accumulate { before.clone() } else { poison(x.len()) };
                        blocked::linear_backward_data(
                            isa, team, size, &dy, &weight, accumulate, &mut found,
                        );
                        let mut expected = dx.clone();
                        if accumulate {
                            let before = from_rows(&before, inputs);
                            expected.iter_mut().zip(before).for_each(|(d, b)| *d += b);
                        }
                        assert_close(&from_rows(&found, inputs), &expected, BOUND, "dx");
                    }
                });
            }
        }
    }

    #[test]
    fn biases(
        (images, channels, area) in (1..=5usize, 1..=40usize, 1..=300usize),
        accumulate: bool,
        seed: u64,
    ) {
        let mut random = Random::new(seed);
        let dy: Vec<Vec<f32>> = (0..images).map(|_| random.numbers(channels * area)).collect();
        let start = if accumulate { 0.5 } else { 0.0 };
        let expected: Vec<f64> = (0..channels)
            .map(|c| {
                let own = dy.iter().flat_map(|image| &image[c * area..][..area]);
                f64::from(start) + own.map(|d| f64::from(*d)).sum::<f64>()
            })
            .collect();
        let blocks = batch(&dy, channels);
        for isa in Isa::available() {
            let mut db = vec![if accumulate { start } else { f32::NAN }; channels];
            let mut room = poison(blocked::bias_gradient_room(channels, images));
            Team::gather(3, |team| {
                blocked::backward_bias(isa, team, images, &blocks, &mut room, accumulate, &mut db);
            });
            let added = dy.iter().flatten().copied();
            assert_bias_gradient(&db, &expected, added, BOUND, &format!("{isa}"));
        }
    }
}

#[test]
fn packing_on_threads_is_packing() {
    for (channels, out_channels, kernel) in [(3, 5, 3), (20, 40, 1), (7, 16, 5)] {
        let g = conv([channels, 6, 6], out_channels, kernel);
        let mut random = Random::new(1);
        let weight = random.numbers(g.weight().elements());
        let bias = random.numbers(out_channels);
        let mut expected = poison(blocked::conv2d_packed_len(&g));
        blocked::pack_conv2d(&g, &weight, Some(&bias), &mut expected);
        for isa in Isa::available() {
            let mut packed = poison(expected.len());
            Team::gather(3, |team| {
                blocked::pack_conv2d_shared(isa, team, &g, &weight, Some(&bias), &mut packed);
            });
            assert_eq!(packed, expected);
        }
    }
}

fn check_winograd_weight(g: &Conv2d, images: usize, seed: u64) {
    let output = g.output().unwrap();
    let mut random = Random::new(seed);
    let mut values =
        |len: usize| (0..images).map(|_| random.numbers(len)).collect::<Vec<Vec<f32>>>();
    let (x, dy) = (values(g.input.elements()), values(output.elements()));
    let mut expected = vec![0.0; g.weight().elements()];
    for (x, dy) in x.iter().zip(&dy) {
        products(g, |at_y, at_x, at_w| {
            expected[at_w] += f64::from(dy[at_y]) * f64::from(x[at_x]);
        });
    }
    let sums: Vec<f64> = expected.iter().map(|d| d + 0.5).collect();
    let (x, dy) = (batch(&x, g.input.dim(0)), batch(&dy, g.out_channels));
    for isa in Isa::available() {
        for kernel in [Conv2dKernel::Winograd2, Conv2dKernel::Winograd4] {
            if !kernel.runs(g) {
                continue;
            }
            let mut first: Option<Vec<u32>> = None;
            for (threads, accumulate) in [(1, false), (3, false), (16, false), (2, true)] {
                let what = format!("{isa} {kernel:?} {threads} threads, {accumulate}, {g:?}");
                let mut room = poison(blocked_winograd::weight_room_len(kernel, g, images));
                let mut dw = vec![if accumulate { 0.5 } else { f32::NAN }; expected.len()];
                Team::gather(threads, |team| {
                    blocked_winograd::backward_weight(
                        isa, team, kernel, g, images, &x, &dy, &mut room, accumulate, &mut dw,
                    );
                });
                let expected = if accumulate { &sums } else { &expected };
                assert_close(&wide(&dw), expected, BOUND, &what);
                let bits: Vec<u32> = dw.iter().map(|d| d.to_bits()).collect();
                if !accumulate {
                    let first = first.get_or_insert_with(|| bits.clone());
                    assert!(*first == bits, "other bits with {what}");
                }
            }
        }
    }
}

#[test]
fn transformed_weights_of_real_layers() {
    check_winograd_weight(&conv([64, 14, 14], 64, 3), 2, 1);
    check_winograd_weight(&conv([64, 30, 31], 80, 3), 5, 1);
    check_winograd_weight(&conv([20, 7, 7], 50, 3), 4, 2);
    check_winograd_weight(&conv([16, 12, 12], 32, 5), 2, 3);
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn transformed_weights_of_random_geometries(
        (h, w, ph, pw) in (1..=20usize, 1..=30usize, 0..=3usize, 0..=3usize),
        (channels, out_channels, images) in (1..=70usize, 1..=70usize, 1..=4usize),
        kernel in 0..2usize,
        extra in 0..4usize,
        seed: u64,
    ) {
        let g = Conv2d {
            padding: [ph, pw],
            extra: [extra % 2, extra / 2],
            ..conv([channels, h, w], out_channels, 3 + 2 * kernel)
        };
        prop_assume!(g.output().is_ok());
        check_winograd_weight(&g, images, seed);
    }
}

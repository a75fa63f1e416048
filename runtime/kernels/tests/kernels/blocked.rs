//! The kernels for one image against plain loops in f64, on every instruction set.

use crate::support::*;
use proptest::prelude::*;
use typenet_kernels::blocked::{self, Pixels, Rows, blocks};
use typenet_kernels::team::Team;
use typenet_kernels::winograd::blocked as blocked_winograd;
use typenet_kernels::{Isa, Lanes};
use typenet_shape::{Activation, Conv2d, Conv2dKernel, Shape};

const BOUND: f64 = 1e-5;

/// Of one to three images, with each kernel that there is.
fn check(g: &Conv2d, seed: u64) {
    let (images, output) = (1 + seed as usize % 3, g.output().unwrap());
    let (area, len) = (output.dim(1) * output.dim(2), output.elements());
    let mut random = Random::new(seed);
    // There may be numbers between the images.
    let step = g.input.elements() + 5 * (seed as usize % 2);
    let x = random.numbers(images * step);
    let weight = random.numbers(g.weight().elements());
    let bias = g.bias.then(|| random.numbers(g.out_channels));
    let mut expected: Vec<f64> = (0..images * len)
        .map(|at| bias.as_ref().map_or(0.0, |bias| f64::from(bias[at % len / area])))
        .collect();
    for image in 0..images {
        products(g, |at_y, at_x, at_w| {
            expected[image * len + at_y] +=
                f64::from(weight[at_w]) * f64::from(x[image * step + at_x]);
        });
    }
    let relu: Vec<f64> = expected.iter().map(|y| y.max(0.0)).collect();
    let other = random.numbers(expected.len());
    let tanh: Vec<f64> =
        expected.iter().zip(&other).map(|(y, o)| (y + f64::from(*o)).tanh()).collect();
    let sum: Vec<f64> = expected.iter().zip(&other).map(|(y, o)| y + f64::from(*o)).collect();
    let other = all_blocked(other.chunks(len), g.out_channels);
    let other = Some(other.as_slice());
    let lanes = all_blocked(x.chunks(step).map(|x| &x[..g.input.elements()]), g.input.dim(0));
    let depthwise = g.groups > 1 && g.groups == g.input.dim(0) && g.groups == g.out_channels;
    let filled = blocked::filled_conv2d(g);
    let as_run = filled.unwrap_or(*g);
    let (rows, outputs) = (g.groups, g.out_channels / g.groups);
    let fill = |numbers: &[f32]| match filled {
        Some(_) => blocked::filled(numbers, rows, outputs),
        None => numbers.to_vec(),
    };
    let mut packed = poison(blocked::conv2d_packed_len(&as_run));
    let filled_bias = bias.as_ref().map(|bias| fill(bias));
    blocked::pack_conv2d(&as_run, &fill(&weight), filled_bias.as_deref(), &mut packed);
    let y_len = images * blocks(g.out_channels) * area;
    let planar = |y: &[Lanes]| all_planar(y, images, g.out_channels, area);
    for isa in Isa::available() {
        for (f, other, expected) in [
            (Activation::Identity, None, &expected),
            (Activation::Identity, other, &sum),
            (Activation::Relu, None, &relu),
            (Activation::Tanh, other, &tanh),
        ] {
            for threads in [1, 3] {
                let what = format!("{isa} {f:?} {threads} threads {images} images {g:?}");
                for pixels in [Pixels::Planar { numbers: &x, step }, Pixels::Blocked(&lanes)] {
                    let mut y = poison(y_len);
                    Team::gather(threads, |team| match (depthwise, filled) {
                        (true, _) => blocked::depthwise_conv2d(
                            isa, team, g, &lanes, &packed, other, f, &mut y,
                        ),
                        (_, Some(filled)) => {
                            let room = images * blocks(filled.out_channels) * area;
                            let (room, y) = (&mut poison(room), &mut y);
                            blocked::grouped_conv2d(
                                isa, team, g, pixels, &packed, other, f, room, y,
                            );
                        }
                        _ => blocked::conv2d(isa, team, g, pixels, &packed, other, f, &mut y),
                    });
                    assert_close(&planar(&y), expected, BOUND, &what);
                }
                if let Some(gathered) = blocked::gathered_conv2d(g) {
                    let (mut y, pixels) =
                        (poison(y_len), gathered.input.dim(1) * gathered.input.dim(2));
                    Team::gather(threads, |team| {
                        let room = &mut poison(images * blocks(g.input.dim(0)) * pixels);
                        let (x, y) = (&lanes, &mut y);
                        blocked::strided_conv2d(isa, team, g, x, &packed, other, f, room, y);
                    });
                    assert_close(&planar(&y), expected, BOUND, &format!("gathered {what}"));
                }
                for kernel in WINOGRAD.into_iter().filter(|kernel| kernel.runs(g)) {
                    let what = format!("{kernel:?} {what}");
                    let mut packed = poison(blocked_winograd::packed_len(kernel, g));
                    blocked_winograd::pack(isa, kernel, g, &weight, bias.as_deref(), &mut packed);
                    let mut y = poison(y_len);
                    Team::gather(threads, |team| {
                        let mut room =
                            poison(blocked_winograd::scratch_len(kernel, g, team.threads()));
                        let (x, room, y) = (&lanes, &mut room, &mut y);
                        blocked_winograd::forward(
                            isa, team, kernel, g, x, &packed, other, f, y, room,
                        );
                    });
                    assert_close(&planar(&y), expected, BOUND, &what);
                }
            }
        }
    }
}

const WINOGRAD: [Conv2dKernel; 2] = [Conv2dKernel::Winograd2, Conv2dKernel::Winograd4];

fn conv(input: [usize; 3], out_channels: usize, kernel: [usize; 2]) -> Conv2d {
    Conv2d::new(Shape::new(&input), out_channels, kernel)
}

#[test]
fn every_width_and_height_up_to_30() {
    for size in 1..=30 {
        check(&Conv2d { padding: [0, 1], ..conv([2, 2, size], 5, [2, 3]) }, 1);
        check(&Conv2d { padding: [1, 0], ..conv([17, size, 2], 40, [3, 2]) }, 2);
    }
}

#[test]
fn few_channels_of_wide_rows() {
    for out_channels in 1..=9 {
        let g = conv([3, 7, 37], out_channels, [3, 3]);
        check(&Conv2d { padding: [1, 2], dilation: [1, 2], stride: [2, 1], ..g }, 3);
        check(&Conv2d { padding: [4, 1], ..conv([1, 5, 18], out_channels, [5, 3]) }, 3);
    }
}

#[test]
fn every_number_of_blocks() {
    for out_channels in [1, 15, 16, 17, 32, 33, 48, 64, 65, 80, 100] {
        check(&Conv2d { padding: [1, 1], ..conv([3, 6, 7], out_channels, [3, 3]) }, 3);
    }
}

#[test]
fn groups_of_whole_blocks_and_depthwise() {
    check(&Conv2d { groups: 3, padding: [1, 1], ..conv([6, 5, 6], 48, [3, 3]) }, 4);
    check(&Conv2d { groups: 2, ..conv([40, 5, 6], 96, [1, 3]) }, 4);
    for channels in [2, 16, 19, 40] {
        let g = conv([channels, 7, 9], channels, [3, 3]);
        check(&Conv2d { groups: channels, padding: [1, 1], ..g }, 5);
        check(&Conv2d { groups: channels, padding: [2, 0], stride: [2, 3], ..g }, 5);
        check(&Conv2d { groups: channels, padding: [1, 1], stride: [2, 2], ..g }, 5);
        let g = conv([channels, 12, 19], channels, [5, 5]);
        check(&Conv2d { groups: channels, padding: [2, 1], ..g }, 5);
        check(&Conv2d { groups: channels, padding: [2, 2], stride: [2, 2], ..g }, 5);
    }
}

#[test]
fn groups_of_any_size() {
    for (groups, ins, outs) in
        [(2, 2, 4), (3, 1, 2), (5, 2, 1), (2, 3, 17), (3, 16, 5), (7, 4, 4), (32, 4, 4), (20, 1, 2)]
    {
        let g = conv([groups * ins, 5, 7], groups * outs, [3, 2]);
        assert!(blocked::filled_conv2d(&Conv2d { groups, ..g }).is_some());
        check(&Conv2d { groups, padding: [1, 0], ..g }, groups as u64);
        check(&Conv2d { groups, stride: [2, 2], bias: false, ..g }, 1 + groups as u64);
    }
}

#[test]
fn convolutions_of_1x1() {
    for (height, width) in [(1, 1), (7, 7), (14, 14), (5, 23), (6, 2), (13, 1), (4, 30)] {
        for (channels, outs) in [(3, 5), (20, 40), (64, 70)] {
            check(&conv([channels, height, width], outs, [1, 1]), height as u64);
            let g = conv([channels, height, width], outs, [1, 1]);
            check(&Conv2d { stride: [2, 2], ..g }, width as u64);
        }
    }
}

/// Weights of several sets of tiles, the next of which is fetched ahead, and an input that does not stay in
/// cache.
#[test]
fn many_weights_and_large_inputs() {
    check(&Conv2d { padding: [1, 1], ..conv([66, 6, 15], 170, [3, 3]) }, 1);
    check(&Conv2d { padding: [1, 0], groups: 2, ..conv([130, 5, 9], 192, [3, 3]) }, 2);
    check(&Conv2d { stride: [2, 1], ..conv([600, 9, 5], 40, [2, 1]) }, 2);
    check(&conv([260, 40, 30], 40, [1, 1]), 2);
    check(&Conv2d { groups: 4, ..conv([256, 40, 30], 192, [1, 1]) }, 1);
}

#[test]
fn many_products_of_1x1_with_a_stride() {
    for (input, outs, stride, groups) in [
        ([130, 24, 35], 200, [2, 3], 1),
        ([192, 20, 9], 144, [1, 2], 1),
        ([256, 25, 9], 512, [2, 1], 2),
    ] {
        let g = Conv2d { stride, groups, ..conv(input, outs, [1, 1]) };
        assert!(blocked::gathered_conv2d(&g).is_some());
        check(&g, outs as u64);
    }
    // Padding would be gathered too.
    let g = Conv2d { stride: [2, 2], ..conv([128, 28, 28], 128, [1, 1]) };
    assert!(blocked::gathered_conv2d(&g).is_some());
    assert!(blocked::gathered_conv2d(&Conv2d { padding: [1, 1], ..g }).is_none());
}

#[test]
fn many_images_of_few_pixels() {
    for images in 0..3 {
        check(&Conv2d { padding: [1, 1], ..conv([40, 7, 7], 48, [3, 3]) }, images);
        check(&Conv2d { padding: [1, 1], ..conv([20, 2, 3], 70, [3, 3]) }, images);
        check(&Conv2d { padding: [2, 2], ..conv([9, 5, 4], 33, [5, 5]) }, images);
    }
}

#[test]
fn layers_of_real_nets() {
    check(&conv([1, 28, 28], 6, [5, 5]), 6);
    check(&conv([6, 12, 12], 16, [5, 5]), 6);
    check(&Conv2d { padding: [2, 2], ..conv([19, 9, 14], 36, [5, 5]) }, 6);
    check(&Conv2d { padding: [1, 1], ..conv([16, 32, 32], 16, [3, 3]) }, 6);
    check(&Conv2d { padding: [1, 1], ..conv([64, 16, 16], 64, [3, 3]) }, 6);
    check(&Conv2d { padding: [1, 1], ..conv([128, 8, 8], 144, [3, 3]) }, 6);
    check(&Conv2d { padding: [1, 1], stride: [2, 2], ..conv([16, 8, 8], 24, [3, 3]) }, 6);
}

#[test]
fn windows_that_see_nothing_but_padding() {
    check(&Conv2d { padding: [5, 4], ..conv([2, 3, 2], 3, [2, 2]) }, 7);
    check(&Conv2d { padding: [5, 4], stride: [3, 2], ..conv([1, 3, 2], 9, [2, 2]) }, 7);
}

#[test]
fn values_keep_their_numbers_in_either_layout() {
    for (channels, area) in [(1, 1), (3, 4), (16, 5), (20, 3), (40, 1)] {
        let numbers = Random::new(8).numbers(channels * area);
        let lanes = blocked(&numbers, channels);
        assert_eq!(planar(&lanes, channels, area), wide(&numbers));
    }
}

#[test]
#[should_panic(expected = "the packed weight's length")]
fn a_wrong_length_is_refused() {
    let mut y = poison(1);
    blocked::linear(
        Isa::Portable,
        &Team::alone(),
        Rows::one(&[1.0; 3]),
        &poison(3),
        None,
        Activation::Identity,
        &mut y,
    );
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn random_geometries(
        (h, kh, sh, ph, dh) in (1..=13usize, 1..=5usize, 1..=3usize, 0..=3usize, 1..=3usize),
        (w, kw, sw, pw, dw) in (1..=30usize, 1..=5usize, 1..=3usize, 0..=3usize, 1..=3usize),
        (channels, out_channels, bias) in (1..=40usize, 1..=70usize, any::<bool>()),
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
            bias,
        };
        prop_assume!(g.output().is_ok());
        check(&g, seed);
    }

    #[test]
    fn random_geometries_of_3x3(
        (h, w, ph, pw) in (1..=20usize, 1..=30usize, 0..=3usize, 0..=3usize),
        (channels, out_channels, bias) in (1..=70usize, 1..=70usize, any::<bool>()),
        extra in 0..4usize,
        seed: u64,
    ) {
        let g = Conv2d {
            padding: [ph, pw],
            extra: [extra % 2, extra / 2],
            bias,
            ..conv([channels, h, w], out_channels, [3, 3])
        };
        prop_assume!(g.output().is_ok());
        check(&g, seed);
    }

    #[test]
    fn random_groups(
        (h, kh, sh, ph) in (1..=9usize, 1..=3usize, 1..=2usize, 0..=2usize),
        (w, kw, sw, pw) in (1..=20usize, 1..=3usize, 1..=2usize, 0..=2usize),
        (groups, ins, outs, bias) in (2..=9usize, 1..=9usize, 1..=20usize, any::<bool>()),
        seed: u64,
    ) {
        let g = Conv2d {
            stride: [sh, sw],
            padding: [ph, pw],
            groups,
            bias,
            ..conv([groups * ins, h, w], groups * outs, [kh, kw])
        };
        prop_assume!(g.output().is_ok());
        check(&g, seed);
    }

    #[test]
    fn linear_layers(
        inputs in 1..=200usize,
        outputs in 1..=150usize,
        images in 1..=5usize,
        more in 0..=3usize,
        bias: bool,
        seed: u64,
    ) {
        let mut random = Random::new(seed);
        let step = inputs + more;
        let (x, weight) = (random.numbers(images * step), random.numbers(inputs * outputs));
        let bias = bias.then(|| random.numbers(outputs));
        let of_image = |x: &[f32]| -> Vec<f64> {
            weight
                .chunks(inputs)
                .enumerate()
                .map(|(o, row)| {
                    let products = row.iter().zip(x).map(|(&w, &x)| f64::from(w) * f64::from(x));
                    let bias = bias.as_ref().map_or(0.0, |bias| f64::from(bias[o]));
                    (bias + products.sum::<f64>()).max(0.0)
                })
                .collect()
        };
        let expected: Vec<f64> = x.chunks(step).flat_map(of_image).collect();
        let rows = Rows { numbers: &x, len: inputs, step };
        let mut packed = poison(blocked::linear_packed_len(inputs, outputs));
        blocked::pack_linear(&weight, bias.as_deref(), outputs, &mut packed);
        for isa in Isa::available() {
            let mut y = poison(images * blocks(outputs));
            let f = Activation::Relu;
            blocked::linear(isa, &Team::alone(), rows, &packed, None, f, &mut y);
            let found = all_planar(&y, images, outputs, 1);
            assert_close(&found, &expected, BOUND, &format!("{isa}"));
            // A sum with itself, where both are not negative.
            let other = y.clone();
            Team::gather(2, |team| {
                blocked::linear(isa, team, rows, &packed, Some(&other), f, &mut y);
            });
            let sums = all_planar(&y, images, outputs, 1);
            for (sum, y) in sums.iter().zip(&expected).filter(|(_, y)| **y > 0.0) {
                assert!((sum - 2.0 * y).abs() <= 1e-4 * (1.0 + y), "{isa}: {sum} for {y}");
            }
        }
    }
}

//! Transposed convolution and its gradients against plain loops in f64, of 16 images and of one, on
//! every instruction set.

use crate::support::*;
use proptest::prelude::*;
use typenet_kernels::blocked::{self, Pixels, blocks};
use typenet_kernels::team::Team;
use typenet_kernels::{Isa, conv_transpose2d};
use typenet_shape::{Activation, ConvTranspose2d, Shape};

const BOUND: f64 = 1e-5;

/// Calls `f(place in y, place in x, place in w)` for each product.
fn products(g: &ConvTranspose2d, mut f: impl FnMut(usize, usize, usize)) {
    let output = g.output().unwrap();
    let [height, width] = [output.dim(1), output.dim(2)];
    let (in_channels, out_channels) = (g.input.dim(0) / g.groups, g.out_channels / g.groups);
    let mut x = 0;
    for c in 0..g.input.dim(0) {
        for i in 0..g.input.dim(1) {
            for j in 0..g.input.dim(2) {
                for o in 0..out_channels {
                    for u in 0..g.kernel[0] {
                        for v in 0..g.kernel[1] {
                            let row =
                                (i * g.stride[0] + u * g.dilation[0]).wrapping_sub(g.padding[0]);
                            let column =
                                (j * g.stride[1] + v * g.dilation[1]).wrapping_sub(g.padding[1]);
                            if row < height && column < width {
                                let channel = c / in_channels * out_channels + o;
                                let w =
                                    ((c * out_channels + o) * g.kernel[0] + u) * g.kernel[1] + v;
                                f((channel * height + row) * width + column, x, w);
                            }
                        }
                    }
                }
                x += 1;
            }
        }
    }
}

/// All kernels of one geometry, on every instruction set.
fn check(g: &ConvTranspose2d, seed: u64) {
    let output = g.output().unwrap();
    let mut random = Random::new(seed);
    let x = random.lanes(g.input.elements());
    let (dy, other) = (random.lanes(output.elements()), random.lanes(output.elements()));
    let weight = random.numbers(g.weight().elements());
    let bias = g.bias.then(|| random.numbers(g.out_channels));
    let ConvReference { y: y_ref, dx: dx_ref, dw: dw_ref, db: db_ref } =
        ConvReference::new(&x, &dy, &weight, bias.as_deref(), g.out_channels, |f| products(g, f));

    for isa in Isa::available() {
        for f in [Activation::Identity, Activation::Relu6, Activation::Silu] {
            for other in [None, Some(&other)] {
                let mut y = poison(dy.len());
                let plus = other.map(Vec::as_slice);
                conv_transpose2d::forward(isa, g, &x, &weight, bias.as_deref(), plus, f, &mut y);
                assert_lanes_close(&y, BOUND, &format!("{isa} {f:?} forward {g:?}"), |lane| {
                    let other = other.map_or(vec![0.0; dy.len()], |other| image(other, lane));
                    y_ref[lane].iter().zip(other).map(|(y, other)| exact(f, y + other).0).collect()
                });
            }
        }

        let mut dx = poison(x.len());
        conv_transpose2d::backward_data(isa, g, &dy, &weight, &mut dx);
        let name = format!("{isa} data gradient {g:?}");
        assert_lanes_close(&dx, BOUND, &name, |lane| dx_ref[lane].clone());
        dx.copy_from_slice(&x);
        conv_transpose2d::add_backward_data(isa, g, &dy, &weight, &mut dx);
        assert_lanes_close(&dx, BOUND, &name, |lane| {
            dx_ref[lane].iter().zip(image(&x, lane)).map(|(a, b)| a + b).collect()
        });

        let mut dw = vec![0.5; weight.len()];
        let mut db = vec![-0.25; g.out_channels];
        conv_transpose2d::backward_weight(isa, g, &x, &dy, &mut dw, Some(&mut db));
        assert_close(&wide(&dw), &dw_ref, BOUND, &format!("{isa} weight gradient {g:?}"));
        let added = dy.iter().flat_map(|d| d.0);
        assert_bias_gradient(&db, &db_ref, added, BOUND, &format!("{isa} {g:?}"));
        let mut again = vec![0.5; weight.len()];
        conv_transpose2d::backward_weight(isa, g, &x, &dy, &mut again, None);
        assert_eq!(dw, again, "{isa}: the bias changes nothing");
    }
    check_blocked(g, seed);
}

/// The kernel for 16 channels side by side, whichever way its numbers stand, of one to three images.
fn check_blocked(g: &ConvTranspose2d, seed: u64) {
    let (images, output) = (1 + seed as usize % 3, g.output().unwrap());
    let (area, len) = (output.dim(1) * output.dim(2), output.elements());
    let mut random = Random::new(seed + 1);
    let (step, channels) = (g.input.elements(), g.input.dim(0));
    let x = random.numbers(images * step);
    let weight = random.numbers(g.weight().elements());
    let bias = g.bias.then(|| random.numbers(g.out_channels));
    let other = random.numbers(images * len);
    let mut expected: Vec<f64> = (0..images * len)
        .map(|at| bias.as_ref().map_or(0.0, |bias| f64::from(bias[at % len / area])))
        .collect();
    for image in 0..images {
        products(g, |at_y, at_x, at_w| {
            expected[image * len + at_y] +=
                f64::from(weight[at_w]) * f64::from(x[image * step + at_x]);
        });
    }
    let filled = blocked::filled_conv_transpose2d(g);
    let (as_run, outputs) = (filled.unwrap_or(*g), g.out_channels / g.groups);
    let fill = |numbers: &[f32], rows: usize| match filled {
        Some(_) => blocked::filled(numbers, rows, outputs),
        None => numbers.to_vec(),
    };
    let (weight, bias) = (fill(&weight, channels), bias.map(|bias| fill(&bias, g.groups)));
    let mut packed = poison(blocked::conv_transpose2d_packed_len(&as_run));
    blocked::pack_conv_transpose2d(&as_run, &weight, bias.as_deref(), &mut packed);
    let lanes = all_blocked(x.chunks(step), channels);
    let plus = all_blocked(other.chunks(len), g.out_channels);
    let planar = Pixels::Planar { numbers: &x, step };
    for isa in Isa::available() {
        for f in [Activation::Identity, Activation::Relu6, Activation::Silu] {
            for (pixels, plus) in [(planar, None), (Pixels::Blocked(&lanes), Some(plus.as_slice()))]
            {
                let mut y = poison(images * blocks(g.out_channels) * area);
                Team::gather(2, |team| {
                    let (packed, y) = (&packed, &mut y);
                    if filled.is_some() {
                        let room = &mut poison(images * blocks(as_run.out_channels) * area);
                        blocked::grouped_conv_transpose2d(
                            isa, team, g, pixels, packed, plus, f, room, y,
                        );
                    } else {
                        blocked::conv_transpose2d(isa, team, g, pixels, packed, plus, f, y);
                    }
                });
                let found = all_planar(&y, images, g.out_channels, area);
                let expected: Vec<f64> = expected
                    .iter()
                    .zip(&other)
                    .map(|(y, &other)| exact(f, y + plus.map_or(0.0, |_| f64::from(other))).0)
                    .collect();
                assert_close(&found, &expected, BOUND, &format!("{isa} {f:?} blocked {g:?}"));
            }
        }
    }
}

fn conv(input: [usize; 3], out_channels: usize, kernel: [usize; 2]) -> ConvTranspose2d {
    ConvTranspose2d::new(Shape::new(&input), out_channels, kernel)
}

#[test]
fn every_channel_count_up_to_20() {
    for channels in 1..=20 {
        let g = conv([channels, 3, 4], 21 - channels, [2, 2]);
        check(&ConvTranspose2d { stride: [2, 2], ..g }, 1);
    }
}

#[test]
fn every_stride_with_every_dilation_and_output_padding() {
    for stride in 1..=4 {
        for dilation in 1..=4 {
            for output_padding in 0..stride.max(dilation) {
                let (strides, dilations) = ([stride, stride], [dilation, dilation]);
                check(
                    &ConvTranspose2d {
                        stride: strides,
                        dilation: dilations,
                        padding: [1, 2],
                        output_padding: [output_padding, 0],
                        ..conv([2, 4, 5], 3, [2, 3])
                    },
                    2,
                );
            }
        }
    }
}

#[test]
fn groups_and_depthwise() {
    for [groups, per_in, per_out] in [[2, 3, 4], [3, 1, 2], [7, 1, 1], [2, 5, 16], [3, 17, 32]] {
        let g = conv([groups * per_in, 4, 3], groups * per_out, [3, 3]);
        check(&ConvTranspose2d { groups, stride: [2, 1], padding: [1, 1], bias: false, ..g }, 3);
    }
}

#[test]
fn layers_of_real_nets() {
    // U-Net's way up, and a generator's.
    check(&ConvTranspose2d { stride: [2, 2], ..conv([40, 7, 9], 20, [2, 2]) }, 4);
    check(&ConvTranspose2d { stride: [2, 2], padding: [1, 1], ..conv([24, 8, 8], 33, [4, 4]) }, 5);
}

#[test]
fn padding_that_leaves_a_single_place() {
    check(&ConvTranspose2d { padding: [2, 1], ..conv([2, 3, 1], 3, [3, 3]) }, 6);
    // A stride beyond the output: most phases do not occur.
    check(&ConvTranspose2d { stride: [7, 5], padding: [1, 0], ..conv([2, 1, 1], 3, [3, 2]) }, 7);
}

#[test]
#[should_panic(expected = "the weight's length")]
fn a_wrong_length_is_refused() {
    let g = conv([1, 2, 2], 1, [1, 1]);
    let x = Random::new(8).lanes(4);
    let f = Activation::Identity;
    conv_transpose2d::forward(Isa::Portable, &g, &x, &[1.0; 2], None, None, f, &mut poison(4));
}

fn geometry() -> impl Strategy<Value = ConvTranspose2d> {
    let axis = || (1..=7usize, 1..=5usize, 1..=4usize, 0..=4usize, 1..=3usize, 0..=3usize);
    let channels = (1..=3usize, 1..=5usize, 1..=17usize);
    (axis(), axis(), channels, any::<bool>()).prop_filter_map(
        "nothing left",
        |((h, kh, sh, ph, dh, oh), (w, kw, sw, pw, dw, ow), (groups, per_in, per_out), bias)| {
            let g = ConvTranspose2d {
                input: Shape::new(&[groups * per_in, h, w]),
                out_channels: groups * per_out,
                kernel: [kh, kw],
                stride: [sh, sw],
                padding: [ph, pw],
                output_padding: [oh % sh.max(dh), ow % sw.max(dw)],
                dilation: [dh, dw],
                groups,
                bias,
            };
            g.output().is_ok().then_some(g)
        },
    )
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn random_geometries(g in geometry(), seed in 0..u64::MAX) {
        check(&g, seed);
    }
}

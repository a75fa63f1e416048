//! Convolution and its gradients against plain loops in f64, on every instruction set.

use crate::support::*;
use proptest::prelude::*;
use typenet_kernels::team::Crew;
use typenet_kernels::{Epilogue, Isa, LANES, Lanes, Statistics, conv2d, pool2d};
use typenet_shape::{Activation, Conv2d, Pool2d, Shape};

const BOUND: f64 = 1e-5;

/// All three kernels of one geometry, on every instruction set.
fn check(g: &Conv2d, seed: u64) {
    let output = g.output().unwrap();
    let mut random = Random::new(seed);
    let x = random.lanes(g.input.elements());
    let dy = random.lanes(output.elements());
    let weight = random.numbers(g.weight().elements());
    let bias = g.bias.then(|| random.numbers(g.out_channels));
    let ConvReference { y: y_ref, dx: dx_ref, dw: dw_ref, db: db_ref } =
        ConvReference::new(&x, &dy, &weight, bias.as_deref(), g.out_channels, |f| products(g, f));

    for isa in Isa::available() {
        if g.groups == 1 {
            check_pooled(isa, g, (&x, &weight, bias.as_deref()));
        }
        for f in [Activation::Identity, Activation::Relu, Activation::Tanh] {
            let mut y = poison(dy.len());
            conv2d::forward(isa, g, &x, &weight, epilogue(bias.as_deref(), None, f), &mut y);
            assert_lanes_close(&y, BOUND, &format!("{isa} {f:?} forward {g:?}"), |lane| {
                let f = |&v: &f64| match f {
                    Activation::Relu => v.max(0.0),
                    Activation::Tanh => v.tanh(),
                    _ => v,
                };
                y_ref[lane].iter().map(f).collect()
            });
            // Any value of the output's shape can be added: the gradient will do.
            let mut sum = poison(dy.len());
            let behind = epilogue(bias.as_deref(), Some(&dy), f);
            conv2d::forward(isa, g, &x, &weight, behind, &mut sum);
            assert_lanes_close(&sum, BOUND, &format!("{isa} {f:?} sum {g:?}"), |lane| {
                let f = |(&v, d): (&f64, &Lanes)| match (f, v + f64::from(d.0[lane])) {
                    (Activation::Relu, v) => v.max(0.0),
                    (Activation::Tanh, v) => v.tanh(),
                    (_, v) => v,
                };
                y_ref[lane].iter().zip(&dy).map(f).collect()
            });
        }

        check_gathered(isa, g, (&x, &dy), (&weight, bias.as_deref()));

        let mut dx = poison(x.len());
        conv2d::backward_data(isa, g, &dy, &weight, &mut dx);
        assert_lanes_close(&dx, BOUND, &format!("{isa} data gradient {g:?}"), |lane| {
            dx_ref[lane].clone()
        });
        let mut dx = x.clone();
        let crew = &mut Crew::alone(&mut []);
        conv2d::backward_data_by(isa, crew, g, &dy, &weight, true, &mut dx);
        assert_lanes_close(&dx, BOUND, &format!("{isa} data gradient and x {g:?}"), |lane| {
            dx_ref[lane].iter().zip(&x).map(|(d, x)| d + f64::from(x.0[lane])).collect()
        });

        let mut dw = vec![0.5; weight.len()];
        let mut db = vec![-0.25; g.out_channels];
        conv2d::backward_weight(isa, g, &x, &dy, &mut dw, Some(&mut db));
        assert_close(&wide(&dw), &dw_ref, BOUND, &format!("{isa} weight gradient {g:?}"));
        let added = dy.iter().flat_map(|d| d.0);
        assert_bias_gradient(&db, &db_ref, added, BOUND, &format!("{isa} {g:?}"));
        let mut again = vec![0.5; weight.len()];
        conv2d::backward_weight(isa, g, &x, &dy, &mut again, None);
        assert_eq!(dw, again, "{isa}: the bias changes nothing");
    }
}

/// A convolution that gathers statistics gives the bits of one that does not, and ignores images that
/// are missing.
fn check_gathered(
    isa: Isa,
    g: &Conv2d,
    (x, other): (&[Lanes], &[Lanes]),
    (weight, bias): (&[f32], Option<&[f32]>),
) {
    for (f, images, other) in [
        (Activation::Identity, 16, None),
        (Activation::Relu, 5, Some(other)),
        (Activation::Tanh, 9, None),
    ] {
        let x = without_images(x, images);
        let (mut y, mut expected) =
            (poison(g.output().unwrap().elements()), poison(g.output().unwrap().elements()));
        conv2d::forward(isa, g, &x, weight, epilogue(bias, other, f), &mut expected);
        let mut numbers = vec![f32::NAN; 2 * g.out_channels];
        let statistics = Some(Statistics { images, numbers: &mut numbers });
        let behind = Epilogue { statistics, ..epilogue(bias, other, f) };
        conv2d::forward(isa, g, &x, weight, behind, &mut y);
        let what = format!("{isa} {f:?} statistics of {images} images {g:?}");
        assert_eq!(bits(&y), bits(&expected), "{what}");
        assert_statistics(&y, images, &numbers, &what);
    }
}

/// Pooling row by row, in the pass of the convolution, gives the bits of one after the other.
fn check_pooled(isa: Isa, g: &Conv2d, (x, weight, bias): (&[Lanes], &[f32], Option<&[f32]>)) {
    let output = g.output().unwrap();
    let windows = [([2, 2], [2, 2]), ([3, 1], [3, 2]), ([2, 3], [4, 3])];
    for ((kernel, stride), ceil_mode) in windows.map(|w| [(w, false), (w, true)]).concat() {
        let pool = Pool2d { stride, ceil_mode, ..Pool2d::new(output, kernel) };
        let Ok(pooled) = pool.output() else { continue };
        for (f, is_max) in [(Activation::Relu, true), (Activation::Tanh, false)] {
            let (mut y, mut expected) = (poison(output.elements()), poison(pooled.elements()));
            conv2d::forward(isa, g, x, weight, epilogue(bias, None, f), &mut y);
            let apart = if is_max { pool2d::max_forward } else { pool2d::avg_forward };
            apart(isa, &pool, &y, &mut expected);
            let mut found = poison(pooled.elements());
            let mut band = poison(g.out_channels * kernel[0] * output.dim(2));
            let pool = (&pool, is_max);
            conv2d::forward_and_pool(isa, g, x, weight, bias, f, pool, &mut band, &mut found);
            assert_eq!(found, expected, "{isa} {pool:?} behind {g:?}");
        }
    }
}

fn conv(input: [usize; 3], out_channels: usize, kernel: [usize; 2]) -> Conv2d {
    Conv2d::new(Shape::new(&input), out_channels, kernel)
}

#[test]
fn every_channel_count_up_to_20() {
    for channels in 1..=20 {
        check(&Conv2d { padding: [1, 1], ..conv([channels, 3, 5], 21 - channels, [3, 3]) }, 1);
    }
}

#[test]
fn every_width_up_to_20() {
    for width in 1..=20 {
        check(&Conv2d { padding: [0, 1], ..conv([2, 2, width], 3, [2, 3]) }, 2);
        check(&conv([1, 1, width], 8, [1, 1]), 3);
    }
}

#[test]
fn every_kernel_width_up_to_12() {
    for kernel in 1..=12 {
        let padding = [0, kernel / 2];
        check(&Conv2d { padding, ..conv([3, 3, 13], 5, [2, kernel]) }, 4);
        check(&Conv2d { padding: [kernel, 0], ..conv([1, 4, 3], 2, [kernel, 1]) }, 5);
    }
}

#[test]
fn every_stride_with_every_dilation() {
    for stride in 1..=5 {
        for dilation in 1..=4 {
            let g = conv([2, 9, 11], 3, [2, 3]);
            let (stride, dilation) = ([stride, 6 - stride], [dilation, dilation]);
            check(&Conv2d { stride, dilation, padding: [1, 2], ..g }, 6);
        }
    }
}

#[test]
fn groups_and_depthwise() {
    for [groups, per_in, per_out] in [[2, 3, 4], [3, 1, 2], [7, 1, 1], [4, 2, 1]] {
        let g = conv([groups * per_in, 6, 5], groups * per_out, [3, 3]);
        check(&Conv2d { groups, padding: [1, 1], bias: false, ..g }, 7);
    }
}

#[test]
fn depthwise_of_every_width() {
    for size in 1..=20 {
        for (kernel, padding, stride) in [(3, 1, 1), (3, 1, 2), (5, 2, 1), (5, 2, 2), (3, 2, 2)] {
            let g = conv([3, 4, size], 3, [kernel, kernel]);
            let g = Conv2d { groups: 3, padding: [padding; 2], stride: [stride; 2], ..g };
            check(&g, 7);
        }
    }
}

#[test]
fn all_padding_but_one_place() {
    check(&Conv2d { padding: [3, 2], ..conv([2, 1, 1], 3, [4, 3]) }, 8);
    // Whole rows and columns of windows that see nothing but padding.
    check(&Conv2d { padding: [5, 4], ..conv([2, 3, 2], 3, [2, 2]) }, 9);
    check(&Conv2d { padding: [5, 4], stride: [3, 2], ..conv([1, 3, 2], 9, [2, 2]) }, 9);
}

#[test]
fn places_that_no_window_reads_have_no_gradient() {
    check(&Conv2d { stride: [4, 5], ..conv([2, 9, 12], 3, [2, 1]) }, 10);
}

#[test]
fn statistics_of_several_bands() {
    for g in
        [conv([3, 40, 32], 10, [3, 3]), conv([4, 33, 33], 8, [1, 1]), conv([2, 3, 9], 600, [1, 1])]
    {
        check(&Conv2d { padding: [g.kernel[0] / 2; 2], ..g }, 30);
    }
    check(&Conv2d { groups: 9, padding: [1, 1], ..conv([9, 40, 36], 9, [3, 3]) }, 31);
}

#[test]
fn layers_of_real_nets() {
    check(&conv([1, 28, 28], 6, [5, 5]), 11);
    check(&conv([6, 12, 12], 16, [5, 5]), 12);
    check(&Conv2d { padding: [1, 1], stride: [2, 2], ..conv([16, 8, 8], 24, [3, 3]) }, 13);
}

#[test]
fn a_relu_lets_nan_through() {
    let g = conv([1, 1, 1], 2, [1, 1]);
    let mut x = Random::new(14).lanes(1);
    x[0].0[5] = f32::NAN;
    x[0].0[6] = f32::NEG_INFINITY;
    for isa in Isa::available() {
        let mut y = poison(2);
        conv2d::forward(isa, &g, &x, &[1.0, -1.0], epilogue(None, None, Activation::Relu), &mut y);
        assert!(y[0].0[5].is_nan() && y[1].0[5].is_nan());
        assert_eq!([y[0].0[6], y[1].0[6]], [0.0, f32::INFINITY]);
        assert_eq!(y[0].0[0], x[0].0[0].max(0.0));
    }
}

#[test]
fn a_number_reaches_only_its_own_image() {
    let g = Conv2d { padding: [1, 1], ..conv([2, 4, 5], 3, [3, 3]) };
    let weight = Random::new(15).numbers(g.weight().elements());
    let mut x = Random::new(16).lanes(g.input.elements());
    x[7].0[3] = f32::NAN;
    for isa in Isa::available() {
        let mut y = poison(3 * 4 * 5);
        conv2d::forward(isa, &g, &x, &weight, Epilogue::default(), &mut y);
        for lane in 0..LANES {
            assert_eq!(y.iter().any(|y| y.0[lane].is_nan()), lane == 3);
        }
    }
}

#[test]
#[should_panic(expected = "the weight's length")]
fn a_wrong_length_is_refused() {
    let g = conv([1, 2, 2], 1, [1, 1]);
    let mut y = poison(4);
    let x = Random::new(17).lanes(4);
    conv2d::forward(Isa::Portable, &g, &x, &[1.0, 2.0], Epilogue::default(), &mut y);
}

/// Also where each channel is computed by itself, whole channels too many or too few.
#[test]
fn a_wrong_length_of_a_depthwise_convolution_is_refused() {
    let g = Conv2d { groups: 8, padding: [1, 1], ..conv([8, 4, 4], 8, [3, 3]) };
    let run = |wrong: usize, step: isize| {
        let len = |part: usize, len: usize, of_one: usize| {
            let more = if part == wrong { step * of_one as isize } else { 0 };
            len.checked_add_signed(more).unwrap()
        };
        let [x, add, y, dy] = [0, 1, 2, 3].map(|part| poison(len(part, 128, 16)));
        let (mut y, dy) = (y, &dy);
        let (weight, bias) = (vec![0.5; len(4, 72, 9)], vec![0.5; len(5, 8, 1)]);
        let mut dw = vec![0.5; len(6, 72, 9)];
        let (isa, crew) = (Isa::Portable, &mut Crew::alone(&mut []));
        if [3, 6].contains(&wrong) {
            conv2d::backward_weight_by(isa, crew, &g, x[..].into(), dy, &mut dw, None);
        } else {
            let epilogue = epilogue(Some(&bias), Some(&add), Activation::Relu);
            conv2d::forward_by(isa, crew, &g, x[..].into(), &weight, epilogue, &mut y);
        }
    };
    for (wrong, step) in (0..7).flat_map(|wrong| [(wrong, 1), (wrong, -1)]) {
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(wrong, step)));
        assert!(found.is_err(), "part {wrong} by {step}");
    }
    run(7, 0);
}

fn geometry() -> impl Strategy<Value = Conv2d> {
    let axis = || (1..=13usize, 1..=5usize, 1..=4usize, 0..=3usize, 1..=3usize);
    let channels = (1..=4usize, 1..=6usize, 1..=10usize);
    let extra = (0..=1usize, 0..=1usize);
    (axis(), axis(), channels, extra, any::<bool>()).prop_filter_map(
        "kernel larger than input",
        |((h, kh, sh, ph, dh), (w, kw, sw, pw, dw), (groups, per_in, per_out), extra, bias)| {
            let g = Conv2d {
                input: Shape::new(&[groups * per_in, h, w]),
                out_channels: groups * per_out,
                kernel: [kh, kw],
                stride: [sh, sw],
                padding: [ph, pw],
                extra: extra.into(),
                dilation: [dh, dw],
                groups,
                bias,
            };
            g.output().is_ok().then_some(g)
        },
    )
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn random_depthwise_geometries(
        (h, w, ph, pw) in (1..=13usize, 1..=30usize, 0..=4usize, 0..=4usize),
        (five, stride) in (any::<bool>(), 1..=2usize),
        (channels, multiplier, bias) in (2..=5usize, 1..=3usize, any::<bool>()),
        extra in 0..4usize,
        seed: u64,
    ) {
        let kernel = if five { 5 } else { 3 };
        let g = Conv2d {
            stride: [stride; 2],
            padding: [ph, pw],
            extra: [extra % 2, extra / 2],
            groups: channels,
            bias,
            ..conv([channels, h, w], channels * multiplier, [kernel; 2])
        };
        prop_assume!(g.output().is_ok());
        check(&g, seed);
    }

    #[test]
    fn random_geometries(g in geometry(), seed: u64) {
        check(&g, seed);
    }
}

//! Convolutions of 1×1 as products of matrices against plain loops in f64, on every instruction set.

use crate::support::*;
use proptest::prelude::*;
use typenet_kernels::{Epilogue, Isa, Lanes, Statistics, pointwise};
use typenet_shape::{Activation, Conv2d, Conv2dKernel, Conv2dPass, Shape};

const BOUND: f64 = 1e-5;

fn room(g: &Conv2d, pass: Conv2dPass) -> Vec<Lanes> {
    poison(Conv2dKernel::Gemm.scratch_len(g, pass))
}

/// All passes of one geometry, on every instruction set.
fn check(g: &Conv2d, seed: u64) {
    let output = g.output().unwrap();
    let mut random = Random::new(seed);
    let x = random.lanes(g.input.elements());
    let dy = random.lanes(output.elements());
    let weight = random.numbers(g.weight().elements());
    let bias = g.bias.then(|| random.numbers(g.out_channels));
    let bias = bias.as_deref();
    let ConvReference { y: y_ref, dx: dx_ref, dw: dw_ref, db: db_ref } =
        ConvReference::new(&x, &dy, &weight, bias, g.out_channels, |f| products(g, f));
    for isa in Isa::available() {
        let mut scratch = room(g, Conv2dPass::Forward);
        for f in [Activation::Identity, Activation::Relu, Activation::Tanh] {
            // Any value of the output's shape can be added: the gradient will do.
            for other in [None, Some(&dy[..])] {
                let mut y = poison(dy.len());
                let behind = epilogue(bias, other, f);
                pointwise::forward(isa, g, &x, &weight, behind, &mut y, &mut scratch);
                let what = format!("{isa} {f:?} forward, sum {} {g:?}", other.is_some());
                assert_lanes_close(&y, BOUND, &what, |lane| {
                    let sums = y_ref[lane].iter().enumerate();
                    let sums = sums.map(|(i, v)| v + other.map_or(0.0, |o| o[i].0[lane].into()));
                    let value = |v: f64| match f {
                        Activation::Relu => v.max(0.0),
                        Activation::Tanh => v.tanh(),
                        _ => v,
                    };
                    sums.map(value).collect()
                });
                let images = 7;
                let x = without_images(&x, images);
                let (mut y, mut expected) = (poison(dy.len()), poison(dy.len()));
                let behind = epilogue(bias, other, f);
                pointwise::forward(isa, g, &x, &weight, behind, &mut expected, &mut scratch);
                let mut numbers = vec![f32::NAN; 2 * g.out_channels];
                let statistics = Some(Statistics { images, numbers: &mut numbers });
                let behind = Epilogue { statistics, ..epilogue(bias, other, f) };
                pointwise::forward(isa, g, &x, &weight, behind, &mut y, &mut scratch);
                assert_eq!(bits(&y), bits(&expected), "{what}");
                assert_statistics(&y, images, &numbers, &what);
            }
        }
        if g.stride == [1, 1] {
            let mut scratch = room(g, Conv2dPass::BackwardData);
            let mut dx = poison(x.len());
            pointwise::backward_data(isa, g, &dy, &weight, false, &mut dx, &mut scratch);
            let what = format!("{isa} data gradient {g:?}");
            assert_lanes_close(&dx, BOUND, &what, |lane| dx_ref[lane].clone());
            let mut dx = x.clone();
            pointwise::backward_data(isa, g, &dy, &weight, true, &mut dx, &mut scratch);
            assert_lanes_close(&dx, BOUND, &format!("{what} and x"), |lane| {
                dx_ref[lane].iter().zip(&x).map(|(d, x)| d + f64::from(x.0[lane])).collect()
            });
        }
        let mut scratch = room(g, Conv2dPass::BackwardWeight);
        let (mut dw, mut db) = (vec![0.5; weight.len()], vec![-0.25; g.out_channels]);
        let to = Some(&mut db[..]);
        pointwise::backward_weight(isa, g, &x, &dy, &mut dw, to, &mut scratch);
        assert_close(&wide(&dw), &dw_ref, BOUND, &format!("{isa} weight gradient {g:?}"));
        let added = dy.iter().flat_map(|d| d.0);
        assert_bias_gradient(&db, &db_ref, added, BOUND, &format!("{isa} {g:?}"));
        let mut again = vec![0.5; weight.len()];
        pointwise::backward_weight(isa, g, &x, &dy, &mut again, None, &mut scratch);
        assert_eq!(dw, again, "{isa}: the bias changes nothing");
    }
}

fn conv(input: [usize; 3], out_channels: usize) -> Conv2d {
    Conv2d::new(Shape::new(&input), out_channels, [1, 1])
}

#[test]
fn every_channel_count_up_to_40() {
    for channels in 1..=40 {
        check(&conv([channels, 2, 3], 41 - channels), channels as u64);
    }
}

#[test]
fn every_number_of_positions_up_to_70() {
    for width in 1..=70 {
        check(&conv([3, 1, width], 5), width as u64);
    }
}

#[test]
fn strides() {
    for stride in [[2, 2], [1, 3], [3, 1], [4, 5]] {
        check(&Conv2d { stride, ..conv([18, 9, 11], 13) }, 1);
    }
}

#[test]
fn wide_layers() {
    check(&conv([300, 3, 3], 20), 1);
    check(&conv([20, 5, 3], 300), 2);
    check(&Conv2d { bias: false, ..conv([64, 8, 8], 32) }, 3);
}

#[test]
fn a_number_reaches_only_its_own_image() {
    let g = conv([3, 4, 5], 2);
    let mut x = vec![Lanes::ZERO; 60];
    x[7].0[3] = f32::NAN;
    let mut scratch = room(&g, Conv2dPass::Forward);
    for isa in Isa::available() {
        let mut y = poison(40);
        let behind = epilogue(None, None, Activation::Relu);
        pointwise::forward(isa, &g, &x, &[1.0; 6], behind, &mut y, &mut scratch);
        for (i, y) in y.iter().enumerate() {
            for (lane, y) in y.0.iter().enumerate() {
                assert_eq!(y.is_nan(), lane == 3 && i % 20 == 7, "{isa}: {i} of image {lane}");
            }
        }
    }
}

#[test]
#[should_panic(expected = "no convolution of 1×1")]
fn padding_is_refused() {
    let g = Conv2d { padding: [1, 1], ..conv([1, 2, 2], 1) };
    let (isa, mut y) = (Isa::Portable, poison(16));
    pointwise::forward(isa, &g, &poison(4), &[1.0], Epilogue::default(), &mut y, &mut []);
}

proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn random_geometries(
        (channels, out_channels, bias) in (1..=50usize, 1..=50usize, any::<bool>()),
        (height, width) in (1..=9usize, 1..=12usize),
        stride in prop_oneof![3 => Just([1, 1]), 1 => [1..=3usize, 1..=3usize]],
        seed: u64,
    ) {
        check(&Conv2d { stride, bias, ..conv([channels, height, width], out_channels) }, seed);
    }
}

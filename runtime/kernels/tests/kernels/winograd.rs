//! Winograd's convolutions and their gradients against plain loops in f64, on every instruction set.

use crate::support::*;
use proptest::prelude::*;
use typenet_kernels::{Epilogue, Isa, LANES, Lanes, Statistics, winograd};
use typenet_shape::{Activation, Conv2d, Conv2dKernel, Conv2dPass, Shape};

const KERNELS: [Conv2dKernel; 2] = [Conv2dKernel::Winograd2, Conv2dKernel::Winograd4];

/// An f32 convolution by direct sums has up to 1e-6 of these.
fn bound(kernel: Conv2dKernel, g: &Conv2d) -> f64 {
    if kernel == Conv2dKernel::Winograd2 && g.kernel == [3, 3] { 2e-6 } else { 1e-5 }
}

/// All kernels of one geometry with kernels of 3×3 and of 5×5, on every instruction set.
fn check(g: &Conv2d, seed: u64) {
    check_one(g, seed);
    let more = g.padding.map(|padding| padding + 1);
    check_one(&Conv2d { kernel: [5, 5], padding: more, ..*g }, seed + 100);
}

fn check_one(g: &Conv2d, seed: u64) {
    let output = g.output().unwrap();
    let mut random = Random::new(seed);
    let x = random.lanes(g.input.elements());
    let dy = random.lanes(output.elements());
    let weight = random.numbers(g.weight().elements());
    let bias = g.bias.then(|| random.numbers(g.out_channels));
    let ConvReference { y: y_ref, dx: dx_ref, dw: dw_ref, db: db_ref } =
        ConvReference::new(&x, &dy, &weight, bias.as_deref(), g.out_channels, |f| products(g, f));

    let kernels = KERNELS.iter().filter(|kernel| kernel.runs(g));
    for (isa, &kernel) in Isa::available().flat_map(|isa| kernels.clone().map(move |k| (isa, k))) {
        let bound = bound(kernel, g);
        let mut transformed = vec![f32::NAN; kernel.transformed_len(g)];
        let mut scratch = poison(kernel.scratch_len(g, Conv2dPass::Forward));
        winograd::transform_weight(isa, kernel, g, Conv2dPass::Forward, &weight, &mut transformed);
        for f in [Activation::Identity, Activation::Relu, Activation::Tanh] {
            let mut y = poison(dy.len());
            let (bias, scratch) = (bias.as_deref(), &mut scratch);
            let behind = epilogue(bias, None, f);
            winograd::forward(isa, kernel, g, &x, &transformed, behind, &mut y, scratch);
            // Any value of the output's shape can be added: the gradient will do.
            let (behind, mut sum) = (epilogue(bias, Some(&dy), f), poison(dy.len()));
            winograd::forward(isa, kernel, g, &x, &transformed, behind, &mut sum, scratch);
            let what = format!("{isa} {kernel:?} {f:?} sum {g:?}");
            assert_lanes_close(&sum, bound, &what, |lane| {
                let f = |(&v, d): (&f64, &Lanes)| match (f, v + f64::from(d.0[lane])) {
                    (Activation::Relu, v) => v.max(0.0),
                    (Activation::Tanh, v) => v.tanh(),
                    (_, v) => v,
                };
                y_ref[lane].iter().zip(&dy).map(f).collect()
            });
            let what = format!("{isa} {kernel:?} {f:?} forward {g:?}");
            assert_lanes_close(&y, bound, &what, |lane| {
                let f = |&v: &f64| match f {
                    Activation::Relu => v.max(0.0),
                    Activation::Tanh => v.tanh(),
                    _ => v,
                };
                y_ref[lane].iter().map(f).collect()
            });
        }

        // With the statistics of its output, of some images.
        for (f, images, other) in [
            (Activation::Identity, 16, None),
            (Activation::Relu, 5, Some(&dy[..])),
            (Activation::Tanh, 9, None),
        ] {
            let (x, w, bias) = (without_images(&x, images), &transformed, bias.as_deref());
            let (mut y, mut expected) = (poison(dy.len()), poison(dy.len()));
            let behind = epilogue(bias, other, f);
            winograd::forward(isa, kernel, g, &x, w, behind, &mut expected, &mut scratch);
            let mut numbers = vec![f32::NAN; 2 * g.out_channels];
            let statistics = Some(Statistics { images, numbers: &mut numbers });
            let behind = Epilogue { statistics, ..epilogue(bias, other, f) };
            winograd::forward(isa, kernel, g, &x, w, behind, &mut y, &mut scratch);
            let what = format!("{isa} {kernel:?} {f:?} statistics of {images} images {g:?}");
            assert_eq!(bits(&y), bits(&expected), "{what}");
            assert_statistics(&y, images, &numbers, &what);
        }

        let pass = Conv2dPass::BackwardData;
        let mut dx = poison(x.len());
        let mut scratch = poison(kernel.scratch_len(g, pass));
        transformed.fill(f32::NAN);
        winograd::transform_weight(isa, kernel, g, pass, &weight, &mut transformed);
        winograd::backward_data(isa, kernel, g, &dy, &transformed, false, &mut dx, &mut scratch);
        let what = format!("{isa} {kernel:?} data gradient {g:?}");
        assert_lanes_close(&dx, bound, &what, |lane| dx_ref[lane].clone());
        let mut dx = x.clone();
        winograd::backward_data(isa, kernel, g, &dy, &transformed, true, &mut dx, &mut scratch);
        assert_lanes_close(&dx, bound, &what, |lane| {
            dx_ref[lane].iter().zip(&x).map(|(d, x)| d + f64::from(x.0[lane])).collect()
        });

        let mut sums = poison(kernel.weight_sums_len(g));
        let mut dw = vec![0.5; weight.len()];
        let mut db = vec![-0.25; g.out_channels];
        let mut scratch = poison(kernel.scratch_len(g, Conv2dPass::BackwardWeight));
        // Two groups of images, of which one is all zeros.
        let nothing = [vec![Lanes::ZERO; x.len()], vec![Lanes::ZERO; dy.len()]];
        for (adds, [x, dy]) in [(false, [&x, &dy]), (true, nothing.each_ref())] {
            let (db, scratch) = (Some(&mut db[..]), &mut scratch);
            winograd::backward_weight(isa, kernel, g, x, dy, adds, &mut sums, db, scratch);
        }
        winograd::add_weight_gradient(isa, kernel, g, &sums, &mut dw);
        let what = format!("{isa} {kernel:?} weight gradient {g:?}");
        assert_close(&wide(&dw), &dw_ref, bound, &what);
        let added = dy.iter().flat_map(|d| d.0);
        assert_bias_gradient(&db, &db_ref, added, bound, &what);
    }
}

fn conv(input: [usize; 3], out_channels: usize) -> Conv2d {
    Conv2d { padding: [1, 1], ..Conv2d::new(Shape::new(&input), out_channels, [3, 3]) }
}

#[test]
fn every_channel_count_up_to_30() {
    for channels in 1..=30 {
        check(&conv([channels, 3, 5], 31 - channels), 1);
    }
}

#[test]
fn every_size_up_to_13() {
    for size in 1..=13 {
        check(&conv([2, size, 14 - size], 3), 2);
        check(&conv([1, 2, size], 2), 3);
    }
}

#[test]
fn every_padding_up_to_7() {
    for padding in 0..=7 {
        let g = conv([3, 5, 6], 4);
        check(&Conv2d { padding: [padding, 7 - padding], ..g }, 4);
        check(&Conv2d { padding: [padding, 0], extra: [1, 2], bias: false, ..g }, 5);
    }
}

#[test]
fn all_padding_but_one_place() {
    check(&conv([2, 1, 1], 3), 6);
}

#[test]
fn more_channels_than_are_multiplied_at_once() {
    check(&conv([150, 4, 4], 40), 7);
    check(&conv([40, 5, 4], 150), 8);
}

#[test]
fn layers_of_real_nets() {
    check(&conv([3, 32, 32], 16), 9);
    check(&conv([32, 8, 8], 32), 10);
    check(&conv([16, 14, 14], 24), 11);
}

#[test]
fn a_number_reaches_only_its_own_image() {
    let g = conv([2, 4, 5], 3);
    let weight = Random::new(15).numbers(g.weight().elements());
    let mut x = Random::new(16).lanes(g.input.elements());
    x[7].0[3] = f32::NAN;
    for (isa, kernel) in Isa::available().flat_map(|isa| KERNELS.map(|kernel| (isa, kernel))) {
        let mut transformed = vec![f32::NAN; kernel.transformed_len(&g)];
        winograd::transform_weight(isa, kernel, &g, Conv2dPass::Forward, &weight, &mut transformed);
        let mut y = poison(3 * 4 * 5);
        let mut scratch = poison(kernel.scratch_len(&g, Conv2dPass::Forward));
        let f = Activation::Relu;
        winograd::forward(
            isa,
            kernel,
            &g,
            &x,
            &transformed,
            epilogue(None, None, f),
            &mut y,
            &mut scratch,
        );
        for lane in 0..LANES {
            assert_eq!(y.iter().any(|y| y.0[lane].is_nan()), lane == 3);
        }
    }
}

#[test]
#[should_panic(expected = "cannot run this convolution")]
fn a_stride_is_refused() {
    let g = Conv2d { stride: [1, 2], ..conv([1, 4, 4], 1) };
    let (x, mut y) = (poison(16), poison(8));
    let (isa, kernel, f) = (Isa::Portable, Conv2dKernel::Winograd4, Activation::Identity);
    winograd::forward(isa, kernel, &g, &x, &[0.0; 36], epilogue(None, None, f), &mut y, &mut []);
}

fn geometry() -> impl Strategy<Value = Conv2d> {
    let size = || 1..=15usize;
    let padding = || 0..=3usize;
    let extra = (0..=1usize, 0..=1usize);
    (size(), size(), padding(), padding(), 1..=20usize, 1..=40usize, extra, any::<bool>())
        .prop_filter_map("kernel larger than input", |(h, w, ph, pw, ins, outs, extra, bias)| {
            let padding = [ph, pw];
            let g = Conv2d { padding, extra: extra.into(), bias, ..conv([ins, h, w], outs) };
            g.output().is_ok().then_some(g)
        })
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn random_geometries(g in geometry(), seed: u64) {
        check(&g, seed);
    }
}

//! Derivatives along a direction, and results that are added to what is there, on every instruction set.

use crate::support::*;
use proptest::prelude::*;
use typenet_kernels::group_norm::GroupNorm;
use typenet_kernels::{
    Epilogue, Isa, LANES, Lanes, conv_transpose2d, conv2d, group_norm, linear, pointwise, softmax,
    winograd,
};
use typenet_shape::{Activation, Conv2d, Conv2dKernel, Conv2dPass, ConvTranspose2d, Shape};

const BOUND: f64 = 1e-5;

const KERNELS: [Conv2dKernel; 3] =
    [Conv2dKernel::Gemm, Conv2dKernel::Winograd2, Conv2dKernel::Winograd4];

/// The derivative of `f` at `x` along `t` by the central difference.
fn difference(f: impl Fn(&[f64]) -> Vec<f64>, x: &[f64], t: &[f64]) -> Vec<f64> {
    let step = 1e-5;
    let at = |sign: f64| -> Vec<f64> {
        f(&x.iter().zip(t).map(|(x, t)| x + sign * step * t).collect::<Vec<f64>>())
    };
    at(1.0).iter().zip(at(-1.0)).map(|(above, below)| (above - below) / (2.0 * step)).collect()
}

fn log_softmax(channels: usize, x: &[f64]) -> Vec<f64> {
    let area = x.len() / channels;
    let sum = |at: usize| x.iter().skip(at).step_by(area).map(|x| x.exp()).sum::<f64>();
    x.iter().enumerate().map(|(i, x)| x - sum(i % area).ln()).collect()
}

fn normalized(groups: usize, eps: f64, weight: Option<&[f32]>, x: &[f64]) -> Vec<f64> {
    let len = x.len() / groups;
    let of_group = |x: &[f64]| -> Vec<f64> {
        let mean = x.iter().sum::<f64>() / len as f64;
        let variance = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / len as f64;
        x.iter().map(|x| (x - mean) / (variance + eps).sqrt()).collect()
    };
    let mut y: Vec<f64> = x.chunks(len).flat_map(of_group).collect();
    if let Some(weight) = weight {
        let piece = x.len() / weight.len();
        y.iter_mut().enumerate().for_each(|(i, y)| *y *= f64::from(weight[i / piece]));
    }
    y
}

fn check_log_softmax(channels: usize, area: usize, seed: u64) {
    let mut random = Random::new(seed);
    let [x, tx] = [(); 2].map(|()| random.lanes(channels * area));
    for isa in Isa::available() {
        let (mut y, mut ty) = (poison(x.len()), poison(x.len()));
        softmax::log_forward(isa, channels, &x, &mut y);
        softmax::log_jvp(isa, channels, &y, &tx, &mut ty);
        for lane in 0..LANES {
            let expected =
                difference(|x| log_softmax(channels, x), &image(&x, lane), &image(&tx, lane));
            assert_close(&image(&ty, lane), &expected, BOUND, &format!("{isa} {channels} {area}"));
        }
    }
}

fn check_norm(groups: usize, channels: usize, area: usize, each: bool, images: usize, seed: u64) {
    let mut random = Random::new(seed);
    let len = groups * channels * area;
    let [x, tx] = [(); 2].map(|()| random.lanes(len));
    let weight = random.numbers(if each { len } else { groups * channels });
    for weight in [None, Some(&weight[..])] {
        let norm = GroupNorm { groups, eps: 1e-3, weight, bias: None };
        for isa in Isa::available() {
            let mut ty = poison(len);
            let (x, tx) = (without_images(&x, images), without_images(&tx, images));
            group_norm::jvp(isa, images, &norm, &x, &tx, &mut ty);
            for lane in 0..images {
                let f = |x: &[f64]| normalized(groups, 1e-3, weight, x);
                let expected = difference(f, &image(&x, lane), &image(&tx, lane));
                let name = format!("{isa} {groups}·{channels}, {area}, {each}");
                // One number alone has no derivative but rounding.
                if len > groups {
                    assert_close(&image(&ty, lane), &expected, 2e-5, &name);
                }
            }
        }
    }
}

/// What a call adds to values that are there is what it writes over others.
fn check_added(len: usize, what: &str, seed: u64, call: impl Fn(bool, &mut [Lanes])) {
    let before = Random::new(seed).lanes(len);
    let (mut y, mut sum) = (poison(len), before.clone());
    call(false, &mut y);
    call(true, &mut sum);
    for lane in 0..LANES {
        let [y, before, sum] = [&y, &before, &sum].map(|value| image(value, lane));
        let expected: Vec<f64> = y.iter().zip(before).map(|(y, before)| y + before).collect();
        assert_close(&sum, &expected, BOUND, what);
    }
}

fn check_conv2d(g: &Conv2d, seed: u64) {
    let mut random = Random::new(seed);
    let x = random.lanes(g.input.elements());
    let weight = random.numbers(g.weight().elements());
    let bias = random.numbers(g.out_channels);
    let len = g.output().unwrap().elements();
    for isa in Isa::available() {
        let epilogue =
            |accumulate| Epilogue { bias: Some(&bias), accumulate, ..Epilogue::default() };
        check_added(len, &format!("{isa} {g:?}"), seed, |adds, y| {
            conv2d::forward(isa, g, &x, &weight, epilogue(adds), y);
        });
        for kernel in KERNELS.into_iter().filter(|kernel| kernel.runs_pass(g, Conv2dPass::Forward))
        {
            let what = format!("{isa} {kernel:?} {g:?}");
            let mut scratch = poison(kernel.scratch_len(g, Conv2dPass::Forward));
            match kernel {
                Conv2dKernel::Direct => {}
                Conv2dKernel::Gemm => {
                    let scratch = std::cell::RefCell::new(scratch);
                    check_added(len, &what, seed, |adds, y| {
                        let scratch = &mut scratch.borrow_mut();
                        pointwise::forward(isa, g, &x, &weight, epilogue(adds), y, scratch);
                    });
                }
                _ => {
                    let mut packed = vec![0.0; kernel.transformed_len(g)];
                    let pass = Conv2dPass::Forward;
                    winograd::transform_weight(isa, kernel, g, pass, &weight, &mut packed);
                    scratch.fill(Lanes::ZERO);
                    let scratch = std::cell::RefCell::new(scratch);
                    check_added(len, &what, seed, |adds, y| {
                        let (epilogue, scratch) = (epilogue(adds), &mut scratch.borrow_mut());
                        winograd::forward(isa, kernel, g, &x, &packed, epilogue, y, scratch);
                    });
                }
            }
        }
    }
}

#[test]
fn convolutions_add_to_what_is_there() {
    let of = |shape: [usize; 3], out, kernel| Conv2d::new(Shape::new(&shape), out, kernel);
    check_conv2d(&Conv2d { padding: [1, 1], ..of([5, 9, 7], 6, [3, 3]) }, 1);
    check_conv2d(&Conv2d { padding: [2, 2], ..of([16, 12, 12], 16, [5, 5]) }, 2);
    check_conv2d(&of([24, 6, 6], 10, [1, 1]), 3);
    check_conv2d(&Conv2d { groups: 6, padding: [1, 1], ..of([6, 9, 9], 6, [3, 3]) }, 4);
    check_conv2d(&Conv2d { groups: 4, stride: [2, 2], ..of([4, 9, 9], 8, [3, 3]) }, 5);
}

#[test]
fn other_products_add_to_what_is_there() {
    let mut random = Random::new(7);
    let (x, weight, bias) = (random.lanes(37), random.numbers(37 * 11), random.numbers(11));
    let f = Activation::Identity;
    for isa in Isa::available() {
        check_added(11, &format!("{isa} linear"), 1, |adds, y| {
            if adds {
                linear::accumulate(isa, &x, &weight, Some(&bias), y);
            } else {
                linear::forward(isa, &x, &weight, Some(&bias), f, y);
            }
        });
        let g = ConvTranspose2d::new(Shape::new(&[4, 5, 6]), 3, [3, 2]);
        let g = ConvTranspose2d { stride: [2, 1], ..g };
        let (x, weight) = (random.lanes(4 * 5 * 6), random.numbers(g.weight().elements()));
        let len = g.output().unwrap().elements();
        check_added(len, &format!("{isa} transposed"), 2, |adds, y| {
            let bias = Some(&bias[..3]);
            if adds {
                conv_transpose2d::accumulate(isa, &g, &x, &weight, bias, y);
            } else {
                conv_transpose2d::forward(isa, &g, &x, &weight, bias, None, f, y);
            }
        });
    }
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn log_softmaxes(channels in 2..=70usize, area in 1..=9usize, seed: u64) {
        check_log_softmax(channels, area, seed);
    }

    #[test]
    fn norms_of_an_image(
        groups in 1..=4usize,
        channels in 1..=5usize,
        area in 1..=20usize,
        each: bool,
        images in 1..=LANES,
        seed: u64,
    ) {
        check_norm(groups, channels, area, each, images, seed);
    }
}

//! What a training step needs beside full convolutions and batch norms, with 16 channels side by side,
//! against plain loops in f64, on every instruction set.

use crate::support::*;
use proptest::prelude::*;
use typenet_kernels::blocked::{self, GroupNormGradient, blocks};
use typenet_kernels::team::Team;
use typenet_kernels::{Isa, Lanes};
use typenet_shape::{Conv2d, ConvTranspose2d, Shape};

const BOUND: f64 = 1e-5;

fn batch(images: &[Vec<f32>], channels: usize) -> Vec<Lanes> {
    images.iter().flat_map(|image| blocked(image, channels)).collect()
}

fn unbatch(lanes: &[Lanes], images: usize, channels: usize) -> Vec<f64> {
    let of_one = lanes.len() / images;
    let area = of_one / blocks(channels);
    lanes.chunks(of_one).flat_map(|image| planar(image, channels, area)).collect()
}

fn values(random: &mut Random, images: usize, len: usize) -> Vec<Vec<f32>> {
    (0..images).map(|_| random.numbers(len)).collect()
}

fn check_depthwise(g: &Conv2d, images: usize, seed: u64) {
    let output = g.output().unwrap();
    let channels = g.out_channels;
    let mut random = Random::new(seed);
    let weight = random.numbers(g.weight().elements());
    let x = values(&mut random, images, g.input.elements());
    let before = values(&mut random, images, g.input.elements());
    let dy = values(&mut random, images, output.elements());
    let (mut dx, mut dw) = (Vec::new(), vec![0.0; weight.len()]);
    for (x, dy) in x.iter().zip(&dy) {
        let mut own = vec![0.0; x.len()];
        products(g, |at_y, at_x, at_w| {
            own[at_x] += f64::from(dy[at_y]) * f64::from(weight[at_w]);
            dw[at_w] += f64::from(dy[at_y]) * f64::from(x[at_x]);
        });
        dx.extend(own);
    }
    let added: Vec<f64> = dx.iter().zip(before.concat()).map(|(d, b)| d + f64::from(b)).collect();
    let more: Vec<f64> = dw.iter().map(|d| d + 0.5).collect();
    let (x, dy, before) = (batch(&x, channels), batch(&dy, channels), batch(&before, channels));
    let mut packed = poison(blocked::depthwise_data_packed_len(g));
    blocked::pack_depthwise_data(g, &weight, &mut packed);
    for isa in Isa::available() {
        for (threads, accumulate) in [(1, false), (3, false), (2, true)] {
            let what = format!("{isa} {threads} threads, {accumulate}, {images} of {g:?}");
            let mut found = if accumulate { before.clone() } else { poison(x.len()) };
            let start = if accumulate { 0.5 } else { f32::NAN };
            let mut found_dw = vec![start; weight.len()];
            let mut room = poison(blocked::depthwise_weight_room(g, images));
            Team::gather(threads, |team| {
                blocked::depthwise_backward_data(
                    isa, team, g, images, &dy, &packed, accumulate, &mut found,
                );
                blocked::depthwise_backward_weight(
                    isa,
                    team,
                    g,
                    images,
                    &x,
                    &dy,
                    &mut room,
                    accumulate,
                    &mut found_dw,
                );
            });
            let expected = if accumulate { &added } else { &dx };
            assert_close(&unbatch(&found, images, channels), expected, BOUND, &what);
            let expected = if accumulate { &more } else { &dw };
            assert_close(&wide(&found_dw), expected, BOUND, &what);
        }
    }
}

fn depthwise(input: [usize; 3], kernel: [usize; 2]) -> Conv2d {
    let g = Conv2d::new(Shape::new(&input), input[0], kernel);
    Conv2d { groups: input[0], padding: kernel.map(|k| k / 2), ..g }
}

#[test]
fn depthwise_layers() {
    for channels in [2, 16, 19, 40] {
        for kernel in [3, 5] {
            for stride in [1, 2] {
                let g = depthwise([channels, 12, 19], [kernel; 2]);
                check_depthwise(&Conv2d { stride: [stride; 2], ..g }, 2, 1);
            }
        }
    }
    check_depthwise(&Conv2d { stride: [2, 2], ..depthwise([32, 112, 112], [3, 3]) }, 1, 1);
    check_depthwise(&Conv2d { padding: [2, 0], ..depthwise([5, 9, 8], [3, 3]) }, 2, 1);
    check_depthwise(
        &Conv2d { padding: [0, 0], stride: [2, 2], ..depthwise([5, 9, 8], [3, 3]) },
        2,
        1,
    );
}

/// A norm of each image by itself: `(dx, dw, db)`.
fn norm_gradients(
    (groups, channels, area): (usize, usize, usize),
    eps: f64,
    x: &[Vec<f32>],
    dy: &[Vec<f32>],
    weight: impl Fn(usize) -> (usize, f64),
    weights: usize,
) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let (mut dx, mut dw, mut db) = (Vec::new(), vec![0.0; weights], vec![0.0; weights]);
    let len = channels / groups * area;
    for (x, dy) in x.iter().zip(dy) {
        for group in 0..groups {
            let own = group * len..(group + 1) * len;
            let mean = x[own.clone()].iter().map(|x| f64::from(*x)).sum::<f64>() / len as f64;
            let squares: f64 = x[own.clone()].iter().map(|x| (f64::from(*x) - mean).powi(2)).sum();
            let rstd = 1.0 / (squares / len as f64 + eps).sqrt();
            let hat = |i: usize| (f64::from(x[i]) - mean) * rstd;
            let d = |i: usize| f64::from(dy[i]) * weight(i).1;
            let sum = own.clone().map(d).sum::<f64>() / len as f64;
            let product = own.clone().map(|i| d(i) * hat(i)).sum::<f64>() / len as f64;
            for i in own {
                dx.push(rstd * (d(i) - sum - hat(i) * product));
                let (at, _) = weight(i);
                if at < weights {
                    dw[at] += f64::from(dy[i]) * hat(i);
                    db[at] += f64::from(dy[i]);
                }
            }
        }
    }
    (dx, dw, db)
}

fn check_norm(
    (groups, channels, area): (usize, usize, usize),
    images: usize,
    (by_number, affine): (bool, bool),
    seed: u64,
) {
    let mut random = Random::new(seed);
    let len = channels * area;
    let x = values(&mut random, images, len);
    let dy = values(&mut random, images, len);
    let before = values(&mut random, images, len);
    let count = if by_number { len } else { channels };
    let weight = random.numbers(count);
    let at = |i: usize| if by_number { i } else { i / area };
    let of = |i: usize| (at(i), if affine { f64::from(weight[at(i)]) } else { 1.0 });
    let sizes = (groups, channels, area);
    let (dx, dw, db) = norm_gradients(sizes, 1e-5, &x, &dy, of, count);
    let added: Vec<f64> = dx.iter().zip(before.concat()).map(|(d, b)| d + f64::from(b)).collect();
    let (x, dy, before) = (batch(&x, channels), batch(&dy, channels), batch(&before, channels));
    let norm =
        GroupNormGradient { channels, groups, eps: 1e-5, weight: affine.then_some(&weight[..]) };
    for isa in Isa::available() {
        for (threads, accumulate) in [(1, false), (3, true)] {
            let what = format!("{isa} {threads} {sizes:?} {images} {by_number} {affine}");
            let start = if accumulate { 0.5 } else { f32::NAN };
            let [mut found_dw, mut found_db] = [(); 2].map(|()| vec![start; count]);
            let mut found = if accumulate { before.clone() } else { poison(x.len()) };
            let mut room = poison(blocked::group_norm_backward_room(channels, area, images));
            Team::gather(threads, |team| {
                let own = [Some(&mut found_dw[..]), Some(&mut found_db[..])];
                let own = if affine { own } else { [None, None] };
                blocked::group_norm_backward(
                    isa,
                    team,
                    images,
                    &norm,
                    &x,
                    &dy,
                    &mut room,
                    accumulate,
                    own,
                    accumulate,
                    Some(&mut found),
                );
            });
            let expected = if accumulate { &added } else { &dx };
            assert_close(&unbatch(&found, images, channels), expected, 3e-5, &what);
            if affine {
                let plus = |all: &[f64]| -> Vec<f64> {
                    all.iter().map(|d| d + if accumulate { 0.5 } else { 0.0 }).collect()
                };
                assert_close(&wide(&found_dw), &plus(&dw), BOUND, &what);
                assert_close(&wide(&found_db), &plus(&db), BOUND, &what);
            }
        }
    }
}

#[test]
fn group_and_layer_norms() {
    for affine in [false, true] {
        check_norm((4, 40, 70), 2, (false, affine), 1);
        check_norm((1, 16, 9), 3, (false, affine), 1);
        check_norm((6, 6, 33), 2, (false, affine), 1);
        check_norm((1, 20, 30), 2, (true, affine), 2);
        check_norm((1, 100, 1), 5, (true, affine), 3);
    }
}

#[test]
fn channels_are_taken_apart_as_they_were_joined() {
    for (start, channels, rest) in [(0, 16, 3), (16, 20, 0), (5, 40, 7), (15, 1, 1), (20, 12, 9)] {
        let (area, all) = (6, start + channels + rest);
        let numbers = Random::new(1).numbers(all * area);
        let from = blocked(&numbers, all);
        let expected = wide(&numbers[start * area..(start + channels) * area]);
        let mut to = poison(blocks(channels) * area);
        blocked::part_of_channels(&from, start, channels, false, &mut to);
        assert_eq!(planar(&to, channels, area), expected);
        blocked::part_of_channels(&from, start, channels, true, &mut to);
        let twice: Vec<f64> = expected.iter().map(|n| 2.0 * n).collect();
        assert_eq!(planar(&to, channels, area), twice);
    }
}

#[test]
fn softmax_and_its_logarithm() {
    for (channels, area) in [(10, 1), (16, 3), (35, 4)] {
        let mut random = Random::new(2);
        let (x, dy) = (random.numbers(channels * area), random.numbers(channels * area));
        for log in [false, true] {
            let mut y = vec![0.0; x.len()];
            let mut dx = vec![0.0; x.len()];
            for p in 0..area {
                let at = |c: usize| c * area + p;
                let sum: f64 = (0..channels).map(|c| f64::from(x[at(c)]).exp()).sum();
                let e = |c: usize| f64::from(x[at(c)]).exp() / sum;
                let d = |c: usize| f64::from(dy[at(c)]);
                let total: f64 = (0..channels).map(|c| d(c) * if log { 1.0 } else { e(c) }).sum();
                for c in 0..channels {
                    y[at(c)] = if log { e(c).ln() as f32 } else { e(c) as f32 };
                    dx[at(c)] = if log { d(c) - e(c) * total } else { e(c) * (d(c) - total) };
                }
            }
            let (y, dy) = (blocked(&y, channels), blocked(&dy, channels));
            for isa in Isa::available() {
                let mut found = poison(y.len());
                blocked::softmax_backward(isa, channels, log, &y, &dy, &mut found);
                let found = planar(&found, channels, area);
                assert_close(&found, &dx, BOUND, &format!("{isa} {channels} {log}"));
            }
        }
    }
}

fn check_transposed(g: &ConvTranspose2d, images: usize, seed: u64) {
    let output = g.output().unwrap();
    let back = g.transposed(output);
    let mut random = Random::new(seed);
    let weight = random.numbers(g.weight().elements());
    let x = values(&mut random, images, g.input.elements());
    let dy = values(&mut random, images, output.elements());
    let before = values(&mut random, images, g.input.elements());
    let (mut dx, mut dw) = (Vec::new(), vec![0.0; weight.len()]);
    for (x, dy) in x.iter().zip(&dy) {
        let mut own = vec![0.0; x.len()];
        // The convolution back reads `dy` and writes places of `x`.
        products(&back, |at_x, at_y, at_w| {
            own[at_x] += f64::from(dy[at_y]) * f64::from(weight[at_w]);
            dw[at_w] += f64::from(dy[at_y]) * f64::from(x[at_x]);
        });
        dx.extend(own);
    }
    let added: Vec<f64> = dx.iter().zip(before.concat()).map(|(d, b)| d + f64::from(b)).collect();
    let (ins, outs) = (g.input.dim(0), g.out_channels);
    let (x, dy, before) = (batch(&x, ins), batch(&dy, outs), batch(&before, ins));
    for isa in Isa::available() {
        for accumulate in [false, true] {
            let what = format!("{isa} {accumulate} {images} of {g:?}");
            Team::gather(3, |team| {
                let mut packed = poison(blocked::conv2d_packed_len(&back));
                blocked::pack_conv2d_shared(isa, team, &back, &weight, None, &mut packed);
                let mut found = if accumulate { before.clone() } else { poison(x.len()) };
                blocked::conv_transpose2d_backward_data(
                    isa, team, &back, &dy, &packed, accumulate, &mut found,
                );
                let expected = if accumulate { &added } else { &dx };
                assert_close(&unbatch(&found, images, ins), expected, BOUND, &what);
                let mut room = poison(blocked::conv2d_weight_gradient_room(&back, images, false));
                let mut found = vec![f32::NAN; weight.len()];
                let pixels = blocked::Pixels::Blocked(&dy);
                blocked::conv2d_backward_weight(
                    isa, team, &back, images, pixels, &x, &mut room, false, &mut found,
                );
                assert_close(&wide(&found), &dw, BOUND, &what);
            });
        }
    }
}

#[test]
fn transposed_convolutions() {
    let g = |input: [usize; 3], outs| ConvTranspose2d::new(Shape::new(&input), outs, [2, 2]);
    check_transposed(&ConvTranspose2d { stride: [2, 2], ..g([20, 6, 7], 35) }, 2, 1);
    check_transposed(
        &ConvTranspose2d { kernel: [3, 3], padding: [1, 1], ..g([5, 6, 7], 16) },
        3,
        1,
    );
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn depthwise_of_random_geometries(
        (h, kh, sh, ph, dh) in (1..=13usize, 1..=5usize, 1..=3usize, 0..=3usize, 1..=3usize),
        (w, kw, sw, pw, dw) in (1..=20usize, 1..=5usize, 1..=3usize, 0..=3usize, 1..=3usize),
        (channels, images) in (2..=40usize, 1..=3usize),
        seed: u64,
    ) {
        let g = Conv2d {
            stride: [sh, sw],
            padding: [ph, pw],
            dilation: [dh, dw],
            ..depthwise([channels, h, w], [kh, kw])
        };
        prop_assume!(g.output().is_ok());
        check_depthwise(&g, images, seed);
    }
}

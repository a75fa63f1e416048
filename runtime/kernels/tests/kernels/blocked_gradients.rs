//! The gradients of a batch with 16 channels side by side against plain loops in f64, on every
//! instruction set.

use crate::support::*;
use proptest::prelude::*;
use typenet_kernels::blocked::{self, Pixels};
use typenet_kernels::team::Team;
use typenet_kernels::{Isa, Lanes};
use typenet_shape::{Conv2d, Shape};

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
            let pixels = if is_planar { Pixels::Planar(&planar) } else { Pixels::Blocked(&x) };
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

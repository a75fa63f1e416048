//! Enlarging and scaling against plain loops in f64, on every instruction set.

use crate::support::*;
use proptest::prelude::*;
use typenet_kernels::{Isa, elementwise::scale, upsample};
use typenet_shape::{Interpolation, Shape, Upsample2d};

const BOUND: f64 = 1e-6;

/// The two places that an output lies between, and their shares.
fn between(g: &Upsample2d, axis: usize, output: usize) -> [(usize, f64); 2] {
    let (len, scale) = (g.input.dim(axis + 1), g.scale[axis]);
    let place = match (g.mode, g.align_corners) {
        (Interpolation::Nearest, _) => (output / scale) as f64,
        (_, false) => ((output as f64 + 0.5) / scale as f64 - 0.5).max(0.0),
        (_, true) if len == 1 => 0.0,
        (_, true) => (output * (len - 1)) as f64 / (len * scale - 1) as f64,
    };
    let (low, share) = (place.floor() as usize, place.fract());
    [(low, 1.0 - share), ((low + 1).min(len - 1), share)]
}

/// Calls `f(place in y, place in x, share)`.
fn shares(g: &Upsample2d, mut f: impl FnMut(usize, usize, f64)) {
    let output = g.output().unwrap();
    let mut y = 0;
    for c in 0..output.dim(0) {
        for i in 0..output.dim(1) {
            for j in 0..output.dim(2) {
                for (row, of_row) in between(g, 0, i) {
                    for (column, of_column) in between(g, 1, j) {
                        let x = (c * g.input.dim(1) + row) * g.input.dim(2) + column;
                        f(y, x, of_row * of_column);
                    }
                }
                y += 1;
            }
        }
    }
}

fn check(g: &Upsample2d, seed: u64) {
    let output = g.output().unwrap().elements();
    let mut random = Random::new(seed);
    let (x, dy) = (random.lanes(g.input.elements()), random.lanes(output));
    for isa in Isa::available() {
        let (mut y, mut dx) = (poison(output), poison(x.len()));
        upsample::forward(isa, g, &x, &mut y);
        upsample::backward(isa, g, &dy, &mut dx);
        assert_lanes_close(&y, BOUND, &format!("{isa} {g:?}"), |lane| {
            let (x, mut y) = (image(&x, lane), vec![0.0; output]);
            shares(g, |at_y, at_x, share| y[at_y] += share * x[at_x]);
            y
        });
        assert_lanes_close(&dx, BOUND, &format!("{isa} gradient {g:?}"), |lane| {
            let (dy, mut dx) = (image(&dy, lane), vec![0.0; x.len()]);
            shares(g, |at_y, at_x, share| dx[at_x] += share * dy[at_y]);
            dx
        });
    }
}

const WAYS: [(Interpolation, bool); 3] = [
    (Interpolation::Nearest, false),
    (Interpolation::Bilinear, false),
    (Interpolation::Bilinear, true),
];

#[test]
fn every_way_and_factor() {
    for (mode, align_corners) in WAYS {
        for rows in 1..=5 {
            for columns in 1..=5 {
                let input = Shape::new(&[2, 3, 4]);
                check(&Upsample2d { input, scale: [rows, columns], mode, align_corners }, 1);
            }
        }
    }
}

#[test]
fn wide_images_and_single_pixels() {
    for (mode, align_corners) in WAYS {
        for width in [1, 31, 32, 33, 70] {
            let input = Shape::new(&[3, 1, width]);
            check(&Upsample2d { input, scale: [3, 2], mode, align_corners }, 2);
        }
    }
}

#[test]
fn the_corners_of_both_images_are_the_same() {
    let input = Shape::new(&[1, 5, 7]);
    let g = Upsample2d { input, scale: [3, 3], mode: Interpolation::Bilinear, align_corners: true };
    let x = Random::new(3).lanes(35);
    for isa in Isa::available() {
        let mut y = poison(15 * 21);
        upsample::forward(isa, &g, &x, &mut y);
        assert_eq!([y[0], y[20], y[14 * 21], y[314]], [x[0], x[6], x[28], x[34]]);
    }
}

#[test]
fn values_are_scaled() {
    let x = Random::new(4).lanes(37);
    for isa in Isa::available() {
        for factor in [0.1, -3.0, 0.0] {
            let mut y = poison(x.len());
            scale(isa, factor, &x, &mut y);
            for (x, y) in x.iter().zip(&y) {
                assert_eq!(y.0, x.0.map(|x| x * factor));
            }
        }
    }
}

#[test]
#[should_panic(expected = "the output's length")]
fn a_wrong_length_is_refused() {
    let input = Shape::new(&[1, 2, 2]);
    let mode = Interpolation::Nearest;
    let g = Upsample2d { input, scale: [2, 2], mode, align_corners: false };
    upsample::forward(Isa::Portable, &g, &poison(4), &mut poison(15));
}

proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn random_geometries(
        (c, h, w) in (1..4usize, 1..9usize, 1..40usize),
        scale in (1..5usize, 1..5usize),
        way in 0..3usize,
        seed: u64,
    ) {
        let (mode, align_corners) = WAYS[way];
        let input = Shape::new(&[c, h, w]);
        check(&Upsample2d { input, scale: scale.into(), mode, align_corners }, seed);
    }
}

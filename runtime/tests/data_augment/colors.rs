//! Changes of colours: each one's formula, seen in what it did.

use typenet_engine::Flat;
use typenet_runtime::Normalization;
use typenet_runtime::data::{Augment, Draw};

use super::{changed, draws};

type Image = [[[f32; 6]; 4]; 3];

/// Colours that stay inside 0..=1 when they change a little.
fn pale() -> Image {
    let mut image: Image = super::image();
    image.as_flat_mut().iter_mut().for_each(|number| *number = 0.4 + 0.2 * *number);
    image
}

fn grey(image: &Image, y: usize, x: usize) -> f64 {
    let at = |channel: usize| f64::from(image[channel][y][x]);
    0.2989 * at(0) + 0.587 * at(1) + 0.114 * at(2)
}

fn pixels() -> impl Iterator<Item = (usize, usize, usize)> {
    (0..72).map(|i| (i / 24, i / 6 % 4, i % 6))
}

/// The factor by which all numbers are further from something than they were.
fn factor(image: &Image, found: &Image, from: impl Fn(usize, usize) -> f64) -> f64 {
    let far =
        |image: &Image, (c, y, x): (usize, usize, usize)| f64::from(image[c][y][x]) - from(y, x);
    let furthest = pixels().max_by(|&a, &b| far(image, a).abs().total_cmp(&far(image, b).abs()));
    let furthest = furthest.unwrap();
    let factor = far(found, furthest) / far(image, furthest);
    for pixel in pixels() {
        let error = far(found, pixel) - factor * far(image, pixel);
        assert!(error.abs() <= 1e-5, "{error}");
    }
    factor
}

/// Checks that factors are evenly between these.
fn check_even(mut factors: Vec<f64>, low: f64, high: f64) {
    factors.sort_by(f64::total_cmp);
    let count = factors.len() as f64;
    for (i, factor) in factors.iter().enumerate() {
        let expected = low + (high - low) * (i as f64 + 0.5) / count;
        assert!((factor - expected).abs() <= 0.1 * (high - low), "{factor}, not {expected}");
        assert!((low - 1e-4..=high + 1e-4).contains(factor), "{factor}");
    }
}

#[test]
fn brightness_contrast_and_saturation_are_factors() {
    let image = pale();
    let mean = (0..24).map(|i| grey(&image, i / 6, i % 6)).sum::<f64>() / 24.0;
    let seen = |augment: Augment, from: &dyn Fn(usize, usize) -> f64| {
        draws(300).map(|draw| factor(&image, &changed(&augment, &image, draw), from)).collect()
    };
    check_even(seen(Augment::new().color_jitter(0.4, 0.0, 0.0, 0.0), &|_, _| 0.0), 0.6, 1.4);
    check_even(seen(Augment::new().color_jitter(0.0, 0.8, 0.0, 0.0), &|_, _| mean), 0.2, 1.8);
    let own = |y, x| grey(&image, y, x);
    check_even(seen(Augment::new().color_jitter(0.0, 0.0, 0.9, 0.0), &own), 0.1, 1.9);
    // Not below 0.
    let factors: Vec<f64> = seen(Augment::new().color_jitter(0.0, 3.0, 0.0, 0.0), &|_, _| mean)
        .into_iter()
        .filter(|factor| *factor < 1.0)
        .collect();
    assert!(factors.iter().all(|factor| *factor >= -1e-4));
}

#[test]
fn hue_keeps_the_largest_and_the_smallest_of_a_pixel() {
    let image = pale();
    let augment = Augment::new().color_jitter(0.0, 0.0, 0.0, 0.5);
    let mut distances = Vec::new();
    for draw in draws(200) {
        let found = changed(&augment, &image, draw);
        let mut distance = 0.0f32;
        for i in 0..24 {
            let of = |image: &Image| [0, 1, 2].map(|c| image[c][i / 6][i % 6]);
            let (before, after) = (of(&image), of(&found));
            let ends = |pixel: [f32; 3]| {
                pixel.iter().fold([1.0f32, 0.0], |[a, b], &x| [a.min(x), b.max(x)])
            };
            for (before, after) in ends(before).into_iter().zip(ends(after)) {
                assert!((before - after).abs() <= 1e-5, "{before} {after}");
            }
            (0..3).for_each(|c| distance = distance.max((before[c] - after[c]).abs()));
        }
        distances.push(distance);
    }
    assert!(distances.iter().any(|&d| d > 0.12) && distances.iter().any(|&d| d < 0.03));
}

#[test]
fn colours_stay_between_black_and_white() {
    let image: Image = super::image();
    let augment = Augment::new().color_jitter(0.9, 0.9, 0.9, 0.5);
    let mut orders = std::collections::HashSet::new();
    for draw in draws(300) {
        let found = changed(&augment, &image, draw);
        assert!(found.as_flat().iter().all(|number| (0.0..=1.0).contains(number)));
        orders.insert(super::bits(found.as_flat()));
    }
    assert_eq!(orders.len(), 300);
}

#[test]
fn grey_images_keep_no_colour_to_change() {
    let image: [[[f32; 6]; 4]; 1] = super::image();
    let augment = Augment::new().color_jitter(0.0, 0.0, 0.9, 0.5);
    assert_eq!(changed(&augment, &image, Draw::default()), image);
    let brighter = Augment::new().color_jitter(0.5, 0.5, 0.0, 0.0);
    assert_ne!(changed(&brighter, &image, Draw::default()), image);
}

#[test]
fn normalised_colours_change_as_those_before() {
    let normalization = Normalization { mean: vec![0.49, 0.48, 0.44], std: vec![0.25, 0.24, 0.26] };
    let image: Image = super::image();
    let mut normalized = image;
    normalization.apply(normalized.as_flat_mut(), 3).unwrap();
    let augment = Augment::new().color_jitter(0.4, 0.4, 0.4, 0.1);
    for draw in draws(50) {
        let mut found = normalized;
        augment.apply_normalized(&mut found, &normalization, draw).unwrap();
        let mut expected = changed(&augment, &image, draw);
        normalization.apply(expected.as_flat_mut(), 3).unwrap();
        for (found, expected) in found.as_flat().iter().zip(expected.as_flat()) {
            assert!((found - expected).abs() <= 1e-4, "{found} {expected}");
        }
    }
}

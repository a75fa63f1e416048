//! Changes that move or hide pixels.

use std::collections::HashMap;

use typenet_engine::Flat;
use typenet_runtime::Normalization;
use typenet_runtime::data::{ArrayShape, Augment, Border, Draw};

use super::{bits, changed, draws, image, is_about};

type Grey = [[[f32; 6]; 4]; 1];
type Color = [[[f32; 5]; 7]; 3];

/// The image with `by` rows and columns more at each side, cut anew from a corner: by the book.
fn cut(image: &Color, [row, column]: [isize; 2], border: Border) -> Vec<f32> {
    let at = |at: isize, len: isize| match border {
        Border::Zeros => (0..len).contains(&at).then_some(at),
        Border::Replicate => Some(at.clamp(0, len - 1)),
        // By steps: each time over the border is one reflection.
        Border::Reflect => {
            let mut at = at;
            while !(0..len).contains(&at) {
                at = if at < 0 { -at } else { 2 * (len - 1) - at };
            }
            Some(at)
        }
    };
    let mut numbers = Vec::new();
    for plane in image {
        for y in 0..7 {
            for x in 0..5 {
                let from = at(y + row, 7).zip(at(x + column, 5));
                numbers.push(from.map_or(0.0, |(y, x)| plane[y as usize][x as usize]));
            }
        }
    }
    numbers
}

#[test]
fn a_crop_moves_the_image_by_every_number_of_pixels_equally_often() {
    let image: Color = image();
    for border in [Border::Zeros, Border::Reflect, Border::Replicate] {
        let augment = Augment::new().border(border).random_crop(2);
        let mut possible = HashMap::new();
        for row in -2..=2 {
            for column in -2..=2 {
                possible.insert(bits(&cut(&image, [row, column], border)), 0);
            }
        }
        assert_eq!(possible.len(), 25);
        let count = 5000;
        for draw in draws(count) {
            let found = changed(&augment, &image, draw);
            *possible.get_mut(&bits(found.as_flat())).expect("one of the 25") += 1;
        }
        assert!(possible.values().all(|&times| is_about(times, count, 1.0 / 25.0)), "{possible:?}");
    }
}

#[test]
fn black_is_black_before_the_normalisation() {
    let normalization = Normalization { mean: vec![0.5, 0.25, 0.125], std: vec![0.25, 0.5, 2.0] };
    let mut normalized: Color = image();
    normalization.apply(normalized.as_flat_mut(), 3).unwrap();
    let image: Color = image();
    let augment = Augment::new().random_crop(3).rotation(40.0).translation(0.3);
    for draw in draws(50) {
        let mut found = normalized;
        augment.apply_normalized(&mut found, &normalization, draw).unwrap();
        let mut expected = changed(&augment, &image, draw);
        normalization.apply(expected.as_flat_mut(), 3).unwrap();
        for (found, expected) in found.as_flat().iter().zip(expected.as_flat()) {
            assert!((found - expected).abs() <= 1e-5, "{found} {expected}");
        }
    }
}

#[test]
fn a_flip_mirrors_half_of_the_images() {
    let image: Grey = image();
    let mut mirrored = image;
    mirrored[0].iter_mut().for_each(|row| row.reverse());
    let mut turned = image;
    turned[0].reverse();
    for (augment, other, probability) in [
        (Augment::new().horizontal_flip(), mirrored, 0.5),
        (Augment::new().horizontal_flip_with(0.2), mirrored, 0.2),
        (Augment::new().horizontal_flip_with(1.0), mirrored, 1.0),
        (Augment::new().vertical_flip(0.7), turned, 0.7),
        (Augment::new().vertical_flip(0.0), turned, 0.0),
    ] {
        let mut count = 0;
        for draw in draws(2000) {
            let found = changed(&augment, &image, draw);
            assert!(found == image || found == other);
            count += usize::from(found == other);
        }
        assert!(is_about(count, 2000, probability), "{augment:?}: {count}");
    }
    let twice =
        Augment::new().horizontal_flip_with(1.0).horizontal_flip_with(1.0).vertical_flip(1.0);
    assert_eq!(changed(&twice.vertical_flip(1.0), &image, Draw::default()), image);
}

#[test]
fn an_alternating_flip_shows_each_image_both_ways_in_two_epochs() {
    let image: Grey = image();
    let augment = Augment::new().alternating_flip();
    let mut first_epoch = 0;
    for index in 0..1000 {
        let seen: Vec<bool> = (0..6)
            .map(|epoch| changed(&augment, &image, Draw { seed: 9, epoch, index }) == image)
            .collect();
        assert!(seen.windows(2).all(|two| two[0] != two[1]), "{seen:?}");
        first_epoch += usize::from(seen[0]);
    }
    assert!(is_about(first_epoch, 1000, 0.5));
}

#[test]
fn a_cutout_hides_a_square_around_any_pixel() {
    type Image = [[[f32; 9]; 8]; 2];
    let image: Image = image();
    for size in [1, 4, 5, 16] {
        let augment = Augment::new().cutout(size);
        let mut seen = HashMap::new();
        let mut possible = HashMap::new();
        for row in 0..8isize {
            for column in 0..9isize {
                let mut expected = image;
                for plane in &mut expected {
                    for (y, line) in plane.iter_mut().enumerate() {
                        for (x, number) in line.iter_mut().enumerate() {
                            let half = (size / 2) as isize;
                            let inside = |at: usize, center: isize| {
                                let from = at as isize - (center - half);
                                (0..size as isize).contains(&from)
                            };
                            if inside(y, row) && inside(x, column) {
                                *number = 0.0;
                            }
                        }
                    }
                }
                *possible.entry(bits(expected.as_flat())).or_insert(0) += 1;
            }
        }
        let count = 4000;
        for draw in draws(count) {
            *seen.entry(bits(changed(&augment, &image, draw).as_flat())).or_insert(0) += 1;
        }
        for (image, times) in seen {
            let ways = possible.remove(&image).expect("a square around some pixel");
            assert!(is_about(times, count, f64::from(ways) / 72.0), "{times} of {ways} ways");
        }
        assert!(possible.is_empty(), "every place is seen");
    }
}

#[test]
fn erasing_hides_rectangles_of_the_right_size() {
    type Image = [[[f32; 40]; 30]; 1];
    let image: Image = [[[0.5; 40]; 30]; 1];
    let augment = Augment::new().random_erasing_with(0.6, [0.05, 0.3], [0.5, 2.0]);
    let count = 3000;
    let (mut hidden, mut shares) = (0, Vec::new());
    for draw in draws(count) {
        let found = changed(&augment, &image, draw);
        let rows: Vec<usize> = (0..30).filter(|&y| found[0][y].contains(&0.0)).collect();
        let Some((&top, &bottom)) = rows.first().zip(rows.last()) else { continue };
        let columns: Vec<usize> = (0..40).filter(|&x| found[0][top][x] == 0.0).collect();
        let (left, right) = (columns[0], columns[columns.len() - 1]);
        let [height, width] = [bottom - top + 1, right - left + 1];
        let zeros = found.as_flat().iter().filter(|&&number| number == 0.0).count();
        assert_eq!(zeros, height * width, "a rectangle");
        let share = zeros as f64 / 1200.0;
        // Sides are rounded.
        assert!((0.035..=0.34).contains(&share), "{share}");
        let ratio = height as f64 / width as f64;
        assert!((0.4..=2.5).contains(&ratio), "{ratio}");
        hidden += 1;
        shares.push(share);
    }
    assert!(is_about(hidden, count, 0.6), "{hidden}");
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    assert!((0.165..=0.185).contains(&mean), "{mean}");
    assert!(shares.iter().any(|&share| share < 0.07) && shares.iter().any(|&share| share > 0.28));
}

#[test]
fn what_changes_nothing_leaves_every_bit() {
    fn check<I: ArrayShape + Clone + PartialEq>(augment: &Augment) {
        let image: I = image();
        for draw in draws(20) {
            let found = changed(augment, &image, draw);
            assert_eq!(bits(found.as_flat()), bits(image.as_flat()), "{augment:?}");
        }
    }
    for augment in [
        Augment::new(),
        Augment::new().random_crop(0),
        Augment::new().rotation(0.0).scale(1.0, 1.0).translation(0.0),
        Augment::new().elastic(0.0, 2.0),
        Augment::new().border(Border::Reflect).elastic(0.0, 0.1).rotation(0.0),
        Augment::new().color_jitter(0.0, 0.0, 0.0, 0.0),
        Augment::new().random_erasing(0.0).horizontal_flip_with(0.0),
    ] {
        check::<Color>(&augment);
        check::<Grey>(&augment);
        check::<[[[f32; 1]; 1]; 1]>(&augment);
    }
}

/// The place of a bright spot: its centre of mass, row and column.
fn spot(image: &[[f32; 41]; 41]) -> [f64; 2] {
    let mut sums = [0.0; 3];
    for (y, row) in image.iter().enumerate() {
        for (x, &number) in row.iter().enumerate() {
            let weight = f64::from(number);
            sums = [sums[0] + weight, sums[1] + weight * y as f64, sums[2] + weight * x as f64];
        }
    }
    [sums[1] / sums[0], sums[2] / sums[0]]
}

#[test]
fn rotation_scale_and_translation_stay_in_their_ranges_and_fill_them() {
    type Image = [[[f32; 41]; 41]; 1];
    let mut image: Image = [[[0.0; 41]; 41]; 1];
    // Right of the centre, which is at 20.
    image[0][19..22].iter_mut().for_each(|row| row[29..32].fill(1.0));
    let seen = |augment: Augment| -> Vec<[f64; 2]> {
        let places = draws(600).map(|draw| spot(&changed(&augment, &image, draw)[0]));
        places.map(|[row, column]| [row - 20.0, column - 20.0]).collect()
    };
    let range = |values: &mut dyn Iterator<Item = f64>| {
        values.fold([f64::INFINITY, f64::NEG_INFINITY], |[a, b], x| [a.min(x), b.max(x)])
    };
    let near = |[a, b]: [f64; 2], low: f64, high: f64| {
        let slack = 0.05 * (high - low);
        low - 0.3 <= a && a <= low + slack && high - slack <= b && b <= high + 0.3
    };

    let turned = seen(Augment::new().rotation(60.0));
    // Counter-clockwise is upwards.
    let angles = range(&mut turned.iter().map(|[row, column]| -row.atan2(*column).to_degrees()));
    assert!(near(angles, -60.0, 60.0), "{angles:?}");
    assert!(turned.iter().all(|[row, column]| (row.hypot(*column) - 10.0).abs() <= 0.3));

    let scaled = seen(Augment::new().scale(0.5, 1.5));
    let factors = range(&mut scaled.iter().map(|[_, column]| column / 10.0));
    assert!(near(factors, 0.5, 1.5), "{factors:?}");
    assert!(scaled.iter().all(|[row, _]| row.abs() <= 0.01));

    let moved = seen(Augment::new().translation(0.2));
    let rows = range(&mut moved.iter().map(|[row, _]| row / 41.0));
    let columns = range(&mut moved.iter().map(|[_, column]| (column - 10.0) / 41.0));
    assert!(near(rows, -0.2, 0.2) && near(columns, -0.2, 0.2), "{rows:?} {columns:?}");
    let mean = moved.iter().map(|[row, _]| row).sum::<f64>() / 600.0;
    assert!(mean.abs() <= 1.0, "{mean}");
}

#[test]
fn an_elastic_deformation_moves_pixels_about_as_far_as_said() {
    // A ramp shows each pixel's displacement as its value.
    type Image = [[[f32; 96]; 96]; 1];
    let mut image: Image = [[[0.0; 96]; 96]; 1];
    image[0].iter_mut().for_each(|row| {
        row.iter_mut().enumerate().for_each(|(x, number)| *number = x as f32);
    });
    let (alpha, sigma) = (34.0, 4.0);
    let augment = Augment::new().border(Border::Replicate).elastic(alpha, sigma);
    let (mut squares, mut sum, mut count, mut step) = (0.0, 0.0, 0, 0.0f64);
    for draw in draws(20) {
        let found = changed(&augment, &image, draw);
        for y in 20..76 {
            for x in 20..76 {
                let moved = f64::from(found[0][y][x]) - x as f64;
                squares += moved * moved;
                sum += moved;
                count += 1;
                step = step.max((moved - (f64::from(found[0][y][x + 1]) - x as f64 - 1.0)).abs());
            }
        }
    }
    // Numbers of −1..1 have the variance 1/3; smoothing in two dimensions leaves 1/(4πσ²) of it.
    let expected = alpha * (1.0f64 / 3.0 / (4.0 * std::f64::consts::PI * sigma * sigma)).sqrt();
    let deviation = (squares / f64::from(count)).sqrt();
    assert!((deviation / expected - 1.0).abs() <= 0.1, "{deviation}, not {expected}");
    assert!((sum / f64::from(count)).abs() <= 0.2);
    // Neighbours move alike.
    assert!(step <= 1.5, "{step}");
}

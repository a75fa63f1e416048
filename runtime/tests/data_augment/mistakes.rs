//! Arguments out of range, and images of odd sizes.

use proptest::prelude::*;
use typenet_runtime::Normalization;
use typenet_runtime::data::{ArrayShape, Augment, Border, Draw};

use super::image;

type Image = [[[f32; 6]; 4]; 3];

#[test]
fn arguments_out_of_range_are_errors_and_change_nothing() {
    let new = Augment::new;
    for (augment, text) in [
        (new().random_crop(5), "`padding` = 5: at most a side"),
        (new().border(Border::Reflect).random_crop(4), "`padding` = 4: at most a side"),
        (new().horizontal_flip_with(1.5), "`probability` = 1.5: a probability of 0 to 1"),
        (new().vertical_flip(f64::NAN), "`probability` = NaN: a probability"),
        (new().cutout(0), "`cutout` = 0: 1 to two sides"),
        (new().cutout(13), "`cutout` = 13: 1 to two sides"),
        (new().random_erasing(-0.1), "`probability` = -0.1"),
        (
            new().random_erasing_with(0.5, [0.3, 0.2], [1.0, 1.0]),
            "`scale` = [0.3, 0.2]: least and most",
        ),
        (new().random_erasing_with(0.5, [0.1, 1.2], [1.0, 1.0]), "`scale` = [0.1, 1.2]"),
        (new().random_erasing_with(0.5, [0.1, 0.2], [0.0, 1.0]), "`ratio` = [0.0, 1.0]: least and"),
        (new().color_jitter(-0.1, 0.0, 0.0, 0.0), "`brightness` = -0.1: a finite number"),
        (new().color_jitter(0.0, f64::INFINITY, 0.0, 0.0), "`contrast` = inf"),
        (new().color_jitter(0.0, 0.0, f64::NAN, 0.0), "`saturation` = NaN"),
        (new().color_jitter(0.0, 0.0, 0.0, 0.6), "`hue` = 0.6: 0 to 0.5 of the colour circle"),
        (new().rotation(181.0), "`rotation` = 181: 0 to 180 degrees"),
        (new().rotation(f64::NAN), "`rotation` = NaN"),
        (new().scale(0.0, 1.0), "`scale` = [0.0, 1.0]: least and most of a factor"),
        (new().scale(2.0, 1.0), "`scale` = [2.0, 1.0]"),
        (new().scale(1.0, f64::INFINITY), "`scale` = [1.0, inf]"),
        (new().translation(1.1), "`translation` = 1.1: 0 to 1"),
        (new().elastic(-1.0, 1.0), "`alpha` = -1: 0 to a million pixels"),
        (new().elastic(1.0, 0.0), "`sigma` = 0: above 0"),
        (new().elastic(1.0, 25.0), "`sigma` = 25: above 0"),
    ] {
        let before: Image = image();
        let mut after = before;
        let error = augment.apply(&mut after, Draw::default()).unwrap_err().to_string();
        assert!(error.starts_with(text), "{error}");
        // Also where a change before it is right.
        let behind = Augment::new().horizontal_flip_with(1.0);
        assert!(behind.apply(&mut after, Draw::default()).is_ok());
        assert_ne!(after, before);
    }
}

#[test]
fn other_images_are_errors() {
    let jitter = Augment::new().color_jitter(0.1, 0.1, 0.1, 0.1);
    let error = jitter.apply(&mut [[[0.5; 4]; 4]; 4], Draw::default()).unwrap_err().to_string();
    let expected = "channels of images whose colours change: expected 1, or 3 for red, green and blue, \
                    found 4";
    assert_eq!(error, expected);
    let flip = Augment::new().horizontal_flip();
    assert!(flip.apply(&mut [0.5; 4], Draw::default()).is_err());
    assert!(flip.apply(&mut [[[0.5; 0]; 4]; 1], Draw::default()).is_err());
    let other = Normalization { mean: vec![0.5], std: vec![0.5] };
    let mut color: Image = image();
    let error = flip.apply_normalized(&mut color, &other, Draw::default()).unwrap_err().to_string();
    assert_eq!(error, "channels of the mean: expected 3, found 1");
}

/// Makes all changes, in an order, to an image of this type.
fn survives<I: ArrayShape + Clone>(order: &[usize], border: Border, draw: Draw) {
    let mut augment = Augment::new().border(border);
    for change in order {
        augment = match change {
            0 => augment.random_crop(usize::from(border != Border::Reflect)),
            1 => augment.horizontal_flip(),
            2 => augment.alternating_flip(),
            3 => augment.cutout(2),
            4 => augment.random_erasing(1.0),
            5 => augment.rotation(180.0),
            6 => augment.scale(1e-12, 1e12),
            7 => augment.translation(1.0),
            8 => augment.elastic(1e6, 0.01),
            9 => augment.elastic(30.0, 3.5),
            10 => augment.color_jitter(2.0, 2.0, 2.0, 0.5),
            _ => augment.vertical_flip(0.5),
        };
    }
    let mut found: I = image();
    augment.apply(&mut found, draw).unwrap();
    let is_right = |number: &f32| (-1e-6..=1.0 + 1e-6).contains(number);
    assert!(found.as_flat().iter().all(is_right), "{augment:?} {:?}", found.as_flat());
}

proptest! {
    #[test]
    fn any_changes_in_any_order_leave_numbers_between_0_and_1(
        order in prop::collection::vec(0..12usize, 0..10),
        border in prop::sample::select(vec![Border::Zeros, Border::Reflect, Border::Replicate]),
        seed: u64,
        epoch: usize,
        index: usize,
    ) {
        let draw = Draw { seed, epoch, index };
        survives::<[[[f32; 1]; 1]; 1]>(&order, border, draw);
        survives::<[[[f32; 9]; 1]; 3]>(&order, border, draw);
        survives::<[[[f32; 1]; 5]; 1]>(&order, border, draw);
        survives::<[[[f32; 2]; 3]; 3]>(&order, border, draw);
        survives::<[[[f32; 16]; 13]; 3]>(&order, border, draw);
    }
}

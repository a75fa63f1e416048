//! Every loss against its f64 reference, and its gradient against central differences of that.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use typenet_runtime::data::MixedLabel;
use typenet_runtime::loss::{
    BinaryCrossEntropy, CrossEntropy, Huber, Loss, MeanSquaredError, NllLoss, SumSquaredError,
};

const STEP: f64 = 1e-5;

fn compare<T, L: Loss<T>>(loss: &L, outputs: &[f32], target: &T, scale: f64) {
    let mut gradient = vec![f32::NAN; outputs.len()];
    let value = loss.image(outputs, target, scale, &mut gradient);
    let exact: Vec<f64> = outputs.iter().copied().map(f64::from).collect();
    let expected = loss.reference(&exact, target);
    assert!((value - expected).abs() <= 1e-12 * (1.0 + expected.abs()), "{value} and {expected}");
    for (i, &found) in gradient.iter().enumerate() {
        let at = |shift: f64| {
            let mut moved = exact.clone();
            moved[i] += shift;
            loss.reference(&moved, target)
        };
        let slope = scale * (at(STEP) - at(-STEP)) / (2.0 * STEP);
        let tolerance = 1e-6 * scale * (1.0 + expected.abs()) + 1e-6 * slope.abs();
        assert!((f64::from(found) - slope).abs() <= tolerance, "{i}: {found} and {slope}");
    }
}

fn numbers() -> impl Strategy<Value = [f32; 4]> {
    prop::array::uniform4(-8.0f32..8.0)
}

proptest! {
    #[test]
    fn cross_entropy_and_nll(
        rows in prop::collection::vec((-20.0f32..20.0, 0.0f32..3.0), 1..12),
        label: prop::sample::Index,
        smoothing in prop_oneof![Just(0.0f32), Just(1.0), 0.0f32..1.0],
        scale in 0.01f64..2.0,
    ) {
        let (outputs, weights): (Vec<f32>, Vec<f32>) = rows.into_iter().unzip();
        let label = label.index(outputs.len());
        let loss = CrossEntropy::new().label_smoothing(smoothing);
        compare(&loss, &outputs, &label, scale);
        compare(&loss.class_weights(&weights), &outputs, &label, scale);
        compare(&NllLoss::new(), &outputs, &label, scale);
        compare(&NllLoss::new().class_weights(&weights), &outputs, &label, scale);
    }

    #[test]
    fn cross_entropy_of_mixed_labels(
        rows in prop::collection::vec((-20.0f32..20.0, 0.0f32..3.0), 1..12),
        labels: [prop::sample::Index; 2],
        smoothing in prop_oneof![Just(0.0f32), Just(1.0), 0.0f32..1.0],
        share in prop_oneof![Just(0.0f32), Just(1.0), 0.0f32..1.0],
        scale in 0.01f64..2.0,
    ) {
        let (outputs, weights): (Vec<f32>, Vec<f32>) = rows.into_iter().unzip();
        let [label, other] = labels.map(|label| label.index(outputs.len()));
        let mixed = MixedLabel { label, other, share };
        let smooth = CrossEntropy::new().label_smoothing(smoothing);
        for loss in [smooth.clone(), smooth.class_weights(&weights)] {
            compare(&loss, &outputs, &mixed, scale);
            // It is the mix of the losses.
            let exact: Vec<f64> = outputs.iter().copied().map(f64::from).collect();
            let share = f64::from(share);
            let both = [label, other].map(|label| loss.reference(&exact, &label));
            let expected = share * both[0] + (1.0 - share) * both[1];
            let found = loss.reference(&exact, &mixed);
            prop_assert!((found - expected).abs() <= 1e-12 * (1.0 + expected.abs()));
            let weight = share * loss.weight(&label) + (1.0 - share) * loss.weight(&other);
            prop_assert!((loss.weight(&mixed) - weight).abs() <= 1e-12);
            // One class alone has the same bits.
            let mut gradients = [vec![f32::NAN; outputs.len()], vec![f32::NAN; outputs.len()]];
            let alone = loss.image(&outputs, &MixedLabel::from(label), scale, &mut gradients[0]);
            prop_assert_eq!(alone, loss.image(&outputs, &label, scale, &mut gradients[1]));
            prop_assert_eq!(&gradients[0], &gradients[1]);
        }
    }

    #[test]
    fn squared_errors(outputs in numbers(), target in numbers(), scale in 0.01f64..2.0) {
        compare(&MeanSquaredError::new(), &outputs, &target, scale);
        compare(&SumSquaredError::new(), &outputs, &target, scale);
    }

    #[test]
    fn huber(
        outputs in numbers(),
        target in numbers(),
        delta in 0.1f32..10.0,
        scale in 0.01f64..2.0,
    ) {
        // Where the curve bends, the central difference is off by up to half a step.
        let bends = outputs.iter().zip(target).any(|(y, t)| ((y - t).abs() - delta).abs() < 1e-3);
        prop_assume!(!bends);
        compare(&Huber::new(delta), &outputs, &target, scale);
    }

    #[test]
    fn binary_cross_entropy(
        outputs in numbers(),
        target in prop::array::uniform4(prop_oneof![Just(0.0f32), Just(1.0), 0.0f32..1.0]),
        weights in prop::array::uniform4(0.0f32..4.0),
        scale in 0.01f64..2.0,
    ) {
        compare(&BinaryCrossEntropy::new(), &outputs, &target, scale);
        compare(&BinaryCrossEntropy::new().pos_weight(&weights), &outputs, &target, scale);
    }
}

//! The losses against PyTorch's results, which `tests/fixtures/losses.py` wrote.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use typenet_runtime::loss::{
    BinaryCrossEntropy, CrossEntropy, Huber, Loss, MeanSquaredError, NllLoss, Reduction,
    SumSquaredError,
};

#[path = "../../tests/fixtures/reader.rs"]
mod reader;

use reader::{Fixture, relative_error};

const OUTPUTS: usize = 4;
const TOLERANCE: f64 = 1e-6;

fn fixture() -> Fixture {
    Fixture::read(include_bytes!("../../tests/fixtures/losses.safetensors"))
}

/// Compares a batch's loss and its gradient, each image's with the share that it has in the batch.
fn check<T>(loss: &impl Loss<T>, targets: &[T], case: &str, reduction: &str) {
    let fixture = fixture();
    let steep = if case.ends_with("_steep") { "steep_" } else { "" };
    let outputs = fixture.f32(&format!("{steep}outputs"));
    let case = format!("{case}.{reduction}");

    let denominator = loss.denominator(targets);
    let mut gradient = vec![f32::NAN; outputs.len()];
    let (mut sum, mut reference) = (0.0, 0.0);
    for (i, row) in gradient.chunks_exact_mut(OUTPUTS).enumerate() {
        let image = &outputs[i * OUTPUTS..][..OUTPUTS];
        loss.check(OUTPUTS, &targets[i], "the fixture").unwrap();
        sum += loss.image(image, &targets[i], 1.0 / denominator, row);
        let image: Vec<f64> = image.iter().map(|&x| f64::from(x)).collect();
        reference += loss.reference(&image, &targets[i]);
    }

    let expected = fixture.f64(&format!("{case}.loss"))[0];
    for (what, found) in [("loss", sum / denominator), ("reference", reference / denominator)] {
        let error = (found - expected).abs() / expected.abs();
        assert!(error <= TOLERANCE, "{case}: {what} {found}, PyTorch has {expected}");
    }
    let error = relative_error(&gradient, fixture.f64(&format!("{case}.gradient")));
    assert!(error <= TOLERANCE, "{case}: the gradient is off by {error:.1e}");
}

/// Rows of targets.
fn rows(name: &str) -> Vec<[f32; OUTPUTS]> {
    fixture().f32(name).as_chunks().0.to_vec()
}

#[test]
fn cross_entropy_with_smoothing_and_class_weights() {
    let labels = fixture().labels("labels");
    let weights = fixture().f32("class_weights");
    for (case, loss) in [
        ("cross_entropy", CrossEntropy::new()),
        ("cross_entropy_smoothing", CrossEntropy::new().label_smoothing(0.1)),
        ("cross_entropy_weights", CrossEntropy::new().class_weights(&weights)),
        ("cross_entropy_both", CrossEntropy::new().class_weights(&weights).label_smoothing(0.1)),
        ("cross_entropy_steep", CrossEntropy::new()),
    ] {
        check(&loss, &labels, case, "mean");
        check(&loss.clone().reduction(Reduction::Sum), &labels, case, "sum");
    }
}

#[test]
fn nll_with_and_without_class_weights() {
    let labels = fixture().labels("labels");
    let weights = fixture().f32("class_weights");
    for (case, loss) in
        [("nll", NllLoss::new()), ("nll_weights", NllLoss::new().class_weights(&weights))]
    {
        check(&loss, &labels, case, "mean");
        check(&loss.clone().reduction(Reduction::Sum), &labels, case, "sum");
    }
}

#[test]
fn squared_errors() {
    let values = rows("values");
    check(&MeanSquaredError::new(), &values, "squared_error", "mean");
    let sum = SumSquaredError::new().reduction(Reduction::Sum);
    check(&sum, &values, "squared_error", "sum");
}

#[test]
fn binary_cross_entropy_on_logits() {
    let truths = rows("truths");
    let each = fixture().f32("pos_weight");
    for (case, loss) in [
        ("binary_cross_entropy", BinaryCrossEntropy::new()),
        ("binary_cross_entropy_weight", BinaryCrossEntropy::new().pos_weight(&each)),
        ("binary_cross_entropy_3", BinaryCrossEntropy::new().pos_weight(&[3.0; OUTPUTS])),
        ("binary_cross_entropy_steep", BinaryCrossEntropy::new()),
    ] {
        check(&loss, &truths, case, "mean");
    }
}

#[test]
fn huber_with_delta() {
    check(&Huber::new(0.7), &rows("values"), "huber", "mean");
}

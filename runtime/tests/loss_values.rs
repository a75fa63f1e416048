//! Every loss on a batch, against PyTorch's numbers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::excessive_precision)]

#[path = "common/bare.rs"]
mod bare;

use typenet_runtime::loss::{
    Accepts, BinaryCrossEntropy, CrossEntropy, Huber, Loss, Matches, MeanSquaredError, Reduction,
    SumSquaredError,
};
use typenet_runtime::{Error, Network};
use typenet_shape::{Node, Op, Shape};

bare::bare_net!(Echo, [f32; 3], [f32; 3], [f32; 0], 1, {
    &[Node { name: "input", op: Op::Input { shape: Shape::new(&[3]) }, inputs: &[] }]
});

const OUTPUTS: [[f32; 3]; 2] = [[0.5, -1.0, 2.0], [3.0, 0.25, -0.75]];

/// The loss and the gradient of a batch.
fn run<T, L: Loss<T> + Accepts<Echo>>(
    loss: &L,
    outputs: &[[f32; 3]],
    targets: &[T],
) -> Result<(f64, Vec<f32>), Error>
where
    [f32; 3]: Matches<T>,
{
    let mut ws = Echo::workspace(outputs.len());
    Echo::seeded(0).forward(outputs, &mut ws);
    let bits = |rows: &[[f32; 3]]| rows.concat().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(ws.output()), bits(outputs));
    ws.output_gradient_mut().fill([f32::NAN; 3]);
    let value = loss.forward_backward(targets, &mut ws)?;
    Ok((value, ws.output_gradient_mut().concat()))
}

#[track_caller]
fn expect<T, L: Loss<T> + Accepts<Echo>>(loss: &L, targets: &[T], value: f64, gradient: &[f32])
where
    [f32; 3]: Matches<T>,
{
    let (found, found_gradient) = run(loss, &OUTPUTS, targets).unwrap();
    assert!((found - value).abs() <= 1e-6 * value, "loss {found}, not {value}");
    assert_eq!(found_gradient.len(), gradient.len());
    for (found, expected) in found_gradient.iter().zip(gradient) {
        assert!((found - expected).abs() <= 3e-7, "gradient {found_gradient:?}");
    }
}

// import torch, torch.nn.functional as F
// z = torch.tensor([[0.5, -1.0, 2.0], [3.0, 0.25, -0.75]], requires_grad=True)
// y = torch.tensor([2, 1]); w = torch.tensor([1.0, 2.0, 0.5])
// for kw in [{}, dict(weight=w), dict(label_smoothing=0.1), dict(weight=w, label_smoothing=0.1),
//            dict(weight=w, label_smoothing=0.1, reduction="sum")]:
//     l = F.cross_entropy(z, y, **kw); print(l.item(), torch.autograd.grad(l, z)[0].flatten())
#[test]
fn cross_entropy_is_pytorchs() {
    let plain = CrossEntropy::new();
    let weights = CrossEntropy::new().class_weights(&[1.0, 2.0, 0.5]);
    expect(
        &plain,
        &[2, 1],
        1.537_571_4,
        &[0.087_645_195, 0.019_556_286, -0.107_201_49, 0.459_793_12, -0.470_606_42, 0.010_813_297],
    );
    expect(
        &weights,
        &[2, 1],
        2.315_327_4,
        &[0.035_058_077, 0.007_822_514_5, -0.042_880_595, 0.735_669, -0.752_970_3, 0.017_301_274],
    );
    expect(
        &plain.label_smoothing(0.1),
        &[2, 1],
        1.583_404_7,
        &[
            0.070_978_53,
            0.002_889_618_3,
            -0.073_868_155,
            0.443_126_44,
            -0.437_273_1,
            -0.005_853_371,
        ],
    );
    let both = weights.label_smoothing(0.1);
    expect(
        &both,
        &[2, 1],
        2.297_301_3,
        &[0.026_399_154, -0.017_801_15, -0.008_597_999, 0.691_682_7, -0.701_596_44, 0.009_913_72],
    );
    expect(
        &both.reduction(Reduction::Sum),
        &[2, 1],
        5.743_253_2,
        &[0.065_997_884, -0.044_502_88, -0.021_495_024, 1.729_206_9, -1.753_991_2, 0.024_784_302],
    );
}

// zz = torch.tensor([[1e4, 0., -1e4]], requires_grad=True)
// for t in (0, 1, 2):
//     l = F.cross_entropy(zz, torch.tensor([t])); print(l.item(), torch.autograd.grad(l, zz)[0])
#[test]
fn large_logits_do_not_overflow() {
    let rows = [[1e4, 0.0, -1e4]];
    let loss = CrossEntropy::new();
    assert_eq!(run(&loss, &rows, &[0]).unwrap(), (0.0, vec![0.0, 0.0, 0.0]));
    assert_eq!(run(&loss, &rows, &[1]).unwrap(), (1e4, vec![1.0, -1.0, 0.0]));
    assert_eq!(run(&loss, &rows, &[2]).unwrap(), (2e4, vec![1.0, 0.0, -1.0]));
    let loss = BinaryCrossEntropy::new().reduction(Reduction::Sum);
    let (value, gradient) = run(&loss, &rows, &[[0.0, 0.0, 1.0]]).unwrap();
    let expected = (2e4 + 2f64.ln()) / 3.0;
    assert!((value - expected).abs() <= 1e-12 * expected, "{value}");
    assert_eq!(gradient, [1.0 / 3.0, 0.5 / 3.0, -1.0 / 3.0]);
}

#[test]
fn a_gradient_close_to_zero_keeps_its_digits() {
    // p = 1 / (1 + 2e⁻²⁰), and 1 − p = 4.1e-9 is lost where p is rounded to f32 first.
    let (_, gradient) = run(&CrossEntropy::new(), &[[20.0, 0.0, 0.0]], &[0]).unwrap();
    let small = (-20f64).exp();
    let expected = (-2.0 * small / (1.0 + 2.0 * small)) as f32;
    assert!((gradient[0] / expected - 1.0).abs() <= 1e-6, "{} and {expected}", gradient[0]);
}

// t = torch.tensor([[0.0, -0.5, 4.0], [1.0, 0.25, 0.5]])
// for l in [F.mse_loss(z, t), F.mse_loss(z, t, reduction="sum"), F.huber_loss(z, t, delta=0.75),
//           F.huber_loss(z, t, delta=2.0)]:
//     print(l.item(), torch.autograd.grad(l, z)[0].flatten())
#[test]
fn losses_of_values_are_pytorchs() {
    let targets = [[0.0, -0.5, 4.0], [1.0, 0.25, 0.5]];
    expect(
        &MeanSquaredError::new(),
        &targets,
        1.677_083_4,
        &[0.166_666_67, -0.166_666_67, -0.666_666_7, 0.666_666_7, 0.0, -0.416_666_7],
    );
    let sum = SumSquaredError::new().reduction(Reduction::Sum);
    expect(&sum, &targets, 10.0625, &[1.0, -1.0, -4.0, 4.0, 0.0, -2.5]);
    expect(
        &Huber::new(0.75),
        &targets,
        0.557_291_7,
        &[0.083_333_336, -0.083_333_336, -0.125, 0.125, 0.0, -0.125],
    );
    expect(
        &Huber::new(2.0),
        &targets,
        0.838_541_7,
        &[0.083_333_336, -0.083_333_336, -0.333_333_34, 0.333_333_34, 0.0, -0.208_333_34],
    );
    // By hand: images of 5.25/3 and 4.8125/3, not divided by the batch; sums halved by it.
    let sum_of_means = MeanSquaredError::new().reduction(Reduction::Sum);
    let value = run(&sum_of_means, &OUTPUTS, &targets).unwrap().0;
    assert!((value - 10.0625 / 3.0).abs() <= 1e-15 * value, "{value}");
    let (value, gradient) = run(&SumSquaredError::new(), &OUTPUTS, &targets).unwrap();
    assert_eq!((value, gradient), (5.03125, vec![0.5, -0.5, -2.0, 2.0, 0.0, -1.25]));
}

// p = torch.tensor([[0.0, 1.0, 0.25], [1.0, 0.5, 0.0]])
// for kw in [{}, dict(pos_weight=torch.tensor([2.0, 0.5, 3.0]))]:
//     l = F.binary_cross_entropy_with_logits(z, p, **kw)
//     print(l.item(), torch.autograd.grad(l, z)[0].flatten())
#[test]
fn binary_cross_entropy_is_pytorchs() {
    let targets = [[0.0, 1.0, 0.25], [1.0, 0.5, 0.0]];
    expect(
        &BinaryCrossEntropy::new(),
        &targets,
        0.841_777_4,
        &[0.103_743_225, -0.121_843_1, 0.105_132_84, -0.007_904_311, 0.010_362_755, 0.053_470_213],
    );
    expect(
        &BinaryCrossEntropy::new().pos_weight(&[2.0, 0.5, 3.0]),
        &targets,
        0.727_016_7,
        &[
            0.103_743_225,
            -0.060_921_55,
            0.095_199_265,
            -0.015_808_622,
            0.028_605_402,
            0.053_470_213,
        ],
    );
}

#[test]
fn parts_of_a_batch_add_up() {
    let loss = CrossEntropy::new().class_weights(&[1.0, 2.0, 0.5]).label_smoothing(0.2);
    let (whole, gradient) = run(&loss, &OUTPUTS, &[2, 1]).unwrap();
    let denominator = loss.denominator(&[2, 1]);
    assert_eq!(denominator, 2.5);
    let (mut sum, mut parts) = (0.0, Vec::new());
    for (output, label) in OUTPUTS.iter().zip([2, 1]) {
        let mut ws = Echo::workspace(1);
        Echo::seeded(0).forward(&[*output], &mut ws);
        sum += loss.forward_backward_part(&[label], &mut ws, denominator).unwrap();
        parts.extend_from_slice(&ws.output_gradient_mut()[0]);
    }
    assert!((sum - whole).abs() <= 1e-15 * whole.abs(), "{sum} {whole}");
    assert_eq!(parts, gradient);
}

#[test]
fn a_nan_output_gives_a_nan_loss() {
    for at in 0..3 {
        let mut rows = OUTPUTS;
        rows[1][at] = f32::NAN;
        let targets = [[0.0, 1.0, 0.5]; 2];
        for label in 0..3 {
            assert!(run(&CrossEntropy::new(), &rows, &[0, label]).unwrap().0.is_nan());
        }
        assert!(run(&BinaryCrossEntropy::new(), &rows, &targets).unwrap().0.is_nan());
        assert!(run(&MeanSquaredError::new(), &rows, &targets).unwrap().0.is_nan());
        assert!(run(&SumSquaredError::new(), &rows, &targets).unwrap().0.is_nan());
        let (value, gradient) = run(&Huber::new(1.0), &rows, &targets).unwrap();
        assert!(value.is_nan() && gradient[3 + at].is_nan());
    }
}

#[test]
fn a_batch_without_weight_is_nan_as_in_pytorch() {
    let loss = CrossEntropy::new().class_weights(&[1.0, 0.0, 0.0]);
    let (value, gradient) = run(&loss, &OUTPUTS, &[2, 1]).unwrap();
    assert!(value.is_nan() && gradient.iter().all(|g| g.is_nan()));
    let (value, gradient) = run(&loss.reduction(Reduction::Sum), &OUTPUTS, &[2, 1]).unwrap();
    assert_eq!((value, gradient), (0.0, vec![0.0; 6]));
}

#[track_caller]
fn refused<T, L: Loss<T> + Accepts<Echo>>(loss: &L, targets: &[T], message: &str)
where
    [f32; 3]: Matches<T>,
{
    let error = run(loss, &OUTPUTS, targets).expect_err("must be refused");
    assert_eq!(error.to_string(), message);
}

#[test]
fn wrong_targets_are_refused() {
    let labels = CrossEntropy::new();
    refused(&labels, &[0, 3], "target 1 of the batch: label 3 is outside the 3 classes 0..=2");
    refused(&labels, &[0], "targets of a batch: expected 2, found 1");
    refused(
        &labels.class_weights(&[1.0; 3]),
        &[0, usize::MAX],
        &format!("target 1 of the batch: label {} is outside the 3 classes 0..=2", usize::MAX),
    );
    // A batch of such targets does not compile.
    let short = |loss: &dyn Fn(&str) -> Result<(), Error>| {
        let message = loss("target 0").unwrap_err().to_string();
        assert_eq!(message, "target 0: numbers of a target: expected 3, found 2");
    };
    short(&|place| MeanSquaredError::new().check(3, &[0.0; 2], place));
    short(&|place| SumSquaredError::new().check(3, &[0.0; 2], place));
    short(&|place| Huber::new(1.0).check(3, &[0.0; 2], place));
    short(&|place| BinaryCrossEntropy::new().check(3, &[0.0; 2], place));
    let infinite = [[0.0; 3], [0.0, f32::INFINITY, 0.0]];
    let message = "target 1 of the batch: the target of output 1 is inf: a finite number is needed";
    refused(&MeanSquaredError::new(), &infinite, message);
    refused(&SumSquaredError::new(), &infinite, message);
    refused(&Huber::new(1.0), &infinite, message);
    refused(
        &BinaryCrossEntropy::new(),
        &[[0.0; 3], [0.0, 1.0, 1.5]],
        "target 1 of the batch: the target of output 2 is 1.5: 0 to 1 is allowed",
    );
    refused(
        &BinaryCrossEntropy::new(),
        &[[f32::NAN; 3]; 2],
        "target 0 of the batch: the target of output 0 is NaN: 0 to 1 is allowed",
    );
    let place = Loss::check(&CrossEntropy::new(), 3, &7, "labels.gz, image 12").unwrap_err();
    assert_eq!(place.to_string(), "labels.gz, image 12: label 7 is outside the 3 classes 0..=2");
}

#[test]
fn wrong_arguments_are_refused() {
    for value in [-0.1, 1.1, f32::NAN] {
        let message = format!("`label_smoothing` = {value}: 0 to 1 is allowed");
        refused(&CrossEntropy::new().label_smoothing(value), &[0, 1], &message);
    }
    refused(
        &CrossEntropy::new().class_weights(&[1.0; 4]),
        &[0, 1],
        "`class_weights` = 4 numbers for 3 outputs: one weight a class is needed",
    );
    for value in [-1.0, f32::NAN, f32::INFINITY] {
        let message = format!("= {value}: every weight is finite and 0 or more");
        let weights = [1.0, value, 1.0];
        let loss = CrossEntropy::new().class_weights(&weights);
        refused(&loss, &[0, 1], &format!("`class_weights` {message}"));
        let loss = BinaryCrossEntropy::new().pos_weight(&weights);
        refused(&loss, &[[0.0; 3]; 2], &format!("`pos_weight` {message}"));
    }
    for delta in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let message = format!("`delta` = {delta}: a finite number above 0 is needed");
        refused(&Huber::new(delta), &[[0.0; 3]; 2], &message);
    }
}

#[test]
fn a_mixed_label_is_checked() {
    use typenet_runtime::data::MixedLabel;

    let loss = CrossEntropy::new();
    let mixed = |label, other, share| MixedLabel { label, other, share };
    assert!(loss.check(3, &mixed(0, 2, 0.25), "here").is_ok());
    for bad in [mixed(3, 0, 0.5), mixed(0, 3, 0.5)] {
        let error = loss.check(3, &bad, "here").unwrap_err();
        assert!(matches!(error, Error::Label { label: 3, classes: 3, .. }));
    }
    for share in [-0.1, 1.1, f32::NAN] {
        let error = loss.check(3, &mixed(0, 1, share), "here").unwrap_err().to_string();
        let expected =
            format!("here: the target of output 0 is {share}: the share of a label is 0 to 1");
        assert_eq!(error, expected);
    }
    assert!(loss.label_smoothing(2.0).check(3, &mixed(0, 1, 0.5), "here").is_err());
}

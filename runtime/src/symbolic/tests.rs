use typenet_shape::{Activation, Approximate, Op};

use super::*;
use crate::loss::{
    BinaryCrossEntropy, CrossEntropy, Huber, Loss, MeanSquaredError, NllLoss, SumSquaredError,
};

const ACTIVATIONS: [Activation; 11] = [
    Activation::Identity,
    Activation::Relu,
    Activation::LeakyRelu { negative_slope: 0.1 },
    Activation::Relu6,
    Activation::Sigmoid,
    Activation::Tanh,
    Activation::Gelu { approximate: Approximate::None },
    Activation::Gelu { approximate: Approximate::Tanh },
    Activation::Silu,
    Activation::Hardswish,
    Activation::LeakyRelu { negative_slope: 0.0 },
];

fn values(formula: &Formula, x: &[f64], more: &[(Symbol, Vec<f64>)]) -> Vec<f64> {
    let mut values = Values::of(x);
    for (symbol, numbers) in more {
        values = values.with(*symbol, numbers.clone());
    }
    formula.values(values, &mut Branches::default())
}

/// The gradient that a formula states, for this gradient of its value.
fn gradient(formula: &Formula, x: &[f64], dy: &[f64], more: &[(Symbol, Vec<f64>)]) -> Vec<f64> {
    let branches = &mut Branches::default();
    let y = values(formula, x, more);
    let mut known = Values::of(x).with(Symbol::Y, y).with(Symbol::Gradient, dy.to_vec());
    for (symbol, numbers) in more {
        known = known.with(*symbol, numbers.clone());
    }
    let known = formula.define(known, branches);
    let mut found = formula.gradient.evaluate(&known, branches);
    found.resize(x.len(), found[0]);
    found
}

/// Holds the gradient of `Σ dy · y` that is stated against differences.
fn check(
    formula: &Formula,
    x: &[f64],
    dy: impl Fn(usize) -> f64,
    more: &[(Symbol, Vec<f64>)],
    what: &str,
) {
    let dy: Vec<f64> = (0..values(formula, x, more).len()).map(dy).collect();
    let found = gradient(formula, x, &dy, more);
    for at in 0..x.len() {
        let step = 1e-6;
        let moved = |sign: f64| {
            let mut x = x.to_vec();
            x[at] += sign * step;
            let y = values(formula, &x, more);
            y.iter().zip(&dy).map(|(y, dy)| y * dy).sum::<f64>()
        };
        let expected = (moved(1.0) - moved(-1.0)) / (2.0 * step);
        let error = (found[at] - expected).abs();
        assert!(error <= 1e-7 * expected.abs().max(1.0), "{what}: {} {expected}", found[at]);
    }
}

#[test]
fn the_gradients_that_are_stated_are_those_of_the_values() {
    let x = [-4.1, -1.3, -0.2, 0.4, 1.7, 2.9, 5.2, 7.5];
    let dy = |i: usize| 0.3 + 0.7 * i as f64;
    for f in ACTIVATIONS {
        check(&activation(f), &x, dy, &[], &format!("{f:?}"));
    }
    let (affine, eps) = (true, 1e-3);
    let ops = [
        Op::Scale { factor: -1.5 },
        Op::Softmax,
        Op::LogSoftmax,
        Op::GlobalAvgPool,
        Op::MaxPool2d { kernel: [2, 4], stride: [2, 4], padding: [0; 2], ceil_mode: false },
        Op::LayerNorm { affine, eps },
        Op::LayerNorm { affine: false, eps },
        Op::GroupNorm { num_groups: 1, affine, eps },
        Op::BatchNorm { affine, eps, momentum: 0.1 },
    ];
    let weight: Vec<f64> = (0..x.len()).map(|i| 1.0 + i as f64 / 4.0).collect();
    for op in ops {
        let more = [(Symbol::Weight, weight.clone()), (Symbol::Bias, vec![0.3; x.len()])];
        check(&of_op(&op).expect("a formula"), &x, dy, &more, op.kind());
    }
}

/// At a kink, forward mode takes the side of the gradient that is stated.
#[test]
fn both_modes_take_the_same_side_of_a_kink() {
    for f in ACTIVATIONS {
        let formula = activation(f);
        let x = [-3.0, 0.0, 3.0, 6.0];
        let duals = x.map(|value| Dual { value, tangent: 1.0 });
        let forward = formula.values(Values::of(&duals), &mut Branches::default());
        let reverse = gradient(&formula, &x, &[1.0; 4], &[]);
        for ((x, forward), reverse) in x.iter().zip(forward).zip(reverse) {
            let tangent = forward.tangent;
            assert!((tangent - reverse).abs() <= 1e-12, "{f:?} at {x}: {tangent} {reverse}");
        }
    }
}

#[test]
fn losses_are_those_of_the_formulas() {
    let x = [0.3_f32, -1.2, 2.5, 0.9];
    let target = [0.1_f32, 1.0, 0.4, 0.6];
    for LossFormula { name, formula, .. } in loss_formulas() {
        let mut found = [f32::NAN; 4];
        let class = 2;
        let (loss, of_class) = match name {
            "CrossEntropy" => (CrossEntropy::new().image(&x, &class, 1.0, &mut found), true),
            "NllLoss" => (NllLoss::new().image(&x, &class, 1.0, &mut found), true),
            "BinaryCrossEntropy" => {
                (BinaryCrossEntropy::new().image(&x, &target, 1.0, &mut found), false)
            }
            "MeanSquaredError" => {
                (MeanSquaredError::new().image(&x, &target, 1.0, &mut found), false)
            }
            "SumSquaredError" => {
                (SumSquaredError::new().image(&x, &target, 1.0, &mut found), false)
            }
            "Huber" => (Huber::new(1.0).image(&x, &target, 1.0, &mut found), false),
            name => panic!("a test for {name}"),
        };
        let wide: Vec<f64> = x.iter().map(|&x| x.into()).collect();
        let mut target: Vec<f64> = target.iter().map(|&t| t.into()).collect();
        if of_class {
            target = vec![0.0, 0.0, 1.0, 0.0];
        }
        let more = [(Symbol::Target, target)];
        let expected = values(&formula, &wide, &more);
        assert!((loss - expected[0]).abs() <= 1e-6, "{name}: {loss} {expected:?}");
        check(&formula, &wide, |_| 1.0, &more, name);
        // The gradient of the loss itself.
        let expected = gradient(&formula, &wide, &[1.0], &more);
        for (found, expected) in found.iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() <= 1e-6, "{name}: {found} {expected}");
        }
    }
}

/// What the documentation of a keyword states is the formula.
#[test]
fn the_documentation_shows_the_formulas() {
    let source = include_str!("../layers.rs");
    let mut docs = String::new();
    for line in source.lines() {
        let line = line.trim();
        match line.strip_prefix("///") {
            Some(doc) => docs += doc,
            None => {
                docs.push_str(&format!("\n{line}:"));
                // What stood before a keyword is its documentation.
            }
        }
    }
    let of = |keyword: &str| {
        let end = docs.find(&format!("\n{keyword}:")).expect("a keyword");
        let start = docs[..end].rfind(":").map_or(0, |at| docs[..at].rfind('\n').map_or(0, |n| n));
        docs[start..end].split_whitespace().collect::<Vec<&str>>().join(" ")
    };
    let formulas = ACTIVATIONS[1..10].iter().map(|&f| {
        let keyword = match f {
            Activation::LeakyRelu { .. } => "leaky_relu",
            Activation::Relu => "relu",
            Activation::Relu6 => "relu6",
            Activation::Sigmoid => "sigmoid",
            Activation::Tanh => "tanh",
            Activation::Gelu { .. } => "gelu",
            Activation::Silu => "silu",
            _ => "hardswish",
        };
        (keyword, activation(f))
    });
    let ops = [
        (Op::Softmax, "softmax"),
        (Op::LogSoftmax, "log_softmax"),
        (Op::LayerNorm { affine: true, eps: 1e-5 }, "layer_norm"),
        (Op::BatchNorm { affine: true, eps: 1e-5, momentum: 0.1 }, "batch_norm"),
        (Op::Scale { factor: 1.0 }, "scale"),
    ];
    let ops = ops.map(|(op, keyword)| (keyword, of_op(&op).expect("a formula")));
    for (keyword, formula) in formulas.chain(ops) {
        let value = format!("`{}`", formula.value.render(Style::Text, Names::PLAIN));
        let gradient = format!("`{}`", formula.gradient.render(Style::Text, Names::PLAIN));
        for text in [value, gradient] {
            assert!(of(keyword).contains(&text), "{keyword}: {text} is not in\n{}", of(keyword));
        }
    }
}

#[test]
fn formulas_are_written_as_in_a_textbook() {
    let text = |f| activation(f).gradient.render(Style::Text, Names::PLAIN);
    assert_eq!(text(Activation::Sigmoid), "∂L/∂y · y · (1 − y)");
    assert_eq!(text(Activation::Tanh), "∂L/∂y · (1 − y²)");
    let names = Names { x: "fc1", y: "relu_1", layer: "" };
    let latex = activation(Activation::Relu).gradient.render(Style::Latex, names);
    assert_eq!(latex, r"\frac{\partial L}{\partial \mathrm{relu\_1}} \cdot [\mathrm{relu\_1} > 0]");
}

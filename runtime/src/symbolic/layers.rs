//! The formulas of the layers that have no products with weights.

use typenet_shape::{Activation, Approximate, Op};

use super::expression::Relation::{First, Greater, Less};
use super::expression::Symbol::{
    Argument, Bias, Count, Deviation, Gradient, Inner, Largest, Mean, Normalized, Weight, Weighted,
    X, Y,
};
use super::expression::{
    Expression, Over, density, exp, is, larger, ln, logistic, mean, normal, over, root, smaller,
    sum, tanh,
};
use super::formula::Formula;

/// An activation's.
pub(crate) fn activation(f: Activation) -> Formula {
    match f {
        Activation::Identity => Formula::of_each(X.into(), 1.0.into()),
        Activation::Relu => Formula::of_each(larger(X, 0.0), is(Y, Greater, 0.0)),
        // A slope of 0 times infinity would be none.
        Activation::LeakyRelu { negative_slope: 0.0 } => activation(Activation::Relu),
        Activation::LeakyRelu { negative_slope } => {
            let slope = Argument("negative_slope", negative_slope.into());
            Formula::of_each(
                slope * X + (1.0 - slope) * larger(X, 0.0),
                is(X, Greater, 0.0) + slope * (1.0 - is(X, Greater, 0.0)),
            )
        }
        Activation::Relu6 => {
            Formula::of_each(smaller(larger(X, 0.0), 6.0), is(Y, Greater, 0.0) * is(Y, Less, 6.0))
        }
        Activation::Sigmoid => Formula::of_each(1.0 / (1.0 + exp(-X)), Y * (1.0 - Y)),
        Activation::Tanh => Formula::of_each(tanh(X), 1.0 - Expression::from(Y).power(2)),
        Activation::Gelu { approximate: Approximate::None } => {
            Formula::of_each(X * normal(X), normal(X) + X * density(X))
        }
        Activation::Gelu { approximate: Approximate::Tanh } => {
            const CUBIC: f64 = 0.044715;
            let factor = || root(2.0 / Argument("π", std::f64::consts::PI));
            let inner = factor() * (X + CUBIC * Expression::from(X).power(3));
            let slope =
                factor() * (1.0 + Expression::from(3.0 * CUBIC) * Expression::from(X).power(2));
            let formula = Formula::of_each(
                X * (1.0 + tanh(Inner)) / 2.0,
                (1.0 + tanh(Inner)) / 2.0 + X * (1.0 - tanh(Inner).power(2)) / 2.0 * slope,
            );
            Formula { definitions: vec![(Inner, inner)], ..formula }
        }
        Activation::Silu => {
            let slope = logistic(X) * (1.0 + X * (1.0 - logistic(X)));
            Formula::of_each(X * logistic(X), slope)
        }
        Activation::Hardswish => Formula::of_each(
            X * smaller(larger(X + 3.0, 0.0), 6.0) / 6.0,
            is(X, Greater, -3.0) * (is(X, Less, 3.0) * (2.0 * X - 3.0) / 6.0 + 1.0),
        ),
    }
}

/// That of a layer without products; `None` for others. A batch norm's is that of training.
pub(crate) fn of_op(op: &Op) -> Option<Formula> {
    Some(match *op {
        Op::Scale { factor } => {
            let factor = Argument("factor", factor.into());
            Formula::of_each(factor * X, factor.into())
        }
        Op::Softmax => Formula {
            set: "the channels at each position",
            definitions: vec![(Largest, over(Over::Largest, X))],
            value: exp(X - Largest) / sum(exp(X - Largest)),
            gradient: Y * (Gradient - sum(Y * Gradient)),
            parameters: None,
        },
        Op::LogSoftmax => Formula {
            set: "the channels at each position",
            definitions: vec![(Largest, over(Over::Largest, X))],
            value: X - Largest - ln(sum(exp(X - Largest))),
            gradient: Gradient - exp(Y) * sum(Gradient),
            parameters: None,
        },
        Op::MaxPool2d { .. } => Formula {
            set: "each window",
            definitions: Vec::new(),
            value: over(Over::Largest, X),
            gradient: Gradient * is(X, First, Y),
            parameters: None,
        },
        Op::AvgPool2d { .. } => average("each window"),
        Op::GlobalAvgPool => average("each channel"),
        Op::BatchNorm { affine, eps, .. } => {
            norm("each channel, in all images of the batch", affine, eps)
        }
        Op::LayerNorm { affine, eps } => norm("all numbers of an image", affine, eps),
        Op::GroupNorm { affine, eps, .. } => {
            norm("each group of channels of an image", affine, eps)
        }
        op => activation(op.activation()?),
    })
}

fn average(set: &'static str) -> Formula {
    let (value, gradient) = (sum(X) / Count, Gradient / Count);
    Formula { set, definitions: Vec::new(), value, gradient, parameters: None }
}

fn norm(set: &'static str, affine: bool, eps: f32) -> Formula {
    let eps = Argument("eps", eps.into());
    let mut definitions = vec![
        (Mean, mean(X)),
        (Deviation, root(mean((X - Mean).power(2)) + eps)),
        (Normalized, (X - Mean) / Deviation),
    ];
    let value = if affine { Weight * Normalized + Bias } else { Normalized.into() };
    let inner = if affine { Weighted } else { Gradient };
    if affine {
        definitions.push((Weighted, Weight * Gradient));
    }
    Formula {
        set,
        definitions,
        value,
        gradient: (inner - mean(inner) - Normalized * mean(inner * Normalized)) / Deviation,
        parameters: affine.then(|| [Gradient * Normalized, Gradient.into()]),
    }
}

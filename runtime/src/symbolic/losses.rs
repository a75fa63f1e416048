//! The formulas of the losses, for one image: of its outputs `x` and its target `t`.

use super::expression::Symbol::{Argument, Count, Largest, Target, X};
use super::expression::{
    Expression, Over, exp, larger, ln, logistic, magnitude, mean, over, smaller, sum,
};
use super::formula::Formula;

/// A loss of one image and its gradient.
#[derive(Clone, PartialEq, Debug)]
pub struct LossFormula {
    /// Its type in [`loss`](crate::loss).
    pub name: &'static str,
    /// What the target is.
    pub target: &'static str,
    /// The value, and the gradient `∂L/∂x` with `∂L/∂y` being 1.
    pub formula: Formula,
}

/// Those of all losses; Huber's with a `delta` of 1.
pub fn loss_formulas() -> Vec<LossFormula> {
    let of = |name, target, definitions, value, gradient| {
        let set = "the outputs of an image";
        let formula = Formula { set, definitions, value, gradient, parameters: None };
        LossFormula { name, target, formula }
    };
    let difference = || Expression::from(X) - Target;
    let delta = Argument("delta", 1.0);
    let classes = "1 for the image's class, 0 for the others";
    vec![
        of(
            "CrossEntropy",
            classes,
            vec![(Largest, over(Over::Largest, X))],
            -sum(Target * (X - Largest - ln(sum(exp(X - Largest))))),
            exp(X - Largest) / sum(exp(X - Largest)) - Target,
        ),
        of("NllLoss", classes, vec![], -sum(Target * X), -Target),
        of(
            "BinaryCrossEntropy",
            "between 0 and 1 for each output",
            vec![],
            mean(larger(X, 0.0) - Target * X + ln(1.0 + exp(-magnitude(X)))),
            (logistic(X) - Target) / Count,
        ),
        of(
            "MeanSquaredError",
            "a number for each output",
            vec![],
            mean(difference().power(2)),
            2.0 * difference() / Count,
        ),
        of(
            "SumSquaredError",
            "a number for each output",
            vec![],
            sum(difference().power(2)),
            2.0 * difference(),
        ),
        of(
            "Huber",
            "a number for each output",
            vec![],
            mean(
                smaller(magnitude(difference()), delta).power(2) / 2.0
                    + delta * larger(magnitude(difference()) - delta, 0.0),
            ),
            larger(smaller(difference(), delta), -delta) / Count,
        ),
    ]
}

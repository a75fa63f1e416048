use super::evaluate::{Branches, Values};
use super::expression::{Expression, Symbol};
use super::number::Number;

/// What a layer computes, and how the gradient goes through it.
#[derive(Clone, PartialEq, Debug)]
pub struct Formula {
    /// Which numbers are a set: "each number", "each window".
    pub set: &'static str,
    /// What symbols of the following stand for, in order.
    pub definitions: Vec<(Symbol, Expression)>,
    /// `y`, of `x`.
    pub value: Expression,
    /// `∂L/∂x`, of `x`, `y` and `∂L/∂y`.
    pub gradient: Expression,
    /// What each number adds to `∂L/∂γ` and `∂L/∂β`, where there are such parameters.
    pub parameters: Option<[Expression; 2]>,
}

impl Formula {
    /// Of each number by itself: `y = f(x)`, and its slope, of `x` or `y`.
    pub(super) fn of_each(value: Expression, slope: Expression) -> Formula {
        let gradient = match slope {
            Expression::Number(1.0) => Symbol::Gradient.into(),
            slope => Symbol::Gradient * slope,
        };
        Formula { set: "each number", definitions: Vec::new(), value, gradient, parameters: None }
    }

    /// The numbers of [`value`](Self::value) for a set.
    pub(crate) fn values<T: Number>(
        &self,
        values: Values<'_, T>,
        branches: &mut Branches,
    ) -> Vec<T> {
        let known = self.define(values, branches);
        self.value.evaluate(&known, branches)
    }

    /// The values with what is defined of them.
    pub(crate) fn define<'a, T: Number>(
        &self,
        mut values: Values<'a, T>,
        branches: &mut Branches,
    ) -> Values<'a, T> {
        for (symbol, expression) in &self.definitions {
            // Running statistics take the place of those of the set.
            if values.knows(*symbol) {
                continue;
            }
            let numbers = expression.evaluate(&values, branches);
            values = values.with(*symbol, numbers);
        }
        values
    }
}

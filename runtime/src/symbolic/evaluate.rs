use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::expression::{Expression, Function, Over, Relation, Symbol};
use super::number::Number;

/// What the symbols of a formula stand for: as many numbers as the set has, or one for all.
#[derive(Clone, Debug)]
pub(crate) struct Values<'a, T: Number = f64> {
    known: Vec<(Symbol, Cow<'a, [T]>)>,
    len: usize,
}

/// A number that differs where another side of a kink was taken.
#[derive(Debug, Default)]
pub(crate) struct Branches(DefaultHasher);

impl Branches {
    fn see(&mut self, choice: impl Hash) {
        choice.hash(&mut self.0);
    }

    pub(crate) fn number(&self) -> u64 {
        self.0.finish()
    }
}

impl<'a, T: Number> Values<'a, T> {
    /// A set of these numbers.
    pub(crate) fn of(x: &'a [T]) -> Values<'a, T> {
        Values { known: vec![(Symbol::X, Cow::Borrowed(x))], len: x.len() }
    }

    /// And what this symbol stands for.
    pub(crate) fn with(mut self, symbol: Symbol, numbers: impl Into<Cow<'a, [T]>>) -> Self {
        self.known.push((symbol, numbers.into()));
        self
    }

    /// How many numbers the set has.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether a symbol stands for something already.
    pub(super) fn knows(&self, symbol: Symbol) -> bool {
        self.known.iter().any(|(known, _)| *known == symbol)
    }

    fn get(&self, symbol: Symbol) -> Cow<'_, [T]> {
        let own = self.known.iter().rev().find(|(known, _)| *known == symbol);
        match (own, symbol) {
            (Some((_, numbers)), _) => Cow::Borrowed(&**numbers),
            (None, Symbol::Argument(_, value)) => Cow::Owned(vec![value.into()]),
            (None, Symbol::Count) => Cow::Owned(vec![(self.len as f64).into()]),
            (None, Symbol::Weight) => Cow::Owned(vec![1.0.into()]),
            (None, Symbol::Bias) => Cow::Owned(vec![0.0.into()]),
            // A formula that asks for what it does not have is wrong everywhere.
            (None, _) => Cow::Owned(vec![f64::NAN.into()]),
        }
    }
}

/// 1 or 0.
fn truth<T: Number>(is_so: bool) -> T {
    f64::from(u8::from(is_so)).into()
}

impl Expression {
    /// Its numbers: one for each of the set, or one for all.
    pub(crate) fn evaluate<T: Number>(
        &self,
        values: &Values<'_, T>,
        branches: &mut Branches,
    ) -> Vec<T> {
        let mut both = |a: &Expression, b: &Expression, f: &mut dyn FnMut(T, T) -> T| {
            let (a, b) = (a.evaluate(values, branches), b.evaluate(values, branches));
            let len = if a.len() == 1 { b.len() } else { a.len() };
            let at = |numbers: &[T], i: usize| numbers[if numbers.len() == 1 { 0 } else { i }];
            (0..len).map(|i| f(at(&a, i), at(&b, i))).collect::<Vec<T>>()
        };
        match self {
            Expression::Number(number) => vec![(*number).into()],
            Expression::Symbol(symbol) => values.get(*symbol).into_owned(),
            Expression::Negative(a) => map(a.evaluate(values, branches), |a| -a),
            Expression::Sum(a, b) => both(a, b, &mut |a, b| a + b),
            Expression::Difference(a, b) => both(a, b, &mut |a, b| a - b),
            Expression::Product(a, b) => both(a, b, &mut |a, b| a * b),
            Expression::Quotient(a, b) => both(a, b, &mut |a, b| a / b),
            Expression::Power(a, n) => map(a.evaluate(values, branches), |a| {
                (1..*n).fold(if *n == 0 { 1.0.into() } else { a }, |power, _| power * a)
            }),
            Expression::Call(function, a) => {
                map(a.evaluate(values, branches), |a| a.apply(*function))
            }
            Expression::Larger(a, b) | Expression::Smaller(a, b) => {
                let is_larger = matches!(self, Expression::Larger(..));
                let mut seen = Vec::new();
                let numbers = both(a, b, &mut |a, b| {
                    let (one, other) = (a.value(), b.value());
                    // Of equal ones the second, a constant in `max(x, 0)`: at a kink the slope is 0.
                    let takes_b = if is_larger { one <= other } else { one >= other };
                    seen.push(takes_b);
                    if takes_b { b } else { a }
                });
                branches.see(seen);
                numbers
            }
            Expression::Is(Relation::First, a, b) => {
                let mut found = false;
                both(a, b, &mut |a, b| {
                    // As where the largest number is NaN: the first place.
                    let is_first = !found && (a.value() == b.value() || b.value().is_nan());
                    found |= is_first;
                    truth(is_first)
                })
            }
            Expression::Is(Relation::Greater, a, b) => {
                both(a, b, &mut |a, b| truth(a.value() > b.value()))
            }
            Expression::Is(Relation::Less, a, b) => {
                both(a, b, &mut |a, b| truth(a.value() < b.value()))
            }
            Expression::Over(over, a) => {
                let mut numbers = a.evaluate(values, branches);
                if numbers.len() == 1 {
                    numbers.resize(values.len, numbers[0]);
                }
                let sum = || numbers.iter().copied().sum::<T>();
                vec![match over {
                    Over::Sum => sum(),
                    Over::Mean => sum() / (numbers.len() as f64).into(),
                    Over::Largest => {
                        let mut best = 0;
                        for (i, number) in numbers.iter().enumerate() {
                            let value = number.value();
                            if value > numbers[best].value() || value.is_nan() {
                                best = i;
                            }
                        }
                        branches.see(best);
                        numbers[best]
                    }
                }]
            }
        }
    }
}

fn map<T: Number>(mut numbers: Vec<T>, f: impl Fn(T) -> T) -> Vec<T> {
    numbers.iter_mut().for_each(|number| *number = f(*number));
    numbers
}

impl Function {
    pub(super) fn value(self, a: f64) -> f64 {
        match self {
            Function::Exp => a.exp(),
            Function::Ln => a.ln(),
            Function::Tanh => a.tanh(),
            Function::Logistic => 1.0 / (1.0 + (-a).exp()),
            Function::Normal => 0.5 * libm::erfc(-a * std::f64::consts::FRAC_1_SQRT_2),
            Function::NormalDensity => (-0.5 * a * a).exp() / (2.0 * std::f64::consts::PI).sqrt(),
            Function::Root => a.sqrt(),
            Function::Magnitude => a.abs(),
        }
    }
}

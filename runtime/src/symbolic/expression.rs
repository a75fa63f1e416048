use std::ops::{Add, Div, Mul, Neg, Sub};

/// A formula of some numbers, which are a set: those of a window, of a channel, of an image. What stands
/// for each number of the set is computed for each; what is over the set is one number.
#[derive(Clone, PartialEq, Debug)]
pub enum Expression {
    /// A constant.
    Number(f64),
    /// A quantity with a name.
    Symbol(Symbol),
    /// `−a`
    Negative(Box<Expression>),
    /// `a + b`
    Sum(Box<Expression>, Box<Expression>),
    /// `a − b`
    Difference(Box<Expression>, Box<Expression>),
    /// `a · b`
    Product(Box<Expression>, Box<Expression>),
    /// `a / b`
    Quotient(Box<Expression>, Box<Expression>),
    /// `aⁿ`
    Power(Box<Expression>, u8),
    /// A function of one number.
    Call(Function, Box<Expression>),
    /// `max(a, b)`; `b` of equal ones, `a` where either is NaN.
    Larger(Box<Expression>, Box<Expression>),
    /// `min(a, b)`, likewise.
    Smaller(Box<Expression>, Box<Expression>),
    /// `[a > b]`: 1 where that is so, else 0.
    Is(Relation, Box<Expression>, Box<Expression>),
    /// One number of the whole set.
    Over(Over, Box<Expression>),
}

/// A quantity with a name.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Symbol {
    /// What the layer reads: `x`.
    X,
    /// What it gives: `y`.
    Y,
    /// The gradient of the loss with respect to that: `∂L/∂y`.
    Gradient,
    /// The target of a loss: `t`.
    Target,
    /// The weight of a norm: `γ`.
    Weight,
    /// Its bias: `β`.
    Bias,
    /// What the sum over a window is divided by, or how many outputs there are: `n`.
    Count,
    /// The mean: `μ`.
    Mean,
    /// The square root of the variance and `eps`: `σ`.
    Deviation,
    /// `(x − μ) / σ`: `x̂`.
    Normalized,
    /// `γ · ∂L/∂y`: `q`.
    Weighted,
    /// The largest number of the set: `m`.
    Largest,
    /// What a function is of: `u`.
    Inner,
    /// An argument of the layer.
    Argument(&'static str, f64),
}

/// A function of one number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Function {
    /// `eᵃ`
    Exp,
    /// `ln a`
    Ln,
    /// `tanh a`
    Tanh,
    /// `1 / (1 + e⁻ᵃ)`
    Logistic,
    /// The normal distribution `Φ(a)`.
    Normal,
    /// Its density `φ(a)`.
    NormalDensity,
    /// `√a`
    Root,
    /// `|a|`
    Magnitude,
}

/// How two numbers compare.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relation {
    /// `a > b`
    Greater,
    /// `a < b`
    Less,
    /// `a` is the first number of the set that is equal to `b`.
    First,
}

/// What makes one number of a set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Over {
    /// `Σ`
    Sum,
    /// The mean.
    Mean,
    /// The largest.
    Largest,
}

impl Expression {
    /// `aⁿ`
    #[must_use]
    pub fn power(self, exponent: u8) -> Expression {
        Expression::Power(Box::new(self), exponent)
    }
}

macro_rules! operators {
    ($($operator:ident $method:ident $variant:ident)*) => {
        $(
            impl<T: Into<Expression>> $operator<T> for Expression {
                type Output = Expression;

                fn $method(self, other: T) -> Expression {
                    Expression::$variant(Box::new(self), Box::new(other.into()))
                }
            }

            impl<T: Into<Expression>> $operator<T> for Symbol {
                type Output = Expression;

                fn $method(self, other: T) -> Expression {
                    Expression::from(self).$method(other)
                }
            }

            impl $operator<Expression> for f64 {
                type Output = Expression;

                fn $method(self, other: Expression) -> Expression {
                    Expression::from(self).$method(other)
                }
            }

            impl $operator<Symbol> for f64 {
                type Output = Expression;

                fn $method(self, other: Symbol) -> Expression {
                    Expression::from(self).$method(other)
                }
            }
        )*
    };
}

operators! { Add add Sum  Sub sub Difference  Mul mul Product  Div div Quotient }

impl Neg for Expression {
    type Output = Expression;

    fn neg(self) -> Expression {
        Expression::Negative(Box::new(self))
    }
}

impl Neg for Symbol {
    type Output = Expression;

    fn neg(self) -> Expression {
        -Expression::from(self)
    }
}

impl From<f64> for Expression {
    fn from(number: f64) -> Expression {
        Expression::Number(number)
    }
}

impl From<Symbol> for Expression {
    fn from(symbol: Symbol) -> Expression {
        Expression::Symbol(symbol)
    }
}

macro_rules! calls {
    ($($name:ident $variant:ident)*) => {
        $(
            pub(super) fn $name(argument: impl Into<Expression>) -> Expression {
                Expression::Call(Function::$variant, Box::new(argument.into()))
            }
        )*
    };
}

calls! {
    exp Exp  ln Ln  tanh Tanh  logistic Logistic  normal Normal  density NormalDensity  root Root
    magnitude Magnitude
}

pub(super) fn larger(a: impl Into<Expression>, b: impl Into<Expression>) -> Expression {
    Expression::Larger(Box::new(a.into()), Box::new(b.into()))
}

pub(super) fn smaller(a: impl Into<Expression>, b: impl Into<Expression>) -> Expression {
    Expression::Smaller(Box::new(a.into()), Box::new(b.into()))
}

pub(super) fn is(a: impl Into<Expression>, how: Relation, b: impl Into<Expression>) -> Expression {
    Expression::Is(how, Box::new(a.into()), Box::new(b.into()))
}

pub(super) fn over(over: Over, what: impl Into<Expression>) -> Expression {
    Expression::Over(over, Box::new(what.into()))
}

pub(super) fn sum(what: impl Into<Expression>) -> Expression {
    over(Over::Sum, what)
}

pub(super) fn mean(what: impl Into<Expression>) -> Expression {
    over(Over::Mean, what)
}

use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub};

use super::expression::Function;

/// What formulas are computed with: numbers, or numbers that move.
pub(crate) trait Number:
    Copy
    + Send
    + Sync
    + From<f64>
    + Neg<Output = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + AddAssign
    + MulAssign
    + Sum
    + 'static
{
    /// The number itself, by which a kink takes its side.
    fn value(self) -> f64;

    /// A function of it.
    fn apply(self, function: Function) -> Self;
}

impl Number for f64 {
    fn value(self) -> f64 {
        self
    }

    fn apply(self, function: Function) -> f64 {
        function.value(self)
    }
}

/// A number and how fast it moves: forward mode, number by number (Clifford 1873).
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Dual {
    pub(crate) value: f64,
    pub(crate) tangent: f64,
}

impl From<f64> for Dual {
    fn from(value: f64) -> Dual {
        Dual { value, tangent: 0.0 }
    }
}

impl Neg for Dual {
    type Output = Dual;

    fn neg(self) -> Dual {
        Dual { value: -self.value, tangent: -self.tangent }
    }
}

impl Add for Dual {
    type Output = Dual;

    fn add(self, other: Dual) -> Dual {
        Dual { value: self.value + other.value, tangent: self.tangent + other.tangent }
    }
}

impl Sub for Dual {
    type Output = Dual;

    fn sub(self, other: Dual) -> Dual {
        self + -other
    }
}

impl Mul for Dual {
    type Output = Dual;

    fn mul(self, other: Dual) -> Dual {
        let tangent = self.tangent * other.value + self.value * other.tangent;
        Dual { value: self.value * other.value, tangent }
    }
}

impl Div for Dual {
    type Output = Dual;

    fn div(self, other: Dual) -> Dual {
        let value = self.value / other.value;
        Dual { value, tangent: (self.tangent - value * other.tangent) / other.value }
    }
}

impl AddAssign for Dual {
    fn add_assign(&mut self, other: Dual) {
        *self = *self + other;
    }
}

impl MulAssign for Dual {
    fn mul_assign(&mut self, other: Dual) {
        *self = *self * other;
    }
}

impl Sum for Dual {
    fn sum<I: Iterator<Item = Dual>>(all: I) -> Dual {
        all.fold(Dual::default(), Add::add)
    }
}

impl Number for Dual {
    fn value(self) -> f64 {
        self.value
    }

    fn apply(self, function: Function) -> Dual {
        let value = function.value(self.value);
        let slope = match function {
            Function::Exp => value,
            Function::Ln => 1.0 / self.value,
            Function::Tanh => 1.0 - value * value,
            Function::Logistic => value * (1.0 - value),
            Function::Normal => Function::NormalDensity.value(self.value),
            Function::NormalDensity => -self.value * value,
            Function::Root => 0.5 / value,
            Function::Magnitude if self.value == 0.0 => 0.0,
            Function::Magnitude => self.value.signum(),
        };
        Dual { value, tangent: slope * self.tangent }
    }
}

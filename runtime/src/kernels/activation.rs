//! Activations.

use typenet_shape::Activation;

use super::math;
use super::simd::{Kernel, Simd};
use super::{Isa, Lanes};

/// `y = f(x)`; NaN stays NaN.
///
/// # Panics
/// When the lengths differ, or this machine lacks `isa`.
pub fn forward(isa: Isa, f: Activation, x: &[Lanes], y: &mut [Lanes]) {
    y.copy_from_slice(x);
    forward_in_place(isa, f, y);
}

/// `y = f(y)`
pub(super) fn forward_in_place(isa: Isa, f: Activation, y: &mut [Lanes]) {
    isa.run(Forward { f, y });
}

/// `dy = dy · f'(x)`, from `y = f(x)`: for a relu `dy` where `y` is positive and else 0, for a
/// sigmoid `dy y (1 − y)`, for tanh `dy (1 − y²)`.
///
/// # Panics
/// As [`forward`].
pub fn backward_in_place(isa: Isa, f: Activation, y: &[Lanes], dy: &mut [Lanes]) {
    assert_eq!(y.len(), dy.len(), "the lengths of a value and its gradient");
    isa.run(Backward { f, y, dy });
}

struct Forward<'a> {
    f: Activation,
    y: &'a mut [Lanes],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // One loop for each function, since each has other constants to hold in registers.
        match self.f {
            Activation::Identity => {}
            Activation::Relu => forward_loop(s, Activation::Relu, self.y),
            Activation::Sigmoid => forward_loop(s, Activation::Sigmoid, self.y),
            Activation::Tanh => forward_loop(s, Activation::Tanh, self.y),
            Activation::LeakyRelu { negative_slope } => {
                forward_loop(s, Activation::LeakyRelu { negative_slope }, self.y);
            }
        }
    }
}

#[inline(always)]
fn forward_loop<S: Simd>(s: S, f: Activation, y: &mut [Lanes]) {
    for y in y {
        for part in 0..S::PARTS {
            let v = math::activate(s, f, s.load(y, part));
            s.store(y, part, v);
        }
    }
}

struct Backward<'a> {
    f: Activation,
    y: &'a [Lanes],
    dy: &'a mut [Lanes],
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        match self.f {
            Activation::Identity => {}
            Activation::Relu => backward_loop(s, Activation::Relu, self.y, self.dy),
            Activation::Sigmoid => backward_loop(s, Activation::Sigmoid, self.y, self.dy),
            Activation::Tanh => backward_loop(s, Activation::Tanh, self.y, self.dy),
            Activation::LeakyRelu { negative_slope } => {
                backward_loop(s, Activation::LeakyRelu { negative_slope }, self.y, self.dy);
            }
        }
    }
}

#[inline(always)]
fn backward_loop<S: Simd>(s: S, f: Activation, y: &[Lanes], dy: &mut [Lanes]) {
    let (zero, one) = (s.splat(0.0), s.splat(1.0));
    for (y, dy) in y.iter().zip(dy) {
        for part in 0..S::PARTS {
            let (v, d) = (s.load(y, part), s.load(dy, part));
            let d = match f {
                Activation::Identity => d,
                // Where y is NaN the gradient passes, rather than hide it.
                Activation::Relu => s.select_lt(zero, v, d, s.unless_nan(v, zero)),
                Activation::LeakyRelu { negative_slope } => {
                    let less = s.mul(d, s.splat(negative_slope));
                    s.select_lt(zero, v, d, less)
                }
                Activation::Sigmoid => s.mul(d, s.mul(v, s.sub(one, v))),
                Activation::Tanh => s.mul(d, s.sub(one, s.mul(v, v))),
            };
            s.store(dy, part, d);
        }
    }
}

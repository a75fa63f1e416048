//! Activations.

use typenet_shape::{Activation, Approximate};

use super::simd::{Kernel, Simd};
use super::{Isa, Lanes, fused, gated};

/// `y = f(x)`; NaN stays NaN.
///
/// # Panics
/// When the lengths differ, or this machine lacks `isa`.
pub fn forward(isa: Isa, f: Activation, x: &[Lanes], y: &mut [Lanes]) {
    y.copy_from_slice(x);
    forward_in_place(isa, f, y);
}

/// `y = f(y)`; NaN stays NaN.
///
/// # Panics
/// When this machine lacks `isa`.
pub fn forward_in_place(isa: Isa, f: Activation, y: &mut [Lanes]) {
    isa.run(Forward { f, y });
}

/// `dy = dy · f'(x)`, from `y = f(x)`: `dy` where `y` is positive and else 0 for a relu, likewise between 0
/// and 6 for a relu6, `dy y (1 − y)` for a sigmoid, `dy (1 − y²)` for tanh.
///
/// # Panics
/// As [`forward`], or when the slope is no function of the value; see [`Activation::from_output`].
pub fn backward_in_place(isa: Isa, f: Activation, y: &[Lanes], dy: &mut [Lanes]) {
    assert_eq!(y.len(), dy.len(), "the lengths of a value and its gradient");
    assert!(f.from_output(), "the slope of {f:?} is no function of its value");
    isa.run(Backward { f, y, dy });
}

/// `dy = dy · f'(x)`, from `x`, for the functions whose slope does not follow from their value.
///
/// # Panics
/// As [`forward`], or when the slope is a function of the value.
pub fn backward_from_input(isa: Isa, f: Activation, x: &[Lanes], dy: &mut [Lanes]) {
    assert_eq!(x.len(), dy.len(), "the lengths of a value and its gradient");
    assert!(!f.from_output(), "the slope of {f:?} is a function of its value");
    isa.run(BackwardFromInput { f, x, dy });
}

const EXACT_GELU: Activation = Activation::Gelu { approximate: Approximate::None };
const TANH_GELU: Activation = Activation::Gelu { approximate: Approximate::Tanh };

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
            Activation::Relu6 => forward_loop(s, Activation::Relu6, self.y),
            Activation::Sigmoid => forward_loop(s, Activation::Sigmoid, self.y),
            Activation::Tanh => forward_loop(s, Activation::Tanh, self.y),
            Activation::LeakyRelu { negative_slope } => {
                forward_loop(s, Activation::LeakyRelu { negative_slope }, self.y);
            }
            Activation::Silu => forward_loop(s, Activation::Silu, self.y),
            Activation::Hardswish => forward_loop(s, Activation::Hardswish, self.y),
            EXACT_GELU => forward_loop(s, EXACT_GELU, self.y),
            TANH_GELU => forward_loop(s, TANH_GELU, self.y),
        }
    }
}

#[inline(always)]
fn forward_loop<S: Simd>(s: S, f: Activation, y: &mut [Lanes]) {
    for y in y {
        for part in 0..S::PARTS {
            let v = fused::activate(s, f, s.load(y, part));
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
            Activation::Relu6 => backward_loop(s, Activation::Relu6, self.y, self.dy),
            Activation::Sigmoid => backward_loop(s, Activation::Sigmoid, self.y, self.dy),
            Activation::Tanh => backward_loop(s, Activation::Tanh, self.y, self.dy),
            Activation::LeakyRelu { negative_slope } => {
                backward_loop(s, Activation::LeakyRelu { negative_slope }, self.y, self.dy);
            }
            // These are not from the output.
            Activation::Gelu { .. } | Activation::Silu | Activation::Hardswish => {}
        }
    }
}

#[inline(always)]
fn backward_loop<S: Simd>(s: S, f: Activation, y: &[Lanes], dy: &mut [Lanes]) {
    let one = s.splat(1.0);
    for (y, dy) in y.iter().zip(dy) {
        for part in 0..S::PARTS {
            let (v, d) = (s.load(y, part), s.load(dy, part));
            let d = match f {
                Activation::Sigmoid => s.mul(d, s.mul(v, s.sub(one, v))),
                Activation::Tanh => s.mul(d, s.sub(one, s.mul(v, v))),
                _ => fused::Fused::split(f).0.gradient(s, v, d),
            };
            s.store(dy, part, d);
        }
    }
}

struct BackwardFromInput<'a> {
    f: Activation,
    x: &'a [Lanes],
    dy: &'a mut [Lanes],
}

impl Kernel for BackwardFromInput<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let BackwardFromInput { f, x, dy } = self;
        match f {
            Activation::Silu => slope_loop(s, Activation::Silu, x, dy),
            Activation::Hardswish => slope_loop(s, Activation::Hardswish, x, dy),
            EXACT_GELU => slope_loop(s, EXACT_GELU, x, dy),
            TANH_GELU => slope_loop(s, TANH_GELU, x, dy),
            _ => {}
        }
    }
}

#[inline(always)]
fn slope_loop<S: Simd>(s: S, f: Activation, x: &[Lanes], dy: &mut [Lanes]) {
    for (x, dy) in x.iter().zip(dy) {
        for part in 0..S::PARTS {
            let slope = gated::slope(s, f, s.load(x, part));
            let d = s.mul(s.load(dy, part), slope);
            s.store(dy, part, d);
        }
    }
}

//! A value times a constant.

use super::simd::{Kernel, Simd};
use super::{Isa, Lanes};

/// `y = factor · x`; overwrites `y`. The gradient is the same of the gradient.
///
/// # Panics
/// When the lengths differ, or this machine lacks `isa`.
pub fn scale(isa: Isa, factor: f32, x: &[Lanes], y: &mut [Lanes]) {
    assert_eq!(x.len(), y.len(), "the lengths of two values");
    isa.run(Scale { factor, x, y });
}

struct Scale<'a> {
    factor: f32,
    x: &'a [Lanes],
    y: &'a mut [Lanes],
}

impl Kernel for Scale<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let factor = s.splat(self.factor);
        for (x, y) in self.x.iter().zip(self.y) {
            for part in 0..S::PARTS {
                let product = s.mul(s.load(x, part), factor);
                s.store(y, part, product);
            }
        }
    }
}

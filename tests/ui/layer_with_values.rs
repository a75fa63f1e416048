//! `#[typenet::layer]` with values.
use typenet::prelude::*;

use typenet::own::{Gradients, Layer, Parameters, Shape, ShapeError};

pub struct Swirl(usize);

#[typenet::layer(3)]
impl Swirl {
    pub const fn new(turns: usize) -> Swirl {
        Swirl(turns)
    }
    pub const fn output(self, input: Shape) -> Result<Shape, ShapeError> {
        Ok(input)
    }
}

impl Layer for Swirl {
    fn forward(&self, _: Shape, _: Parameters<'_>, x: &[f32], y: &mut [f32]) {
        y.copy_from_slice(x);
    }
    fn backward(
        &self,
        _: Shape,
        _: Parameters<'_>,
        _: &[f32],
        dy: &[f32],
        dx: &mut [f32],
        _: Gradients<'_>,
    ) {
        dx.copy_from_slice(dy);
    }
    fn reference(&self, _: Shape, _: Parameters<'_, f64>, x: &[f64], y: &mut [f64]) {
        y.copy_from_slice(x);
    }
}

network! {
    struct Net: [3, 32, 32] -> [10] {
        twist: self::Swirl(3),
        flatten,
        linear(10),
    }
}

fn main() {}

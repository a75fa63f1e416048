//! `#[typenet::layer]` on a type that does not say what it computes.
use typenet::prelude::*;

use typenet::own::{Shape, ShapeError};

pub struct Swirl(usize);

#[typenet::layer]
impl Swirl {
    pub const fn new(turns: usize) -> Swirl {
        Swirl(turns)
    }
    pub const fn output(self, input: Shape) -> Result<Shape, ShapeError> {
        Ok(input)
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

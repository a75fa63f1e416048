//! Another net that takes an input of another shape.
use typenet::prelude::*;

mod nets {
    typenet::network! {
        pub struct Backbone: [3, 32, 32] -> [8, 16, 16] {
            conv2d(8, kernel = 3, padding = 1), relu, max_pool2d(2),
        }
    }
}

network! {
    struct Net: [3, 64, 64] -> [10] {
        conv2d(3, kernel = 3), relu,
        features: nets::Backbone,
        flatten,
        linear(10),
    }
}

fn main() {}

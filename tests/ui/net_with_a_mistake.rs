//! Another net that has a mistake of its own: that alone is said.
use typenet::prelude::*;

mod nets {
    typenet::network! {
        pub struct Backbone: [3, 32, 32] -> [8, 16, 16] {
            conv2d(8, kernal = 3), relu, max_pool2d(2),
        }
    }
}

network! {
    struct Net: [3, 64, 64] -> [10] {
        features: nets::Backbone,
        flatten,
        linear(10),
    }
}

fn main() {}

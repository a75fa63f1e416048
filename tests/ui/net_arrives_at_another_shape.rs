//! What stands behind another net needs another shape.
use typenet::prelude::*;

mod nets {
    typenet::network! {
        pub struct Backbone: [3, 32, 32] -> [8, 16, 16] {
            conv2d(8, kernel = 3, padding = 1), relu, max_pool2d(2),
        }
    }
}

network! {
    struct Net: [3, 32, 32] -> [10] {
        features: nets::Backbone,
        fc: linear(10),
    }
}

fn main() {}

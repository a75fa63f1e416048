//! The shape of another net that is the last layer is not the declared one.
use typenet::prelude::*;

mod nets {
    typenet::network! {
        pub struct Backbone: [3, 32, 32] -> [8, 16, 16] {
            conv2d(8, kernel = 3, padding = 1), relu, max_pool2d(2),
        }
    }
}

network! {
    struct Net: [3, 32, 32] -> [8, 32, 32] {
        nets::Backbone,
    }
}

fn main() {}

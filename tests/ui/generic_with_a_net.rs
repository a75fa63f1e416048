//! A net with generics and another net in it.
use typenet::prelude::*;

network! {
    pub struct Backbone: [3, 32, 32] -> [8, 16, 16] {
        conv2d(8, kernel = 3, padding = 1), relu, max_pool2d(2),
    }
}

network! {
    struct Net<const HIDDEN: usize>: [3, 32, 32] -> [10] {
        features: Backbone,
        flatten,
        linear(HIDDEN), relu,
        linear(10),
    }
}

fn main() {}

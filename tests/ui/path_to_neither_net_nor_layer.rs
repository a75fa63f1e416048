//! A path to a type that is neither a net nor a layer.
use typenet::prelude::*;

mod my {
    pub struct Swirl;
}

network! {
    struct Net: [3, 32, 32] -> [10] {
        conv2d(8, kernel = 3), relu,
        twist: my::Swirl,
        flatten,
        linear(10),
    }
}

fn main() {}

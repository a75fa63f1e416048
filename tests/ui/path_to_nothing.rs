//! A path to a type that does not exist.
use typenet::prelude::*;

mod my {}

network! {
    struct Net: [3, 32, 32] -> [10] {
        twist: my::Swirl(3),
        flatten,
        linear(10),
    }
}

fn main() {}

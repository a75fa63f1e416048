//! A net as a layer of itself.
use typenet::prelude::*;

network! {
    struct Net: [3, 32, 32] -> [3, 32, 32] {
        conv2d(3, kernel = 3, padding = 1), relu,
        again: Net,
    }
}

fn main() {}

//! Something else than a struct.
use typenet::prelude::*;

network! {
    enum Net: [1, 8, 8] -> [10] {
        flatten,
        fc: linear(10),
    }
}

fn main() {}

//! A net with several inputs as a layer of another one.
use typenet::prelude::*;

mod nets {
    typenet::network! {
        pub struct Fuse: (image: [3, 8, 8], pose: [6]) -> [4] {
            from(image), flatten, concat(pose), linear(4),
        }
    }
}

network! {
    struct Net: [3, 8, 8] -> [10] {
        fused: nets::Fuse,
        linear(10),
    }
}

fn main() {}

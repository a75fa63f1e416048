//! Braces first, where several inputs could be read.
use typenet::prelude::*;

network! {
    pub struct Net: (image: [3, 8, 8], pose: [6]) -> [10] {
        residual { from(image), conv2d(3, kernel = 1) }
        flatten, concat(pose),
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    assert_eq!(net.clone(), net);
}

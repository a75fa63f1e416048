//! A first layer that does not say which of several inputs it reads.
use typenet::prelude::*;

network! {
    pub struct Net: (image: [3, 8, 8], pose: [6]) -> [10] {
        conv1: conv2d(8, kernel = 3), relu,
        flatten, concat(pose),
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    assert_eq!(net.clone(), net);
}

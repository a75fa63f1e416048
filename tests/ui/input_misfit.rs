//! A layer that does not fit the input from which it starts.
use typenet::prelude::*;

network! {
    pub struct Net: (image: [3, 8, 8], pose: [6]) -> [10] {
        from(pose),
        conv1: conv2d(8, kernel = 3), flatten,
        concat(image),
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    assert_eq!(net.clone(), net);
}

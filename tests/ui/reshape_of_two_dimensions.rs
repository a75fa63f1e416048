//! A shape that is neither an image nor features.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        reshape([8, 8]),
        flatten,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

//! A reshape to a constant's size.
use typenet::prelude::*;

const SIDE: usize = 8;

network! {
    pub struct Net: [3, 8, 8] -> [10] {
        reshape([3, self::SIDE * 4, 4]),
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

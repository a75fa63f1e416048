//! An input of a constant that is 0.
use typenet::prelude::*;

const SIDE: usize = 0;

network! {
    pub struct Net: [3, self::SIDE, 8] -> [10] {
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

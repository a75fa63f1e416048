//! An input of a constant that is too large.
use typenet::prelude::*;

const SIDE: usize = 100_000;

network! {
    pub struct Net: [3, self::SIDE, self::SIDE] -> [10] {
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

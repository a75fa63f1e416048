//! A product with a factor for another number of channels.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 32, 32] -> [10] {
        skip: conv2d(16, kernel = 1), relu,
        global_avg_pool,
        gate: linear(8), sigmoid,
        factor: relu,
        from(skip),
        mul(factor),
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.gate.weight[0]);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

//! Pooling on features.
use typenet::prelude::*;

network! {
    pub struct Net: [64] -> [10] {
        fc1: linear(32), relu,
        max_pool2d(2),
        fc2: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?} {:?}", &net.fc1.weight[0], &net.fc2.weight[0]);
    assert_eq!(net.clone(), net);
}

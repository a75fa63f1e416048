//! Inputs with names, which are to come.
use typenet::prelude::*;

network! {
    pub struct Net: (image: [3, 32, 32], pose: [6]) -> [10] {
        conv1: conv2d(8, kernel = 1),
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.conv1.weight[0]);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

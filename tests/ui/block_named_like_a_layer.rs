//! A block with the name of a layer.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 32, 32] -> [10] {
        block relu() { tanh }

        conv1: conv2d(3, kernel = 1),
        relu,
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

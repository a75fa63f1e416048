//! A comment of Python's.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 8, 8] -> [10] {
        conv1: conv2d(4, kernel = 3), relu, # the first layer
        flatten,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?} {:?}", &net.conv1.weight[0], &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

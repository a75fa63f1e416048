//! A constant of the program that makes a kernel too large.
use typenet::prelude::*;

const KERNEL: usize = 5;

network! {
    pub struct Net: [1, 12, 12] -> [10] {
        conv1: conv2d(6, kernel = 5), relu,
        max_pool2d(2),
        conv2: conv2d(16, kernel = crate::KERNEL), relu,
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

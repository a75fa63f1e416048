//! Rounding up the size of a convolution.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 9, 9] -> [10] {
        conv1: conv2d(4, kernel = 3, ceil_mode = true),
        max_pool2d(2),
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

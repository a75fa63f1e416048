//! Flags in other letters, and in another word.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 9, 9] -> [10] {
        conv1: conv2d(4, kernel = 3, bias = no),
        max_pool2d(3, stride = 2, ceil_mode = TRUE),
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

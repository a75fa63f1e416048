//! A layer that does not fit, and behind it groups that fit no input.
use typenet::prelude::*;

network! {
    pub struct Net: [8, 12, 12] -> [10] {
        conv1: conv2d(16, kernel = 15),
        relu,
        conv2: conv2d(8, kernel = 3, groups = 3),
        conv3: conv2d(9, kernel = 1, groups = 3),
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

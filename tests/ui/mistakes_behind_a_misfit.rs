//! A layer that does not fit, and behind it mistakes in numbers by themselves.
use typenet::prelude::*;

network! {
    pub struct Net: [8, 12, 12] -> [10] {
        conv1: conv2d(16, kernel = 15),
        group_norm(5),
        max_pool2d(2, padding = 2),
        conv2: conv2d(9, kernel = 3, stride = 0),
        dropout(1.5),
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

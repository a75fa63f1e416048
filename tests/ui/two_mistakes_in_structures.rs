//! Two mistakes that have nothing to do with each other.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 32, 32] -> [10] {
        conv1: conv2d(8, kernel = 3, padding = 1), relu,
        residual {
            conv2d(16, kernel = 3, padding = 1),
        }
        relu,
        repeat(2) {
            conv2d(8, kernel = 3, padd = 1),
        }
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

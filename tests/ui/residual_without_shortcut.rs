//! The body of a residual changes the shape.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 32, 32] -> [10] {
        conv1: conv2d(32, kernel = 3, padding = 1), relu,
        residual {
            conv2d(64, kernel = 3, stride = 2, padding = 1), relu,
            conv2d(64, kernel = 3, padding = 1),
        }
        relu,
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.conv2d_3.weight[0]);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

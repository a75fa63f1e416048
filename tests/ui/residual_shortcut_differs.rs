//! The shortcut arrives at another shape than the body.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 32, 32] -> [10] {
        residual {
            conv2d(64, kernel = 3, stride = 2, padding = 1),
        } shortcut {
            conv2d(64, kernel = 1),
        }
        relu,
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.conv2d_2.weight[0]);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

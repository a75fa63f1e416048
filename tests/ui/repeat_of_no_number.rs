//! A repeat by something that is no constant.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 32, 32] -> [10] {
        rest: repeat(DEPTH) {
            conv2d(8, kernel = 1),
        }
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.rest.0.conv2d_1.weight[0]);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

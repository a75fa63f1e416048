//! Numbers whose product no machine holds.
use typenet::prelude::*;

network! {
    pub struct Net: [8, 12, 12] -> [10] {
        conv1: conv2d(18446744073709551615, kernel = 3),
        conv2: depthwise_conv2d(1, multiplier = 18446744073709551615),
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

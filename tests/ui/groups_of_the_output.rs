//! Groups that divide the input channels and not the output channels.
use typenet::prelude::*;

network! {
    pub struct Net: [8, 12, 12] -> [10] {
        conv1: conv2d(6, kernel = 3, groups = 4),
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

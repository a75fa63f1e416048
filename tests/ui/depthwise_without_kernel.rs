//! A depthwise convolution takes no output channels, but a kernel.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        conv1: depthwise_conv2d(stride = 2), relu,
        flatten,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

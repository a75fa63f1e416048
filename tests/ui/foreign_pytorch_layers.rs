//! Layers as PyTorch calls them.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 8, 8] -> [10] {
        conv1: Conv2d(3, 4, 3), BatchNorm2d(4), ReLU(inplace = True), MaxPool2d(2, 2),
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

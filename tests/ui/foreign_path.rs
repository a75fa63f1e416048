//! A layer by a path into another library.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 8, 8] -> [10] {
        conv1: nn::Conv2d(3, 4, 3), F::relu(x),
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

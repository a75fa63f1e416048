//! Groups of channels that are not equally many.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        conv1: conv2d(6, kernel = 3), group_norm(4), relu,
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

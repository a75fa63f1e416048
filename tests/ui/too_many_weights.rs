//! Weights that no machine holds.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        flatten,
        fc1: linear(4000000000000000000), relu,
        fc2: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?} {:?}", &net.fc1.weight[0], &net.fc2.weight[0]);
    assert_eq!(net.clone(), net);
}

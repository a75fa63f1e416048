//! A division by a constant of the program that is 0.
use typenet::prelude::*;

const PARTS: usize = 0;

network! {
    pub struct Net: [8] -> [10] {
        fc: linear(16 / crate::PARTS),
        relu,
        linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

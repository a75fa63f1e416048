//! A constant of the program that is not the declared output.
use typenet::prelude::*;

const CLASSES: usize = 10;

network! {
    pub struct Net: [1, 8, 8] -> [crate::CLASSES] {
        flatten,
        fc: linear(12),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

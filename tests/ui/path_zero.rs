//! A constant of the program that is 0.
use typenet::prelude::*;

const CLASSES: usize = 0;

network! {
    pub struct Net: [8] -> [crate::CLASSES] {
        fc: linear(crate::CLASSES),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

//! A constant of the program that is no usize.
use typenet::prelude::*;

const CLASSES: u32 = 10;

network! {
    pub struct Net: [8] -> [10] {
        fc: linear(crate::CLASSES),
        relu,
        linear(crate::CLASSES),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

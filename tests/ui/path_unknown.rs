//! A constant that the program does not have.
use typenet::prelude::*;

const CLASSES: usize = 10;

network! {
    pub struct Net: [8] -> [crate::CLASSES] {
        fc: linear(crate::CLASSES),
        relu,
        linear(crate::CLASES),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

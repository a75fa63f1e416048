//! A generic of zero.
use typenet::prelude::*;

network! {
    pub struct Net<const HIDDEN: usize>: [784] -> [10] {
        fc1: linear(HIDDEN), relu,
        fc2: linear(10),
    }
}

fn main() {
    let net = Net::<0>::seeded(1);
    println!("{}", net.parameters_flat().len());
    assert!(net.clone() == net);
}

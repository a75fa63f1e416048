//! A number of features that the size does not give.
use typenet::prelude::*;

network! {
    pub struct Net<const SIDE: usize, const FEATURES: usize>: [1, SIDE, SIDE] -> [10] {
        conv1: conv2d(8, kernel = 3, padding = 1), relu,
        max_pool2d(2),
        reshape(FEATURES),
        fc: linear(10),
    }
}

fn main() {
    let net = Net::<12, 300>::seeded(1);
    println!("{}", net.parameters_flat().len());
    assert!(net.clone() == net);
}

//! A size that is too small for a kernel.
use typenet::prelude::*;

network! {
    pub struct Net<const SIDE: usize>: [1, SIDE, SIDE] -> [10] {
        conv1: conv2d(6, kernel = 5), relu,
        max_pool2d(2),
        conv2: conv2d(16, kernel = 5), relu,
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::<12>::seeded(1);
    println!("{}", net.parameters_flat().len());
    assert!(net.clone() == net);
}

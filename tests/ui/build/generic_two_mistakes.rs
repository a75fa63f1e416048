//! A choice of generics with two mistakes.
use typenet::prelude::*;

network! {
    pub struct Net<const KERNEL: usize, const OUT: usize>: [3, 8, 8] -> [10] {
        conv1: conv2d(8, kernel = KERNEL), relu,
        global_avg_pool,
        fc1: linear(24), reshape([OUT, 2, 2]),
        conv2: conv2d(10, kernel = 1),
        global_avg_pool,
    }
}

fn main() {
    let net = Net::<9, 5>::seeded(1);
    println!("{}", net.parameters_flat().len());
    assert!(net.clone() == net);
}

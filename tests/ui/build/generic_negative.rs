//! A difference of generics that is negative.
use typenet::prelude::*;

network! {
    pub struct Net<const C: usize>: [3, 8, 8] -> [10] {
        max_pool2d(C - 4),
        conv1: conv2d(C, kernel = 1), relu,
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::<2>::seeded(1);
    println!("{}", net.parameters_flat().len());
    assert!(net.clone() == net);
}

//! A residual whose generics differ.
use typenet::prelude::*;

network! {
    pub struct Net<const A: usize, const B: usize>: [3, 8, 8] -> [10] {
        conv1: conv2d(A, kernel = 1), relu,
        residual { conv2d(B, kernel = 1), relu }
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::<4, 8>::seeded(1);
    println!("{}", net.parameters_flat().len());
    assert!(net.clone() == net);
}

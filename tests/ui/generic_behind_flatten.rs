//! A quotient of generics behind `flatten`.
use typenet::prelude::*;

network! {
    pub struct Net<const SIDE: usize>: [1, SIDE, SIDE] -> [10] {
        conv1: conv2d(8, kernel = 3, padding = 1), relu,
        max_pool2d(2),
        flatten,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::<8>::seeded(1);
    println!("{:?}", net.parameters_flat().len());
    assert_eq!(net.clone(), net);
}

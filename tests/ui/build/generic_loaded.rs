//! A choice of generics that is loaded with a mistake.
use typenet::prelude::*;

network! {
    pub struct Net<const SIDE: usize>: [1, SIDE, SIDE] -> [10] {
        conv1: conv2d(6, kernel = 5), relu,
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::<4>::from_bytes(&[]);
    println!("{}", net.is_ok());
}

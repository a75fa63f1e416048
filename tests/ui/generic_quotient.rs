//! Parameters of a quotient of generics.
use typenet::prelude::*;

network! {
    pub struct Net<const C: usize>: [3, 16, 16] -> [10] {
        conv1: conv2d(C, kernel = 3, padding = 1), relu,
        squeeze: conv2d(C / 4, kernel = 1), relu,
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::<8>::seeded(1);
    println!("{:?}", net.parameters_flat().len());
    assert_eq!(net.clone(), net);
}

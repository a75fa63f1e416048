//! An input of a generic of zero.
use typenet::prelude::*;

network! {
    pub struct Net<const SIDE: usize>: [1, SIDE, SIDE] -> [10] {
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::<0>::seeded(1);
    println!("{}", net.parameters_flat().len());
    assert!(net.clone() == net);
}

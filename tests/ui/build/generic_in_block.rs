//! A generic that a block cannot take.
use typenet::prelude::*;

network! {
    pub struct Net<const KERNEL: usize>: [3, 8, 8] -> [10] {
        block stage(out, kernel) {
            conv2d(out, kernel = kernel), relu,
        }

        stage(8, kernel = 3),
        stage(8, kernel = KERNEL),
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::<9>::seeded(1);
    println!("{}", net.parameters_flat().len());
    assert!(net.clone() == net);
}

//! Branches of which one has a constant's kernel.
use typenet::prelude::*;

const KERNEL: usize = 3;

network! {
    pub struct Net: [3, 8, 8] -> [10] {
        concat {
            branch { conv2d(8, kernel = 1) }
            wide: branch { conv2d(8, kernel = crate::KERNEL) }
        }
        flatten,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

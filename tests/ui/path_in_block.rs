//! A constant that a block cannot take.
use typenet::prelude::*;

const KERNEL: usize = 9;

network! {
    pub struct Net: [3, 8, 8] -> [10] {
        block stage(out, kernel) {
            conv2d(out, kernel = kernel), relu,
        }

        stage(8, kernel = 3),
        stage(8, kernel = crate::KERNEL),
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

//! A constant that is declared further down.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 32, 32] -> [10] {
        const WIDTH: usize = DEPTH * 2;
        const DEPTH: usize = 4;

        conv1: conv2d(WIDTH, kernel = DEPTH),
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

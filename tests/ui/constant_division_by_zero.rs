//! A division by a difference that is zero.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 32, 32] -> [10] {
        const WIDTH: usize = 8;
        const HALF: usize = WIDTH / (WIDTH - 8);

        conv1: conv2d(HALF, kernel = 1),
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

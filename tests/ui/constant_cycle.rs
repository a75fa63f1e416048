//! Two constants that are made of each other.
use typenet::prelude::*;

network! {
    pub struct Net: [8, 12, 12] -> [10] {
        const WIDTH: usize = DEPTH * 2;
        const DEPTH: usize = WIDTH / 2;

        conv1: conv2d(WIDTH, kernel = 3),
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

//! A value is dropped and nothing reads it.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 32, 32] -> [10] {
        stem: conv2d(8, kernel = 3),
        from(input),
        conv2d(8, kernel = 1),
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.stem.weight[0]);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

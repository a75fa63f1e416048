//! A shape with the batch in it.
use typenet::prelude::*;

network! {
    pub struct Net: [8, 12, 12] -> [10] {
        image: reshape([1, 8, 12, 12]),
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

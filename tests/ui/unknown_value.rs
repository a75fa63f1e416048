//! A name that no value has.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 32, 32] -> [10] {
        skip: conv2d(8, kernel = 3, padding = 1), relu,
        conv2d(8, kernel = 1),
        add(skpi),
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.skip.weight[0]);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

//! More layers than a net may have.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 32, 32] -> [10] {
        repeat(100) { repeat(100) { relu } }
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

//! More pixels than a value may hold.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 64, 64] -> [10] {
        upsample(4096),
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

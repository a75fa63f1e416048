//! Several inputs without names.
use typenet::prelude::*;

network! {
    pub struct Net: ([3, 8, 8], [6]) -> [10] {
        flatten,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    assert_eq!(net.clone(), net);
}

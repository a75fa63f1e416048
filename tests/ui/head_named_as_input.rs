//! A head with the name of an input.
use typenet::prelude::*;

network! {
    pub struct Net: (pose: [6]) -> (pose: [6]) {
        linear(6),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    assert_eq!(net.clone(), net);
}

//! Parentheses without a head.
use typenet::prelude::*;

network! {
    pub struct Net: [6] -> () {
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    assert_eq!(net.clone(), net);
}

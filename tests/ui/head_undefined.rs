//! A head without a layer at all.
use typenet::prelude::*;

network! {
    pub struct Net: [6] -> (class: [10], depth: [1, 4, 4]) {
        linear(16), trunk: relu,
        class: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    assert_eq!(net.clone(), net);
}

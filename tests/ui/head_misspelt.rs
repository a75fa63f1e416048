//! A layer whose name is nearly that of a head.
use typenet::prelude::*;

network! {
    pub struct Net: [6] -> (class: [10], bbox: [4]) {
        linear(16), trunk: relu,
        clas: linear(10),
        from(trunk), bbox: linear(4),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    assert_eq!(net.clone(), net);
}

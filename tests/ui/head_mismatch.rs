//! A head of another shape than is declared.
use typenet::prelude::*;

network! {
    pub struct Net: [6] -> (class: [10], bbox: [4]) {
        linear(16), trunk: relu,
        class: linear(10),
        from(trunk), bbox: linear(5),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    assert_eq!(net.clone(), net);
}

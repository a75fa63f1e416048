//! A head inside a block.
use typenet::prelude::*;

network! {
    pub struct Net: [6] -> (class: [10]) {
        block last { class: linear(10) }
        linear(8), relu, last,
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    assert_eq!(net.clone(), net);
}

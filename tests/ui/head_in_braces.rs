//! A head inside a residual.
use typenet::prelude::*;

network! {
    pub struct Net: [6] -> (class: [10], bbox: [6]) {
        residual { bbox: linear(6) }
        class: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    assert_eq!(net.clone(), net);
}

//! Two heads of the same name.
use typenet::prelude::*;

network! {
    pub struct Net: [6] -> (class: [10], class: [10]) {
        class: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    assert_eq!(net.clone(), net);
}

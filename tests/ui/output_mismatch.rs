//! The layers arrive at another shape than the header says.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        conv2d(4, kernel = 3), relu,
        flatten,
        linear(12),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    assert_eq!(net.clone(), net);
}

//! An image that is not the net's input.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        flatten,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{}", net.predict(&[[[0.0; 9]; 9]]));
}

//! A new net without a seed.
use typenet::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        fc: linear(2),
    }
}

fn main() {
    let net = Net::new();
    println!("{}", net.predict(&[0.5; 4]));
}

//! An image as a flat array.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        flatten,
        fc: linear(10),
    }
}


fn main() {
    println!("{:?}", Net::seeded(1).top_k(&[0.0; 64], 3));
}

//! An image by value.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        flatten,
        fc: linear(10),
    }
}


fn main() {
    println!("{:?}", Net::seeded(1).output([[[0.0; 8]; 8]]));
}

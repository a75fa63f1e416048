//! An image of bytes.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        flatten,
        fc: linear(10),
    }
}


fn main() {
    let image = [[[0_u8; 8]; 8]];
    println!("{}", Net::seeded(1).predict(&image));
}

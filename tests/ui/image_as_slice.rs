//! An image as a slice.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        flatten,
        fc: linear(10),
    }
}


fn main() {
    let numbers = vec![0.0_f32; 64];
    println!("{:?}", Net::seeded(1).probabilities(&numbers[..]));
}

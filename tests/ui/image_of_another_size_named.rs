//! An image of another size, in a variable.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        flatten,
        fc: linear(10),
    }
}


fn main() {
    let image = [[[0.0_f32; 9]; 9]];
    println!("{}", Net::seeded(1).predict(&image));
}

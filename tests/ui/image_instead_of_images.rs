//! One image where many are expected.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        flatten,
        fc: linear(10),
    }
}


fn main() {
    println!("{:?}", Net::seeded(1).predict_batch(&[[[0.0; 8]; 8]]));
}

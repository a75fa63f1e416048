//! Images as vectors.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        flatten,
        fc: linear(10),
    }
}


fn main() {
    let images: Vec<Vec<f32>> = vec![vec![0.0; 64]; 2];
    println!("{:?}", Net::seeded(1).predict_batch(&images));
}

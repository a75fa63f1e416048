//! A net with type parameters.
use typenet::prelude::*;

network! {
    pub struct Net<T>: [1, 8, 8] -> [10] {
        flatten,
        fc: linear(10),
    }
}

fn main() {
    println!("{:?}", Net::seeded(1));
}

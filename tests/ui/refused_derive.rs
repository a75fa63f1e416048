//! A trait that the net implements already.
use typenet::prelude::*;

network! {
    #[derive(Clone, Default)]
    pub struct Net: [1, 8, 8] -> [10] {
        flatten,
        fc: linear(10),
    }
}

fn main() {
    println!("{:?}", Net::seeded(1));
}

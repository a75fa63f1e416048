//! A class of a net with several heads.
use typenet::prelude::*;

network! {
    pub struct Net: [6] -> (class: [10], bbox: [4]) {
        linear(16), trunk: relu,
        class: linear(10),
        from(trunk), bbox: linear(4),
    }
}

fn main() {
    println!("{}", Net::seeded(1).predict(&[0.0; 6]));
}

//! A net with several heads as a layer of another one.
use typenet::prelude::*;

network! {
    struct Both: [8] -> (class: [3], size: [2]) {
        class: linear(3),
        from(input), size: linear(2),
    }
}

network! {
    pub struct Net: [8] -> [3] {
        self::Both,
    }
}

fn main() {
    println!("{}", Net::seeded(1).parameters_flat().len());
}

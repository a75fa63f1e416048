//! A head whose width the compiler alone knows, of another than is declared.
use typenet::prelude::*;

const CLASSES: usize = 10;

network! {
    pub struct Net: (image: [3, 8, 8], pose: [6]) -> (class: [8], bbox: [4]) {
        from(image), flatten, concat(pose),
        linear(16), trunk: relu,
        class: linear(self::CLASSES),
        from(trunk), bbox: linear(4),
    }
}

fn main() {
    println!("{}", Net::seeded(1).parameters_flat().len());
}

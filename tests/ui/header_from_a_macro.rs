//! A size of zero in a header that a macro writes.
use typenet::prelude::*;

macro_rules! classifiers {
    ($($name:ident: $channels:expr, $side:literal;)*) => {
        $(network! {
            pub struct $name: [$channels, $side, $side] -> [10] {
                conv1: conv2d(4, kernel = 3), relu,
                flatten,
                fc: linear(10),
            }
        })*
    };
}

classifiers! {
    Small: 1, 8;
    Large: 3, 0;
}

fn main() {
    let (small, large) = (Small::seeded(1), Large::seeded(1));
    let image = [[[0.5; 32]; 32]; 3];
    println!("{}", small.predict(&[[[0.5; 8]; 8]]));
    println!("{} {}", large.predict(&image), large.output(&image)[3]);
    println!("{}", large.conv1.weight[0][2][1][1]);
}

//! A repeat that shrinks too far for a constant's image.
use typenet::prelude::*;

const SIDE: usize = 8;

network! {
    pub struct Net: [3, self::SIDE, self::SIDE] -> [10] {
        repeat(4) { conv2d(8, kernel = 3), relu }
        flatten,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

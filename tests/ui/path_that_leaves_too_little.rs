//! A constant of the program that leaves too little of the image.
use typenet::prelude::*;

const SIDE: usize = 9;

network! {
    pub struct Net: [1, self::SIDE, self::SIDE] -> [10] {
        conv1: conv2d(6, kernel = 5), relu,
        max_pool2d(2),
        conv2: conv2d(16, kernel = 3), relu,
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

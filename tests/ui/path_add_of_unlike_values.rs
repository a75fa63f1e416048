//! A sum of values of which one has a constant's channels.
use typenet::prelude::*;

const WIDTH: usize = 6;

network! {
    pub struct Net: [3, 8, 8] -> [10] {
        skip: conv2d(crate::WIDTH, kernel = 3, padding = 1),
        conv2d(8, kernel = 3, padding = 1),
        add(skip),
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

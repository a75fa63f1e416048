//! A transposed convolution of which nothing is left.
use typenet::prelude::*;

network! {
    pub struct Net: [4, 2, 2] -> [10] {
        up: conv_transpose2d(2, kernel = 3, padding = 2), relu,
        flatten,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?} {:?}", &net.up.weight[0], &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

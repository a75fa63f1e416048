//! Groups that do not divide the channels of a transposed convolution.
use typenet::prelude::*;

network! {
    pub struct Net: [4, 8, 8] -> [10] {
        up: conv_transpose2d(6, kernel = 3, groups = 4), relu,
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

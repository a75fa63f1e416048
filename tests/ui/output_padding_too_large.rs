//! An output padding of a whole step.
use typenet::prelude::*;

network! {
    pub struct Net: [4, 8, 8] -> [10] {
        up: conv_transpose2d(2, kernel = 3, stride = 2, output_padding = 2), relu,
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

//! Groups that do not divide the channels of a constant.
use typenet::prelude::*;

const WIDTH: usize = 6;

network! {
    pub struct Net: [3, 8, 8] -> [10] {
        conv2d(crate::WIDTH, kernel = 3), relu,
        conv2: conv2d(8, kernel = 3, groups = 4),
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

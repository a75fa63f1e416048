//! Two mistakes with constants of the program.
use typenet::prelude::*;

const WIDTH: usize = 6;
const HIDDEN: usize = 0;

network! {
    pub struct Net: [3, 8, 8] -> [10] {
        conv1: conv2d(crate::WIDTH, kernel = 3, groups = crate::WIDTH),
        flatten,
        linear(20),
        linear(crate::HIDDEN),
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

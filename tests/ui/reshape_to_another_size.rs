//! Another shape that does not hold the numbers.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        flatten, wide: linear(60), relu,
        reshape([4, 4, 4]),
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

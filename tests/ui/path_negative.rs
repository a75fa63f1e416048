//! A difference of constants of the program that is negative.
use typenet::prelude::*;

const SIDE: usize = 3;

network! {
    pub struct Net: [8] -> [10] {
        fc: linear(self::SIDE - 4),
        relu,
        linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

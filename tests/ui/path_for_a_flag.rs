//! A constant of the program where a flag belongs.
use typenet::prelude::*;

const BIAS: bool = false;

network! {
    pub struct Net: [8] -> [10] {
        fc: linear(10, bias = crate::BIAS),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

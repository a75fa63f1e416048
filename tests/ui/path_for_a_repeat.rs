//! A constant of the program that says how often.
use typenet::prelude::*;

const ROUNDS: usize = 3;

network! {
    pub struct Net: [8] -> [10] {
        repeat(crate::ROUNDS) { linear(8), relu }
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

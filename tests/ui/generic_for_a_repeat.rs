//! A generic that says how often.
use typenet::prelude::*;

network! {
    pub struct Net<const ROUNDS: usize>: [8] -> [10] {
        repeat(ROUNDS) { linear(8), relu }
        fc: linear(10),
    }
}

fn main() {
    let net = Net::<8>::seeded(1);
    println!("{:?}", net.parameters_flat().len());
    assert_eq!(net.clone(), net);
}

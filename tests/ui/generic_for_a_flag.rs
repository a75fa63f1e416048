//! A generic for what is no number.
use typenet::prelude::*;

network! {
    pub struct Net<const BIAS: usize>: [8] -> [10] {
        hidden: linear(BIAS), relu,
        fc: linear(10, bias = BIAS),
    }
}

fn main() {
    let net = Net::<8>::seeded(1);
    println!("{:?}", net.parameters_flat().len());
    assert_eq!(net.clone(), net);
}

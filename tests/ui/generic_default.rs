//! A generic with a default.
use typenet::prelude::*;

network! {
    pub struct Net<const W: usize = 32>: [8] -> [10] {
        hidden: linear(W), relu,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::<8>::seeded(1);
    println!("{:?}", net.parameters_flat().len());
    assert_eq!(net.clone(), net);
}

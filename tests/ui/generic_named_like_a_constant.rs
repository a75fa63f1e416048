//! A constant with the name of a generic.
use typenet::prelude::*;

network! {
    pub struct Net<const W: usize>: [8] -> [10] {
        const W: usize = 4;
        hidden: linear(W), relu,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::<8>::seeded(1);
    println!("{:?}", net.parameters_flat().len());
    assert_eq!(net.clone(), net);
}

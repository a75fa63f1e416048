//! A generic in lower case.
use typenet::prelude::*;

network! {
    pub struct Net<const width: usize>: [8] -> [10] {
        hidden: linear(width), relu,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::<8>::seeded(1);
    println!("{:?}", net.parameters_flat().len());
    assert_eq!(net.clone(), net);
}

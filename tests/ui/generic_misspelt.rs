//! A generic with another name.
use typenet::prelude::*;

network! {
    pub struct Net<const HIDDEN: usize>: [8] -> [10] {
        hidden: linear(HIDEN), relu,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::<8>::seeded(1);
    println!("{:?}", net.parameters_flat().len());
    assert_eq!(net.clone(), net);
}

//! Two generics of one name.
use typenet::prelude::*;

network! {
    pub struct Net<const W: usize, const W: usize>: [8] -> [10] {
        hidden: linear(W), relu,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::<8>::seeded(1);
    println!("{:?}", net.parameters_flat().len());
    assert_eq!(net.clone(), net);
}

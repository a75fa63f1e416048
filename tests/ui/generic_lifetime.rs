//! A net with a lifetime.
use typenet::prelude::*;

network! {
    pub struct Net<'a, const W: usize>: [W] -> [10] {
        fc: linear(10),
    }
}

fn main() {
    let net = Net::<8>::seeded(1);
    println!("{:?}", net.parameters_flat().len());
    assert_eq!(net.clone(), net);
}

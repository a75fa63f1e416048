//! An output that computes with a generic.
use typenet::prelude::*;

network! {
    pub struct Net<const W: usize>: [8] -> [W + 2] {
        hidden: linear(W), relu,
        concat {
            branch { linear(W) }
            branch { linear(2) }
        }
    }
}

fn main() {
    let net = Net::<8>::seeded(1);
    println!("{:?}", net.parameters_flat().len());
    assert_eq!(net.clone(), net);
}

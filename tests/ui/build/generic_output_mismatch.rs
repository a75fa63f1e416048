//! Layers that arrive at another number than the header's generic.
use typenet::prelude::*;

network! {
    pub struct Net<const C: usize, const OUT: usize>: [4] -> [OUT] {
        fc1: linear(C), relu,
        concat {
            branch { linear(C) }
            branch { linear(2) }
        }
    }
}

fn main() {
    let net = Net::<8, 11>::seeded(1);
    println!("{}", net.parameters_flat().len());
    assert!(net.clone() == net);
}

//! A case that passes is built, and with it those beside it.
use typenet::prelude::*;

network! {
    pub struct Net<const HIDDEN: usize>: [784] -> [10] {
        fc1: linear(HIDDEN), relu,
        fc2: linear(10),
    }
}

fn main() {
    let net = Net::<8>::seeded(1);
    assert_eq!(net.fc1.bias, [0.0; 8]);
}

//! A large output by value, whose size is a generic.
use typenet::prelude::*;

network! {
    pub struct Net<const N: usize>: [4] -> [N] {
        fc: linear(N),
    }
}

fn main() {
    let net = Net::<20_000>::seeded(1);
    println!("{}", net.output(&[0.5; 4])[0]);
}

//! An input without a shape.
use typenet::prelude::*;

network! {
    pub struct Net: (image: [3, 8, 8], pose) -> [10] {
        from(image),
        flatten, concat(pose),
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    assert_eq!(net.clone(), net);
}

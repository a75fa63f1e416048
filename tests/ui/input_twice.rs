//! Two inputs of the same name.
use typenet::prelude::*;

network! {
    pub struct Net: (image: [3, 8, 8], image: [6]) -> [10] {
        from(image),
        flatten, fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    assert_eq!(net.clone(), net);
}

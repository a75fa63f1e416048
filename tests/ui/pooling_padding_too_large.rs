//! Pooling windows that lie in the border alone.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        max_pool2d(2, padding = 2),
        flatten,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

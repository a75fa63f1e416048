//! A factor that an f32 cannot hold.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        scale(-1e40),
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

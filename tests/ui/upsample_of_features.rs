//! Only images can be enlarged.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        flatten,
        upsample(2),
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

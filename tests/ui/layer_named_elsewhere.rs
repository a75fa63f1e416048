//! A layer by the name that another library gives it.
use typenet::prelude::*;

network! {
    pub struct Net: [4, 8, 8] -> [10] {
        up: deconv2d(6, kernel = 2, stride = 2), hard_swish,
        flatten,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?} {:?}", &net.up.weight[0], &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

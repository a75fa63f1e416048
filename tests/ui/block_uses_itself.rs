//! Blocks that would never end.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 32, 32] -> [10] {
        block outer(out) {
            conv2d(out, kernel = 1),
            inner(out),
        }
        block inner(out) {
            relu,
            outer(out),
        }

        a: outer(3),
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.a.conv2d_1.weight[0]);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

//! A value without a name after one with a name.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 32, 32] -> [10] {
        block basic(out, stride) {
            conv2d(out, kernel = 1, stride = stride),
        }

        a: basic(out = 3, 3),
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

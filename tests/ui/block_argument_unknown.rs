//! A misspelt argument of a block.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 32, 32] -> [10] {
        block basic(out, stride = 1) {
            conv2d(out, kernel = 3, stride = stride, padding = 1), relu,
        }

        a: basic(8, strid = 2),
        b: basic(8),
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

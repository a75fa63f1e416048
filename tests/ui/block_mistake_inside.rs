//! A mistake in a block is said once, where it is.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 32, 32] -> [10] {
        block basic(out) {
            conv2d(out, kernel_size = 3), relu,
        }

        a: basic(8),
        rest: repeat(3) { basic(8) }
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

//! A block reads a name outside of it.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 32, 32] -> [10] {
        block gated(out) {
            conv2d(out, kernel = 1),
            mul(gate),
        }

        gate: sigmoid,
        a: gated(3),
        b: gated(3),
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.b.conv2d_1.weight[0]);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

//! `from` makes no value.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 32, 32] -> [10] {
        a: conv2d(3, kernel = 1),
        b: from(a),
        relu,
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.a.weight[0]);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

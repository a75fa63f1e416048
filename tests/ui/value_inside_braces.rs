//! A name inside braces is read outside of them.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 32, 32] -> [10] {
        residual {
            inner: conv2d(3, kernel = 1), relu,
        }
        add(inner),
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.inner.weight[0]);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

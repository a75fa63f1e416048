//! Three constants that are made of each other, and one that is made of them.
use typenet::prelude::*;

network! {
    pub struct Net: [8, 12, 12] -> [10] {
        const A: usize = C + 1;
        const B: usize = A;
        const C: usize = B;
        const D: usize = 2 * A;

        conv1: conv2d(A, kernel = 3),
        conv2: conv2d(D, kernel = C),
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

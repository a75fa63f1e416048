//! A kernel that does not fit, in a block within a block.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 32, 32] -> [10] {
        block inner(out, kernel) {
            conv2d(out, kernel = kernel), relu,
        }
        block outer(out) {
            first: inner(out, 3),
            second: inner(out, 33),
        }

        stage: repeat(2) { outer(8) }
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.stage.0.second.conv2d_1.weight[0]);
    println!("{:?}", &net.stage.1.first.conv2d_1.weight[0]);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

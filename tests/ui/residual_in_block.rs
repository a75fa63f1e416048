//! A residual of a block whose body changes the shape, at one of its uses.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 32, 32] -> [10] {
        block basic(out, stride = 1) {
            residual {
                conv1: conv2d(out, kernel = 3, stride = stride, padding = 1), relu,
                conv2: conv2d(out, kernel = 3, padding = 1),
            }
            relu,
        }

        conv1: conv2d(16, kernel = 3, padding = 1), relu,
        stage1: repeat(2) { basic(16) }
        stage2: repeat(2) { basic(32, stride = 2) }
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.stage1.1.basic_1.conv2.weight[0]);
    println!("{:?}", &net.stage2.0.basic_1.conv1.weight[0]);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

//! PyTorch's order of arguments up to `ceil_mode`.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 9, 9] -> [10] {
        conv1: conv2d(4, kernel = 3),
        nn.MaxPool2d(3, 2, 0, 1, False, True), avg_pool2d(3, 2, 0, True),
        flatten,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?} {:?}", &net.conv1.weight[0], &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

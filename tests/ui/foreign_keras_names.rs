//! Keras's names of arguments.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 8, 8] -> [10] {
        conv1: conv2d(filters = 4, kernel_size = (3, 3), strides = 1, activation = "relu", input_shape = (8, 8, 3)),
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

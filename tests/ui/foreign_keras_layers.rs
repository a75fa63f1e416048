//! Layers as Keras calls them.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 8, 8] -> [10] {
        conv1: Conv2D(4, (3, 3), activation = "relu"), MaxPooling2D((2, 2)), Dropout(rate = 0.2),
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

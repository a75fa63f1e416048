//! An attribute with a slip of the pen.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 8, 8] -> [10] {
        #[frozne]
        conv1: conv2d(8, kernel = 3), relu,
        flatten,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

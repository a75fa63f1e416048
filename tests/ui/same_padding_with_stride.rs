//! `same` keeps height and width, and a stride does not.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        conv1: conv2d(4, kernel = 3, stride = 2, padding = same), relu,
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

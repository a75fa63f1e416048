//! A line of Python.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 8, 8] -> [10] {
        self.conv1 = nn.Conv2d(3, 4, 3)
        self.relu = nn.ReLU()
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

//! Features that are fewer than the value's numbers.
use typenet::prelude::*;

network! {
    pub struct Net: [8, 12, 12] -> [10] {
        flat: reshape(1150),
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

//! Nearest pixels have no corners to align.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        upsample(2, align_corners = true),
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

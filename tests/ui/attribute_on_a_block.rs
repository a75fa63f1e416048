//! An attribute on a block instead of its use.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 8, 8] -> [10] {
        #[frozen]
        block keep(out) { conv2d(out, kernel = 3, padding = 1), relu }
        
        stem: keep(8),
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

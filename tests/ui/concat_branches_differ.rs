//! Branches of different height and width.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 32, 32] -> [10] {
        concat {
            branch { conv2d(8, kernel = 1) }
            branch { conv2d(8, kernel = 3, padding = 1) }
            branch { conv2d(8, kernel = 5), relu }
        }
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.conv2d_3.weight[0]);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

//! More branches than one layer joins.
use typenet::prelude::*;

network! {
    pub struct Net: [3, 32, 32] -> [10] {
        concat {
            branch { relu }
            branch { relu }
            branch { relu }
            branch { relu }
            branch { relu }
            branch { relu }
            branch { relu }
            branch { relu }
            branch { relu }
        }
        global_avg_pool,
        fc: linear(10),
    }
}

fn main() {
    let net = Net::seeded(1);
    println!("{:?}", Net::summary().parameters);
    println!("{:?}", &net.fc.weight[0]);
    assert_eq!(net.clone(), net);
}

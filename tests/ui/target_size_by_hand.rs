//! A batch by hand with targets of another size than the net's output.
use typenet::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        fc: linear(2),
    }
}


fn main() {
    let (mut net, mut ws) = (Net::seeded(1), Net::workspace(1));
    net.forward(&[[0.5; 4]], &mut ws);
    MeanSquaredError::new().forward_backward(&[[0.0, 1.0, 0.0]], &mut ws).unwrap();
}

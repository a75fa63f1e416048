//! Class numbers for a loss of values, by hand.
use typenet::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        fc: linear(2),
    }
}


fn main() {
    let (mut net, mut ws) = (Net::seeded(1), Net::workspace(1));
    net.forward(&[[0.5; 4]], &mut ws);
    let labels: Vec<usize> = vec![1];
    MeanSquaredError::new().forward_backward(&labels, &mut ws).unwrap();
}

//! A target of another size than its head, by hand.
use typenet::prelude::*;

network! {
    pub struct Net: [6] -> (class: [10], bbox: [4]) {
        linear(16), trunk: relu,
        class: linear(10),
        from(trunk), bbox: linear(4),
    }
}


fn main() {
    let (mut net, mut ws) = (Net::seeded(1), Net::workspace(1));
    net.forward(&[[0.0; 6]], &mut ws);
    let loss = NetLoss { class: CrossEntropy::new(), bbox: MeanSquaredError::new() };
    loss.forward_backward(&[NetTarget { class: 1, bbox: [0.5; 3] }], &mut ws).unwrap();
}

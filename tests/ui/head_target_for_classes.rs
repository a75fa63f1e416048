//! Values for the class of a head.
use typenet::prelude::*;

network! {
    pub struct Net: [6] -> (class: [10], bbox: [4]) {
        linear(16), trunk: relu,
        class: linear(10),
        from(trunk), bbox: linear(4),
    }
}


fn main() {
    let target = NetTarget { class: [0.0; 10], bbox: [0.5; 4] };
    let data = Dataset::from_inputs(&[[0.0; 6]], vec![target]).unwrap();
    let loss = NetLoss { class: CrossEntropy::new(), bbox: MeanSquaredError::new() };
    Trainer::new(Sgd::new(0.1)).loss(loss).fit(&mut Net::seeded(1), &data, None).unwrap();
}

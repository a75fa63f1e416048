//! A flat target of another length than an image.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 6, 4] -> [2, 6, 4] {
        conv1: conv2d(2, kernel = 3, padding = 1),
    }
}


fn main() {
    let data = Dataset::from_inputs(&[[[[0.5; 4]; 6]]], vec![[0.0; 40]]).unwrap();
    let trainer = Trainer::new(Sgd::new(0.1)).loss(MeanSquaredError::new());
    trainer.fit(&mut Net::seeded(1), &data, None).unwrap();
}

//! A number for each image, where the net has two outputs.
use typenet::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        fc: linear(2),
    }
}


fn main() {
    let data = Dataset::from_inputs(&[[0.5; 4]], vec![0.25]).unwrap();
    let trainer = Trainer::new(Sgd::new(0.1)).loss((0.5, BinaryCrossEntropy::new()));
    trainer.fit(&mut Net::seeded(1), &data, None).unwrap();
}

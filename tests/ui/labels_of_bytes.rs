//! Class numbers as bytes.
use typenet::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        fc: linear(2),
    }
}


fn main() {
    let labels: Vec<u8> = vec![1];
    let data = Dataset::from_inputs(&[[0.5; 4]], labels).unwrap();
    let trainer = Trainer::new(Sgd::new(0.1)).loss(CrossEntropy::new());
    trainer.fit(&mut Net::seeded(1), &data, None).unwrap();
}

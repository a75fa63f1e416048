//! Targets of another size than the net's output.
use typenet::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        fc: linear(2),
    }
}


fn main() {
    let data = Dataset::from_inputs(&[[0.5; 4]], vec![[0.0, 1.0, 0.0]]).unwrap();
    let trainer = Trainer::new(Sgd::new(0.1)).loss(MeanSquaredError::new()).batch(16).epochs(2);
    trainer.fit(&mut Net::seeded(1), &data, None).unwrap();
}

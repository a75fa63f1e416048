//! A data set of images of another size.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        flatten,
        fc: linear(10),
    }
}


fn main() {
    let data = Dataset::from_inputs(&[[[[0.0; 9]; 9]]], vec![0]).unwrap();
    let trainer = Trainer::new(Sgd::new(0.1)).loss(CrossEntropy::new());
    trainer.fit(&mut Net::seeded(1), &data, None).unwrap();
}

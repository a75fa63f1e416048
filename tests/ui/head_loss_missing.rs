//! One loss for a net with several heads.
use typenet::prelude::*;

network! {
    pub struct Net: [6] -> (class: [10], bbox: [4]) {
        linear(16), trunk: relu,
        class: linear(10),
        from(trunk), bbox: linear(4),
    }
}

fn main() {
    let data = Dataset::from_inputs(&[[0.0; 6]], vec![1]).unwrap();
    let mut trainer = Trainer::new(Sgd::new(0.1)).loss(CrossEntropy::new());
    trainer.fit(&mut Net::seeded(1), &data, None).unwrap();
}

//! Targets of another size than the output of a net with generics.
use typenet::prelude::*;

network! {
    pub struct Net<const OUT: usize>: [4] -> [OUT] {
        fc: linear(OUT),
    }
}


fn main() {
    let data = Dataset::from_inputs(&[[0.5; 4]], vec![[0.0, 1.0, 0.0]]).unwrap();
    let trainer = Trainer::new(Sgd::new(0.1)).loss(MeanSquaredError::new());
    trainer.fit(&mut Net::<5>::seeded(1), &data, None).unwrap();
}

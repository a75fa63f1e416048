//! This loss takes logarithms of probabilities; this net ends in logits.
use typenet::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        flatten,
        fc: linear(10),
    }
}

fn main() {
    let data = Dataset::from_inputs(&[[[[0.0; 8]; 8]]], vec![0]).unwrap();
    let mut net = Net::seeded(1);
    Trainer::new(Sgd::new(0.1)).loss(NllLoss::new()).fit(&mut net, &data, None).unwrap();
}
